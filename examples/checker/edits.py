"""Small edits: one expression, name, number or statement for another.

An edit is given a scene and yields (sentence, changes, key): pieces of the
text to replace. Those with one key are also tried together, by statement and
all at once, for who mixes up two names does it more than once.
"""
import ast
import itertools
import re

import numpy as np

from .scene import called, elements, up

# A form, what is written in its place, and the sentence. _a, _b, _c stand for
# any expression.
TABLE = [[part.strip() for part in line.split("|")] for line in """
_a = _b         | _a += _b      | `=` forgets what was there: `+=` adds.
_a += _b        | _a = _b       | `+=` adds to what is there: `=` replaces it.
_a -= _b        | _a += _b      | `-=` stands where `+=` belongs.
_a + _b         | _a            | `+ _b` is too much.
_a + _b         | _b            | `_a +` is too much.
_a + _b         | _a - _b       | `+` stands where `-` belongs.
_a + _b         | _a * _b       | `+` stands where `*` belongs.
_a - _b         | _a            | `- _b` is too much.
_a - _b         | _a + _b       | `-` stands where `+` belongs.
_a - _b         | _b - _a       | `_a` and `_b` are in the wrong order.
_a - 1 - _b     | _b            | The kernel must not be turned.
_a * _b         | _a            | `* _b` is too much.
_a * _b         | _b            | `_a *` is too much.
_a * _b         | _a + _b       | `*` stands where `+` belongs.
_a * _b         | _a / _b       | `*` stands where `/` belongs.
_a / _b         | _a            | It is divided by `_b`, which is too much.
_a / _b         | _a * _b       | `/` stands where `*` belongs.
_a // _b        | _a / _b       | `//` drops the remainder: `/` keeps it.
_a // _b        | -(-_a // _b)  | It is rounded down, not up.
_a // _b        | _a            | `// _b` is too much.
_a % _b         | _a // _b      | `%` stands where `//` belongs.
-(-_a // _b)    | _a // _b      | It is rounded up, not down.
-_a             | _a            | A sign is wrong.
_a and _b       | _a or _b      | `or` belongs here, not `and`.
_a or _b        | _a and _b     | `and` belongs here, not `or`.
not _a          | _a            | `not` is too much.
_a if _b else _c | _a           | The condition is too much.
_a if _b else _c | _c           | The condition is too much.
_a if _b else _c | _c if _b else _a | The condition is the wrong way round.
_a[::-1, ::-1]  | _a            | The kernel must not be turned.
_a[::-1, ::-1, :, :] | _a       | The kernel must not be turned.
_a.isclose(_b, _c) | (_b == _c) | Nearly equal is not equal.
_a >= _b - _c   | _a == _b      | Nearly equal is not equal.
_a.max(_b)      | _a.max(_b, axis=(1, 2)) | The axes of the window are missing.
_a.max(_b)      | _a.max(_b, axis=(0, 1)) | The axes of the window are missing.
_a.mean(_b)     | _a.mean(_b, axis=(1, 2)) | The axes of the window are missing.
_a.mean(_b)     | _a.mean(_b, axis=(0, 1)) | The axes of the window are missing.
_a.sum(_b)      | _a.sum(_b, axis=(1, 2, 3)) | The axes of the sum are missing.
_a.zeros(_b)    | _a.full(_b, -np.inf) | A maximum does not start at 0.
_a.zeros_like(_b) | _a.zeros(_b.shape) | Results are truncated to integers.
_a.copy()       | _a * 0.0      | Sums do not start at 0.
_a.reshape(_b, _c).T | _a.reshape(_c, _b) | The elements come in another order.
_a.reshape(_b, _c) | _a.reshape(_c, _b).T | The elements come in another order.
_a.dot(_b.T, _c) | _a.dot(_c.T, _b) | The product is transposed.
""".strip().splitlines()]
FORMS = [(ast.parse(pattern).body[0], *rest) for pattern, *rest in TABLE]
OTHERS = [{"sum", "mean", "max", "prod"}, {"max", "min", "mean"},
          {"amax", "amin", "mean", "max"}, {"average", "sum"},
          {"argmax", "argmin"}, {"median", "mean"}, {"minimum", "maximum"},
          {"any", "all"}, {"round", "ceil", "floor", "rint"}, {"int", "ceil"},
          {"zeros", "empty"}, {"dot", "multiply"}]
AXES = ["(1, 2, 3)", "(0, 1, 2)", *(f"({i}, {i + 1})" for i in range(5)),
        *"0123"]
COMPARE = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=",
           ast.Gt: ">", ast.GtE: ">=", ast.Is: "is", ast.IsNot: "is not"}


def matches(pattern, node, found):
    """Tell whether a node has a form; put what _a stands for into found."""
    if isinstance(pattern, ast.Name) and pattern.id[0] == "_":
        found[pattern.id] = node
        return isinstance(node, ast.expr)
    if isinstance(pattern, ast.AST):
        return type(pattern) is type(node) and all(
            matches(part, getattr(node, field, None), found)
            for field, part in ast.iter_fields(pattern) if field not in (
                "ctx", "type_comment", "kind"))
    if isinstance(pattern, list):
        return isinstance(node, list) and len(pattern) == len(node) and all(
            matches(*pair, found) for pair in zip(pattern, node))
    return pattern == node


