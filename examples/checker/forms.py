"""Edits by the table: where a form stands, and what is written there.

An edit is given a scene and yields (sentence, changes, key): the text and the
place of each change. Those with one key are also tried together.
"""
import ast
import functools
import itertools
import re

import numpy as np

from .scene import COUNTERS
from .source import called, up
from .table import AXES, FUNCTIONS, REDUCTIONS, TABLE

ROWS = ["kh", "sh", "h_prev", "h_new", "y", "i", "top"]
COLUMNS = ["kw", "sw", "w_prev", "w_new", "x", "j", "left"]
TWIN = dict(zip(ROWS + COLUMNS, COLUMNS + ROWS))
OTHERS = ["m", "c_prev", "c_new", "n", "c", "k"]
NAMED = (ast.Name, ast.Subscript)
AROUND = (ast.BinOp, ast.Slice, ast.Call, ast.Tuple, ast.AugAssign)
FITS = {    # the types of nodes that a letter stands for, and what they are
    "_i": (NAMED, lambda s, node: s.roles(node) is not None),
    "_o": (NAMED, lambda s, node: s.roles(node) is not None and isinstance(
        node.parent, AROUND)),
    "_u": (NAMED, lambda s, node: s.roles(node) is not None and isinstance(
        node.parent, AROUND) and s.roles(node) <= {*COUNTERS}),
    "_v": (NAMED[:1], lambda s, node: node.id in s.arrays(node)),
    "_n": ((ast.Constant,), lambda s, node: True),
    "_f": ((ast.Name, ast.Attribute, ast.Constant), lambda s, node: True),
    "_x": ((ast.expr,), lambda s, node: getattr(
        node.parent, "arg", 0) == "axis"),
    "_e": ((ast.expr, ast.Slice), lambda s, node: s.indexed(node))}


def parsed(pattern):
    """Return the tree of a form."""
    if pattern[0] == "[":
        return ast.parse(f"x{pattern}").body[0].value.slice
    body = ast.parse(pattern).body[0]
    return body.value if isinstance(body, ast.Expr) else body


def forms_of(table):
    """Return (row, tree, new text, sentence, {$word: its name}, axis).

    What a row says of rows, it says of columns too.
    """
    found = []
    for row, (pattern, *texts) in enumerate(table):
        names = re.findall(r"\$(\w+)", " ".join(texts))
        both = not {*names}.isdisjoint(ROWS) and {*names}.isdisjoint(COLUMNS)
        tree = parsed(pattern)
        for axis in (0, 1) if both else (None,):
            found.append((row, tree, *texts, {
                name: TWIN.get(name, name) if axis else name
                for name in names}, axis))
    return found


def matches(s, pattern, node, found):
    """Tell whether a node has a form; put what _a stands for into found."""
    if isinstance(pattern, ast.Name) and pattern.id[0] == "_":
        found[pattern.id] = node
        if pattern.id not in FITS:
            return isinstance(node, (ast.expr, ast.Slice))
        types, fits = FITS[pattern.id]
        return isinstance(node, types) and isinstance(
            getattr(node, "ctx", ast.Load()), ast.Load) and fits(s, node)
    if isinstance(pattern, ast.Name) and pattern.id in s.given:
        return getattr(node, "id", None) == s.given[pattern.id]
    if isinstance(pattern, ast.AST):
        return type(pattern) is type(node) and all(
            matches(s, part, getattr(node, field, None), found)
            for field, part in ast.iter_fields(pattern) if field not in (
                "ctx", "type_comment", "kind"))
    if isinstance(pattern, list):
        return isinstance(node, list) and len(pattern) == len(node) and all(
            matches(s, *pair, found) for pair in zip(pattern, node))
    return pattern == node


def bare(s, node, around=None):
    """Return an operand's text, in parentheses where it needs them."""
    loose = (ast.BinOp, ast.Compare, ast.IfExp, ast.BoolOp, ast.UnaryOp)
    tight = (ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Subscript)
    return f"({s.of(node)})" if isinstance(node, loose) and isinstance(
        around, tight) else s.of(node)


def words(s, word, node):
    """Return what a $word can stand for where a node is: [(text, key)]."""
    if word in WORDS:
        return list(WORDS[word](s, node))
    return [(text, None) for text in [s.named(word, node)] if text]


