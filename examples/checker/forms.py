"""Edits of the form of an expression or statement: a table.

An edit is given a scene and yields (sentence, what is replaced, its new text,
key), or (sentence, changes, key) where it replaces several pieces of the text.
Those with one key are also tried together, by statement and all at once.
"""
import ast
import re

# A form, what is written in its place, and the sentence. _a, _b, _c stand for
# any expression.
TABLE = [[part.strip() for part in line.split("|")] for line in """
_a = _b         | _a += _b      | `=` forgets what was there: `+=` adds.
_a += _b        | _a = _b       | `+=` adds to what is there: `=` replaces it.
_a = _b         | _a = max(_b, 0) | This must not become negative.
_a(_b) + _c     | _a(_b + _c)   | `+ _c` belongs inside the brackets.
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
_a // 2 + 1     | (_a + 1) // 2 | `// 2 + 1` is one too many for an even sum.
_a // _b        | _a / _b       | `//` drops the remainder: `/` keeps it.
_a // _b        | -(-_a // _b)  | It is rounded down, not up.
_a // _b        | _a            | `// _b` is too much.
_a % _b         | _a // _b      | `%` stands where `//` belongs.
-(-_a // _b)    | _a // _b      | It is rounded up, not down.
-_a             | _a            | A sign is wrong.
_a and _b       | _a or _b      | `or` belongs here, not `and`.
_a or _b        | _a and _b     | `and` belongs here, not `or`.
not _a          | _a            | `not` is too much.
_a if _b else _c | _a          | The condition is too much.
_a if _b else _c | _c          | The condition is too much.
_a if _b else _c | _c if _b else _a | The condition is the wrong way round.
_a[::-1, ::-1]  | _a            | The kernel must not be turned.
_a[::-1, ::-1, _b, _c] | _a[:, :, _b, _c] | The kernel must not be turned.
_a < _b         | _a <= _b      | `<=` belongs here.
_a <= _b        | _a < _b       | `<` belongs here.
_a > _b         | _a >= _b      | `>=` belongs here.
_a >= _b        | _a > _b       | `>` belongs here.
_a >= _b        | _a == _b      | `==` belongs here.
_a == _b        | _a != _b      | The comparison is the wrong way round.
_a != _b        | _a == _b      | The comparison is the wrong way round.
_a is _b        | _a == _b      | `is` stands where `==` belongs.
_a.isclose(_b, _c) | (_b == _c) | Nearly equal is not equal.
_a >= _b - _c   | _a == _b      | Nearly equal is not equal.
_a.zeros(_b)    | _a.full(_b, -np.inf) | A maximum does not start at 0.
_a.zeros_like(_b) | _a.zeros(_b.shape) | Results are truncated to integers.
_a.copy()       | _a * 0.0      | Sums do not start at 0.
_a.reshape(_b, _c).T | _a.reshape(_c, _b) | The elements come in another order.
_a.reshape(_b, _c) | _a.reshape(_c, _b).T | The elements come in another order.
_a.dot(_b.T, _c) | _a.dot(_c.T, _b) | The product is transposed.
""".strip().splitlines()]
UNLIKELY = "is missing here.", "is the wrong way round."
FORMS = [(body.value if isinstance(body, ast.Expr) else body, *rest)
         for pattern, *rest in TABLE for body in ast.parse(pattern).body]


def matches(pattern, node, found):
    """Tell whether a node has a form; put what _a stands for into found."""
    if isinstance(pattern, ast.Name) and pattern.id[0] == "_":
        found[pattern.id] = node
        return isinstance(node, (ast.expr, ast.Slice))
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


def longer(s):
    """A summand or a factor is missing: + 1, a stride, a window's start."""
    for node in s.nodes(ast.Name, ast.Subscript):
        old, parent, roles, loops = (s.of(node), node.parent, s.roles(node),
                                     s.loops(node))
        if not isinstance(node.ctx, ast.Load) or not (
                roles or old in loops or old in s.numbers(node)):
            continue
        ends = ["+ 1", "- 1"] * isinstance(parent, (ast.BinOp, ast.Slice,
                                                    ast.Call))
        if not roles and isinstance(parent, (ast.BinOp, ast.Slice, ast.Tuple)):
            ends += [f"* {stride}" for stride in map(
                s.named, ("sh", "sw"), (node, node)) if stride]
        if ast.Subscript in (type(parent), type(parent.parent)):
            ends += [f"+ {start}" for start in sorted(
                {*loops, *s.varying(node)} - {old})]
        for end in ends:
            yield f"`{end}` is missing here.", node, f"{old} {end}", (
                "*" if end[0] == "*" else end)