def bare(s, node, around=None):
    """Return an operand's text, in parentheses where it needs them."""
    loose = (ast.BinOp, ast.Compare, ast.IfExp, ast.BoolOp, ast.UnaryOp)
    tight = (ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Subscript)
    return f"({s.of(node)})" if isinstance(node, loose) and isinstance(
        around, tight) else s.of(node)


def forms(s):
    """An expression or statement has another form: see TABLE."""
    for pattern, text, sentence in FORMS:
        pattern = getattr(pattern, "value", pattern) if isinstance(
            pattern, ast.Expr) else pattern
        for node in s.nodes(type(pattern)):
            found = {}
            if matches(pattern, node, found):
                around = node.parent if text in found else None if isinstance(
                    node, ast.stmt) else ast.UnaryOp()
                new, told = (re.sub(
                    r"_[abc]\b", lambda word: write(found[word.group()]), part)
                    for part, write in (
                        (text, lambda part: bare(s, part, around)),
                        (sentence, lambda part: s.of(part)[:40])))
                yield told, node, new, text


def axis(role):
    """Return the axis of a size: h or w, or nothing."""
    return "".join({*role} & {*"hw"} if role not in ("m", "c_new") else "")


ROLES = ("kh", "kw", "sh", "sw", "h_prev", "w_prev", "h_new", "w_new", "m",
         "c_prev", "c_new")
TURN = str.maketrans("hw", "wh")


def names(s):
    """A name, or the variable of a loop, stands where another belongs.

    kh for sh and kw for sw have one key; and so have all kh for kw.
    """
    for node in s.nodes(ast.Name, ast.Subscript):
        if not isinstance(node.ctx, ast.Load) or isinstance(
                node.parent, ast.Attribute) or (
                isinstance(node.parent, ast.Call)
                and node.parent.func is node):
            continue
        old, every, loops, new = s.of(node), s.numbers(node), s.loops(node), {}
        values = [value for _, value in s.values(node)]
        roles = s.roles(node) or {role for role in ROLES
                                  if s.counter(role, node) == old}
        for mine in sorted(roles)[:1]:
            for role in ROLES:
                text = (s.counter if old in loops else s.named)(role, node)
                if text and role not in roles and (
                        axis(role) == axis(mine)
                        or role.translate(TURN) == mine):
                    new[text] = (axis(role) == axis(mine), *[re.sub(
                        "[hw]" * (axis(role) == axis(mine)), "", one)
                        for one in (mine, role)])
        if isinstance(node, ast.Name) and not roles:
            rest = [name for name in every if not s.sized(name, node)]
            for text in (s.arrays(node, lambda value, _: value.ndim == np.ndim(
                    values[0])) if values and isinstance(values[0], np.ndarray)
                    else loops if old in loops else rest if old in every
                    else ()):
                new.setdefault(text, (old, text))
        elif isinstance(node, ast.Subscript) and re.search(r"\[[01]\]$", old):
            new[f"{old[:-2]}{1 - int(old[-2])}]"] = old     # of padding, say
        for text, key in new.items():
            if text != old and every.get(text, 0) != every.get(old, 1):
                yield f"`{old}` stands where `{text}` belongs.", node, text, (
                    key)


def around(node, *kinds):
    """Return the nodes of some kinds that a node is in, the nearest first."""
    found = [up(node.parent, *kinds)]
    while found[-1]:
        found.append(up(found[-1].parent, *kinds))
    return found[:-1]


def constants(s):
    """A number or a word is another one."""
    for node in s.nodes(ast.Constant):
        old, value, new = s.of(node), node.value, []
        if isinstance(value, bool):
            new = [str(not value)]
        elif isinstance(value, int):
            idle = isinstance(node.parent, ast.BinOp) and (
                not isinstance(node.parent.op, (ast.Add, ast.Sub)))
            new = [str(one) for one in (value + 1, value - 1) if not (
                isinstance(node.parent, ast.BinOp) and one == idle)]
            new += ["-np.inf"] * (isinstance(node.parent, ast.Assign)
                                  and value == 0)
        elif isinstance(value, str) and called(node.parent) == "einsum":
            new = [repr(value[:i] + value[i + 1] + value[i] + value[i + 2:])
                   for i in range(len(value) - 1)]
        elif isinstance(value, str) and len(value) < 20:
            new = [repr(word) for word in (
                "same", "valid", "max", "avg", "constant")]
        for text in new:
            if text != old:
                yield f"{old} stands where {text} belongs.", node, text, (
                    old, text)