def form(row, pattern, new, sentence, names, axis, s):
    """An expression or statement has another form: see the table."""
    types, _ = FITS.get(getattr(pattern, "id", 0), [[type(pattern)], 0])
    for node in s.nodes(*types):
        letters = {}
        if axis is not None and s.axis(node) == 1 - axis or not matches(
                s, pattern, node, letters):
            continue
        around = node.parent if new in letters else None if isinstance(
            node, ast.stmt) else ast.UnaryOp(ast.Not(), node)     # operand
        for known in itertools.product(*[words(s, name, node)
                                         for name in names.values()]):
            said = {name: text for name, (text, _) in zip(names, known)}
            text, told = [re.sub(
                r"\$(\w+)|_[a-z]\b", lambda found: said[found[1]] if
                found[1] else write(letters[found[0]]), part)
                for part, write in (
                    (new.strip("[]") if new[0] == "[" else new,
                     lambda part: bare(s, part, around)),
                    (sentence, lambda part: s.of(part)[:40]))]
            if text != s.of(node):
                yield told, [s.put(node, text)], (
                    row, *[key for _, key in known])


def sizes(s, node):
    """Yield other sizes: of the same axis, or the same of the other axis.

    kh for sh and kw for sw have one key; and so have all kh for kw.
    """
    mine = min(s.roles(node), default=None)
    for here in (ROWS, COLUMNS, OTHERS):
        for role in here + [TWIN.get(mine)] if mine in here else ():
            text = role and s.named(role, node)
            if text and (role in COUNTERS) == (mine in COUNTERS):
                yield text, (here.index(mine), here.index(role)) if (
                    role in here) else (mine, role)


def near(s, node):
    """Yield other numbers, and other letters for einsum."""
    value = node.value
    if isinstance(value, bool):
        yield str(not value), None
    elif isinstance(value, int):
        yield from ((str(new), (value, new)) for new in (value + 1, value - 1))
        if value == 0 and isinstance(node.parent, ast.Assign):
            yield "-np.inf", None
    elif isinstance(value, str) and called(node.parent) == "einsum":
        for i in range(len(value) - 1):
            yield repr(value[:i] + value[i + 1] + value[i] + value[i + 2:]), (
                None)


def functions(s, node):
    """Yield other functions; and other words, where one is compared."""
    name = getattr(node, "attr", getattr(node, "id", getattr(
        node, "value", None)))
    compared = [{"same", "valid", "max", "avg", name}] * (isinstance(
        node, ast.Constant) and isinstance(node.parent, ast.Compare))
    if isinstance(name, str):
        for other in sorted(set().union(*[
                several for several in FUNCTIONS + compared if name in several
                ]) - {name}):
            yield re.sub(rf"\b{name}(?=\W*$)", other, s.of(node)), other


def indexes(s, node):
    """Yield other elements of an index: a loop's name, all, one more."""
    array, old, loops = s.indexed(node).value, s.of(node), s.varying(node)
    if isinstance(node, ast.Constant) or old == ":":
        yield from ((new, None) for new in loops)
    if isinstance(node.parent, ast.Tuple):
        if not isinstance(node, ast.Slice):
            yield ":", None
        if all(np.ndim(value) > len(node.parent.elts)
               for value in s.values(array)):
            for new in (":", *loops):
                yield f"{new}, {old}", None
                yield f"{old}, {new}", None


WORDS = {
    "size": sizes, "near": near, "function": functions, "index": indexes,
    "other": lambda s, node: [      # of what is no size, as a padding
        (name, (s.of(node), name)) for name, known in s.numbers(node).items()
        if not known and not s.roles(node)],
    "array": lambda s, node: [
        (name, (node.id, name)) for value in s.values(node)[:1]
        for name in s.arrays(node, np.ndim(value))],
    "axes": lambda s, node: [
        (axes, axes) for axes in AXES if isinstance(node.parent, ast.keyword)
        or called(node) in REDUCTIONS],
    "moving": lambda s, node: [
        (name, name) for name in s.varying(node)
        if up(node, ast.Subscript) and name != s.of(node)],
    **{word: lambda s, node, axis=axis: [
        (s.of(sides[axis, 0]), None) for _, sides in s.widths()][:1]
       for word, axis in (("top", "h"), ("left", "w"))}}
FORMS = [functools.partial(form, *one) for one in forms_of(TABLE)]
