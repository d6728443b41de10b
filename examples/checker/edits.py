"""Small edits: one name, number, index, call or statement for another.

Who mixes up two names does it more than once: see forms.py on keys.
"""
import ast
import itertools
import re

import numpy as np

from .forms import bare
from .source import called, elements

FUNCTIONS = [{"sum", "mean", "max", "prod"}, {"max", "min", "mean"},
             {"amax", "amin", "mean", "max"}, {"average", "sum", "mean"},
             {"argmax", "argmin"}, {"minimum", "maximum"}, {"any", "all"},
             {"round", "ceil", "floor", "rint"}, {"int", "ceil"},
             {"zeros", "empty", "ones"}, {"dot", "multiply"},
             {"constant", "edge", "reflect", "symmetric", "wrap"}]
WORDS = {"same", "valid", "max", "avg"}
AXES = ["(1, 2, 3)", "(0, 1, 2)", *(f"({i}, {i + 1})" for i in range(5)),
        *"0123"]
ROLES = ("kh", "kw", "sh", "sw", "h_prev", "w_prev", "h_new", "w_new", "m",
         "c_prev", "c_new")
TURN = str.maketrans("hw", "wh")


def others(s):
    """A name, number, function or index stands where another belongs."""
    for node in s.nodes(ast.Name, ast.Subscript, ast.Constant, ast.Attribute,
                        ast.Slice):
        if not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            continue
        old = s.of(node)
        for text, key in [*sizes(s, node, old), *numbers(node, old),
                          *functions(node, old), *indexes(s, node, old)]:
            if text != old:
                yield f"`{old}` stands where `{text}` belongs.", node, text, (
                    key)


def axis(role):
    """Return the axis of a size: h or w, or nothing."""
    return next((letter for letter in (role[0], role[1:])
                 if letter in ("h", "w")), "")


def sizes(s, node, old):
    """Yield other sizes, arrays or variables of loops.

    kh for sh and kw for sw have one key; and so have all kh for kw.
    """
    if not isinstance(node, (ast.Name, ast.Subscript)) or getattr(
            node.parent, "attr", "shape") != "shape" or (
            node is getattr(node.parent, "func", None)):
        return
    every, loops = s.numbers(node), s.loops(node)
    roles = s.roles(node) or {role for role in ROLES
                              if s.counter(role, node) == old}
    for mine in sorted(roles)[:1]:
        for role in ROLES:
            text, same = (s.counter if old in loops else s.named)(
                role, node), axis(role) == axis(mine)
            if text and role not in roles and (
                    same or role.translate(TURN) == mine):
                yield text, (same, *[re.sub("[hw]" * same, "", one)
                                     for one in (mine, role)])
    if roles:
        return
    array = next((value for _, value in s.values(node)
                  if isinstance(value, np.ndarray)), None)
    if isinstance(node, ast.Name):
        rest = [name for name, known in every.items() if not known]
        for text in (s.arrays(node, array.ndim) if array is not None
                     else loops if old in loops
                     else rest if old in every else ()):
            yield text, (old, text)
    elif re.search(r"\[[01]\]$", old):      # of padding, say
        yield f"{old[:-2]}{1 - int(old[-2])}]", old


def numbers(node, old):
    """Yield other numbers, and other letters for einsum."""
    value, parent = getattr(node, "value", None), node.parent
    if not isinstance(node, ast.Constant):
        return
    if isinstance(value, bool):
        yield str(not value), None
    elif isinstance(value, int):
        yield from ((str(new), (old, new)) for new in (value + 1, value - 1))
        if value == 0 and isinstance(parent, ast.Assign):
            yield "-np.inf", None
    elif isinstance(value, str) and called(parent) == "einsum":
        for i in range(len(value) - 1):
            yield repr(value[:i] + value[i + 1] + value[i] + value[i + 2:]), (
                None)