def missing(s):
    """A summand or a factor is missing."""
    for node in s.nodes(ast.Name, ast.Subscript):
        text, roles, loops = s.of(node), s.roles(node), s.loops(node)
        if not isinstance(node.ctx, ast.Load) or not (
                roles or text in loops or text in s.numbers(node)):
            continue
        ends, parent = [], node.parent
        if isinstance(parent, (ast.BinOp, ast.Slice, ast.Call)):
            ends += ["+ 1", "- 1"]
        if not roles and isinstance(parent, (ast.BinOp, ast.Slice, ast.Tuple)):
            ends += [f"* {one}" for role in ("sh", "sw")
                     for one in [s.named(role, node)] if one]
        if isinstance(parent, ast.Subscript) or isinstance(
                parent.parent, ast.Subscript):
            ends += [f"+ {one}" for one in [*loops, *s.varying(node)]
                     if one != text]
        for end in ends:
            yield f"`{end}` is missing.", node, f"{text} {end}", (
                end[0] if end[0] == "*" else end)


def comparisons(s):
    """Another comparison belongs here."""
    for node in s.nodes(ast.Compare):
        left, right = bare(s, node.left), bare(s, node.comparators[0])
        for sign in COMPARE.values():
            if sign[0] != "i" and sign != COMPARE.get(type(node.ops[0])):
                yield f"`{sign}` belongs here.", node, (
                    f"{left} {sign} {right}"), sign


def calls(s):
    """A function is another one, is not asked for, or has other axes."""
    for node in s.nodes(ast.Name, ast.Attribute):
        name = getattr(node, "attr", getattr(node, "id", None))
        for other in sorted(set().union(*[
                several for several in OTHERS if name in several]) - {name}):
            start = s.of(node)[:-len(name)] or "np." * (name == "int")
            yield f"`{name}` stands where `{other}` belongs.", node, (
                start + other), other
    for node in s.nodes(ast.Call):
        name, words = called(node), {word.arg: word.value
                                     for word in node.keywords}
        end = s.span(node)[1] - 1
        inner = [node.func.value] if isinstance(node.func, ast.Attribute) and (
            s.of(node.func.value) != "np") else node.args[:2]
        for part in inner * (name not in ("range", "zeros", "pad", "ndindex")):
            yield f"`{name}` is not asked for.", node, bare(
                s, part, node.parent), name
        if "axis" in words:
            for axes in AXES:
                yield f"`{name}` works along other axes.", words["axis"], (
                    axes), axes
            if "keepdims" not in words:
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


def statements(s):
    """A statement is too much, or stands inside a loop or branch."""
    for body in blocks(s):
        for node in body:
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.Break,
                                 ast.Continue)):
                yield f"`{s.of(node)[:40]}` is too much.", node, "pass", None
            outer = node.parent
            block = s.text[s.starts[node.lineno - 1]:
                           s.starts[node.end_lineno]]
            while node is body[-1] and isinstance(outer, (ast.For, ast.If)):
                step = node.col_offset - outer.col_offset
                start, end = (s.starts[node.lineno - 1],
                              s.starts[outer.end_lineno])
                yield "A statement stands too far inside.", [
                    (start, s.starts[node.end_lineno], ""), (end, end, "".join(
                        line[step:] for line in block.splitlines(True)))], None
                outer = outer.parent
            for after in body[body.index(node) + 1:]:
                if isinstance(node, ast.Assign) and isinstance(
                        after, (ast.For, ast.While)):
                    for one in ast.walk(after):
                        if isinstance(one, (ast.For, ast.While)):
                            yield "A statement belongs inside the loop.", [
                                s.put(node, "pass"), s.before(
                                    one.body[0], s.of(node))], None
            loops = around(node, ast.For)
            if isinstance(node, ast.Assign) and loops and called(
                    node.value) in ("zeros", "zeros_like", "empty"):
                yield "Sums start at 0 again inside the loop.", [
                    s.before(loops[-1], s.of(node)), s.put(node, "pass")], None


def indexes(s):
    """An index is another one, is missing, or is too much."""
    for node in s.nodes(ast.Subscript):
        parts = elements(node.slice) or [node.slice]
        loops = s.loops(node)
        for part in parts:
            whole = isinstance(part, ast.Slice) and not (
                part.lower or part.upper)
            for new in loops * (whole or isinstance(part, ast.Constant)):
                yield f"Another index belongs here: `{new}`.", part, new, None
            for role in ("sh", "sw") * (isinstance(part, ast.Slice)
                                        and not part.lower):
                step = s.named(role, node)
                if step:
                    yield "The slice has no stride.", part, f"::{step}", (
                        "step")
            if len(parts) > 1:
                if not isinstance(part, ast.Slice):
                    yield "All of this axis belong here.", part, ":", None
                start = s.span(part)[0]
                for new in [":", *loops]:
                    yield f"The index `{new}` is missing.", [
                        (start, start, f"{new}, ")], None
        end = s.span(parts[-1])[1]
        for new in loops * (len(parts) > 1):
            yield f"The index `{new}` is missing.", [
                (end, end, f", {new}")], None


EDITS = (names, forms, constants, missing, comparisons, calls, statements,
         swaps, indexes)
