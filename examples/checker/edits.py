"""Edits of methods, whole statements, and defaults."""
import ast
import itertools

from .forms import bare
from .source import called

DEFAULTS = {"padding": '"same"', "stride": "(1, 1)", "mode": "'max'"}


def parts(s):
    """A part of an expression is all that belongs there."""
    for node in s.nodes(ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Call):
        start, end = s.span(node)
        kept = [getattr(node, name, None) for name in (
            "left", "right", "operand", "body", "orelse")]
        if isinstance(node, ast.Call):      # of a method: its object too
            kept = [getattr(node.func, "value", None), *node.args]
        for i, part in enumerate(kept):
            if part:
                first, last = s.span(part)
                before = s.text[start:first].strip()
                after = s.text[last:end].strip()
                if before[-1:] + after[:1] == "()":
                    before, after = before[:-1], after[1:]
                gone = "...".join(filter(None, (before, after)))
                yield f"`{gone}` is too much.", [
                    s.put(node, bare(s, part, node.parent))], (
                    i, called(node) or type(getattr(node, "op", node)))


def swaps(s):
    """Two are in the wrong order: arguments, or neighbouring statements."""
    for node in s.nodes(ast.Tuple, ast.Call, ast.List):
        parts = node.args if isinstance(node, ast.Call) else node.elts
        for one, two in itertools.combinations(parts, 2):
            a, b = s.of(one), s.of(two)
            if a != b and len(a + b) < 60:
                yield f"`{a}` and `{b}` are swapped.", [
                    s.put(one, b), s.put(two, a)], "swapped"
    for body in blocks(s):
        for one, two in zip(body, body[1:]):
            if one.end_lineno < two.lineno:
                yield "Two statements are in the wrong order.", [
                    s.put(one, s.of(two)), s.put(two, s.of(one))], None


def blocks(s):
    """Return the blocks of statements."""
    return [body for node in s.nodes(ast.FunctionDef, ast.For, ast.If,
                                     ast.While, ast.With)
            for body in (node.body, getattr(node, "orelse", []))]


def statements(s):
    """A statement is too much, or stands inside or outside of a loop."""
    loop = (ast.For, ast.While)
    for body in blocks(s):
        for node in body:
            assigned, outer = isinstance(node, ast.Assign), node.parent
            start, end = s.starts[node.lineno - 1], s.starts[node.end_lineno]
            gone = s.put(node, "pass") if len(body) == 1 else (start, end, "")
            if assigned or isinstance(node, (ast.AugAssign, ast.Break,
                                             ast.Continue)):
                yield f"`{s.of(node)[:40]}` is too much.", [gone], None
            if isinstance(node, ast.If):
                for part in (node.body, node.orelse):
                    if len(part) == 1:
                        yield "This needs no condition.", [
                            s.put(node, s.of(part[0]))], None
            while isinstance(outer, (*loop, ast.If)):
                after, step = s.starts[outer.end_lineno], (
                    node.col_offset - outer.col_offset)
                if end == after:
                    yield "A statement stands too far inside.", [
                        gone, (after, after, "".join(
                            line[step:] for line in s.text[
                                start:end].splitlines(True)))], None
                elif assigned and isinstance(outer, loop):
                    yield "A statement belongs before the loop.", [
                        s.before(outer, s.of(node)), gone], None
                outer = outer.parent
            for one in s.nodes(*loop) * assigned:
                if node.end_lineno < one.lineno:
                    yield "A statement belongs inside the loop.", [
                        gone, s.before(one.body[0], s.of(node))], None


def defaults(s):
    """A default is missing or wrong."""
    every = s.main.args
    for i, one in enumerate(every.args, len(every.defaults) - len(every.args)):
        for name, text in DEFAULTS.items():
            if s.given.get(name) == one.arg:
                end = s.span(one)[1]
                yield "A default is missing or wrong.", [
                    s.put(every.defaults[i], text) if i >= 0 else
                    (end, end, f"={text}")], None


EDITS = (parts, statements, swaps, defaults)