def functions(node, old):
    """Yield other functions and words."""
    name = getattr(node, "attr", getattr(node, "id", getattr(
        node, "value", None)))
    compared = [WORDS | {name}] * (isinstance(node, ast.Constant)
                                   and isinstance(node.parent, ast.Compare))
    for several in FUNCTIONS + compared:
        if isinstance(name, str) and name in several:
            for other in sorted(several - {name}):
                yield "np." * (name == "int") + old.replace(name, other), other


def indexes(s, node, old):
    """Yield other indexes: a loop's variable, a whole axis, one more."""
    place = node.parent if isinstance(node.parent, ast.Subscript) else (
        node.parent.parent)
    if not isinstance(place, ast.Subscript) or node is place.value:
        return
    loops, parts = s.loops(node), elements(place.slice)
    whole = isinstance(node, ast.Slice)
    room = bool(parts) and all(np.ndim(value) > len(parts)
                               for _, value in s.values(place.value))
    if isinstance(node, ast.Constant) or old == ":":
        yield from ((new, None) for new in loops)
    for new in [":", *loops] * room:
        yield f"{new}, {old}", None
        yield f"{old}, {new}", None
    if parts and not whole:
        yield ":", None
    if whole and node.upper and not node.lower:
        for stride in filter(None, (s.named("sh", node), s.named("sw", node))):
            yield f"::{stride}", "::"


def calls(s):
    """A call is not asked for, or works along other axes."""
    for node in s.nodes(ast.Call):
        name, words = called(node), {word.arg: word.value
                                     for word in node.keywords}
        end = s.span(node)[1] - 1
        inner = [node.func.value] if isinstance(node.func, ast.Attribute) and (
            s.of(node.func.value) != "np") else node.args[:2]
        for part in inner * (name not in ("range", "zeros", "pad", "ndindex")):
            yield f"`{name}` is not asked for.", node, bare(
                s, part, node.parent), name
        for axes in AXES:
            if "axis" in words:
                yield f"`{name}` works along other axes.", words["axis"], (
                    axes), axes
            elif name in ("max", "mean", "sum", "min", "argmax", "amax"):
                yield f"`{name}` takes in all axes: say which.", [
                    (end, end, f", axis={axes}")], axes
        if "axis" in words and "keepdims" not in words:
            yield f"`{name}` loses its axes: keepdims.", [
                (end, end, ", keepdims=True")], name
        if "dtype" in words and node.args:
            yield "Results are truncated to integers.", [
                (s.span(node.args[-1])[1], s.span(words["dtype"])[1], "")], (
                None)


def swaps(s):
    """Two neighbours are in the wrong order: arguments, or statements."""
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


def gone(s, node):
    """Return the change that takes a statement away."""
    if [node] in (node.parent.body, getattr(node.parent, "orelse", 0)):
        return s.put(node, "pass")
    return s.starts[node.lineno - 1], s.starts[node.end_lineno], ""


def statements(s):
    """A statement is too much, or stands inside or outside of a loop."""
    loop = (ast.For, ast.While)
    for node in itertools.chain(*blocks(s)):
        assigned, outer = isinstance(node, ast.Assign), node.parent
        if assigned or isinstance(node, (ast.AugAssign, ast.Break,
                                         ast.Continue)):
            yield f"`{s.of(node)[:40]}` is too much.", [gone(s, node)], None
        start, end = s.starts[node.lineno - 1], s.starts[node.end_lineno]
        while isinstance(outer, (*loop, ast.If)):
            after, step = s.starts[outer.end_lineno], (
                node.col_offset - outer.col_offset)
            moved = "".join(line[step:] for line in s.text[start:end
                                                           ].splitlines(True))
            if end == after:
                yield "A statement stands too far inside.", [
                    (start, end, ""), (after, after, moved)], None
            elif assigned and isinstance(outer, loop):
                yield "A statement belongs before the loop.", [
                    s.before(outer, s.of(node)), gone(s, node)], None
            outer = outer.parent
        for one in s.nodes(*loop) * assigned:
            if node.end_lineno < one.lineno:
                yield "A statement belongs inside the loop.", [
                    gone(s, node), s.before(one.body[0], s.of(node))], None


EDITS = (calls, statements, swaps)
