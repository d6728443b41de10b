"""Edits of names: a size, an array, an index or an order for another."""
import ast
import itertools

import numpy as np

from .edits_padding import called, elements
from .scene import alike
from .source import statement_of

WORDS = {"h_prev": "the height of the image", "kh": "the kernel's height",
         "w_prev": "the width of the image", "kw": "the kernel's width",
         "sh": "the stride of the rows", "sw": "the stride of the columns",
         "h_new": "the height of the output", "c_prev": "the number of "
         "channels", "w_new": "the width of the output", "m": "the number of "
         "images", "c_new": "the number of kernels"}
PAIRS = [("kh", "kw"), ("sh", "sw"), ("h_prev", "w_prev"), ("h_new", "w_new"),
         ("kh", "sh"), ("kw", "sw"), ("h_new", "h_prev"), ("w_new", "w_prev"),
         ("c_prev", "c_new")]
SIZES = (ast.Name, ast.Subscript)


def names(s):
    """One size, or the variable of a loop, stands where another belongs."""
    uses = []
    for node in s.nodes(*SIZES):
        if isinstance(node.ctx, ast.Load) and not isinstance(
                node.parent, (ast.Attribute, ast.Call)
                if isinstance(node.parent, ast.Call) and node.parent.func
                is node else ast.Attribute):
            roles, counted = s.roles(node), None
            if isinstance(node, ast.Name) and not roles:
                counted = s.counter(node)
            uses.append((node, roles, counted))
    for pair in PAIRS:
        for old, new in (pair, pair[::-1]):
            found = []
            for node, roles, counted in uses:
                text = s.named(new, node) if old in roles else (
                    s.loop_name(new, node) if counted == old else None)
                if text and text != s.of(node):
                    found.append((node, s.change(node, text)))
            text = f"{WORDS[old]} stands where {WORDS[new]} belongs."
            text = text[0].upper() + text[1:]
            yield from grouped(found, text)


def grouped(found, sentence):
    """Yield changes one by one, those of a statement, and all."""
    groups = {}
    for node, change in found:
        yield sentence, [change]
        groups.setdefault(statement_of(node), []).append(change)
        around = [node.parent, node.parent.parent, node.parent.parent.parent]
        for one in around:
            if isinstance(one, ast.Slice) or one is around[1] and isinstance(
                    one, ast.BinOp):
                groups.setdefault(one, []).append(change)
    for several in groups.values():
        if len(several) > 1:
            yield sentence, several
    if len(found) > 1:
        yield sentence, [change for _, change in found]


def axes(s):
    """Kernel for stride, or output for image, on both axes at once."""
    for words in (("k{}", "s{}"), ("s{}", "k{}"), ("{}_prev", "{}_new"),
                  ("{}_new", "{}_prev"), ("{}_new", "k{}")):
        found = []
        for node in s.nodes(*SIZES):
            for axis in "hw" if isinstance(node.ctx, ast.Load) else "":
                old, new = (word.format(axis) for word in words)
                text = s.named(new, node)
                if old in s.roles(node) and text:
                    found.append((node, s.change(node, text)))
        sentence = (f"{WORDS[old]} and the like stand where {WORDS[new]} and "
                    "the like belong.")
        yield from grouped(found, sentence[0].upper() + sentence[1:])
        for (one, a), (two, b) in zip(found, found[1:]):
            if statement_of(one) is not statement_of(two):
                yield sentence[0].upper() + sentence[1:], [a, b]


def others(s):
    """A name of the other axis belongs here: ph for pw, pad[0] for pad[1]."""
    found = {}
    for node in s.nodes(*SIZES):
        if not isinstance(node.ctx, ast.Load) or not isinstance(
                node.parent, (ast.BinOp, ast.UnaryOp, ast.Slice, ast.Tuple,
                              ast.Call)) or s.roles(node):
            continue
        if isinstance(node, ast.Subscript):
            if getattr(node.slice, "value", None) in (0, 1):
                new = f"{s.of(node.value)}[{1 - node.slice.value}]"
                found.setdefault((s.of(node), new), []).append(
                    (node, s.change(node, new)))
            continue
        known = s.known(node)
        numbers = [set(name for name, (value, low, high) in names.items()
                       if isinstance(value, (int, np.integer))
                       and low == high) for _, _, names in known]
        for name in sorted(set.intersection(*numbers) if numbers else ()):
            if node.id in set.union(*numbers) and name != node.id and not (
                    alike([(roles, names[name][0])
                           for _, roles, names in known])):
                found.setdefault((node.id, name), []).append(
                    (node, s.change(node, name)))
    for several in found.values():
        yield from grouped(several, "A name of one axis stands where that of "
                           "the other belongs.")


def arrays(s):
    """One array stands where another belongs."""
    for node in s.nodes(ast.Name):
        found = s.values(node)
        if not isinstance(node.ctx, ast.Load) or not found or not isinstance(
                found[0][1], np.ndarray):
            continue
        for name in s.arrays(node, lambda others: all(
                other.ndim == array.ndim for (_, other), (_, array) in zip(
                    others, found))):
            if name != node.id:
                yield ("An array stands where another belongs.",
                       [s.change(node, name)])
    for node in s.nodes(ast.Call):
        if called(node) in ("zeros", "empty", "ones", "zeros_like") and (
                node.args):
            for name in s.arrays(node, lambda others: True):
                new = name if called(node) == "zeros_like" else (
                    f"{name}.shape")
                yield ("The array of a gradient has not the shape of what it "
                       "is the gradient of.", [s.change(node.args[0], new)])
            if called(node) == "zeros" and s.name[:4] == "pool" and (
                    not node.keywords):
                yield "A maximum does not start at 0.", [s.change(
                    node, f"np.full({s.of(node.args[0])}, -np.inf)")]
            if called(node) in ("empty", "ones"):
                yield ("Sums do not start at 0.", [s.change(
                    node.func, s.of(node.func).replace(called(node),
                                                       "zeros"))])
        if called(node) == "copy" or called(node) == "array":
            text = s.of(node.args[0] if node.args else node.func.value)
            yield "Sums do not start at 0.", [s.change(
                node, f"np.zeros({text}.shape)")]
    for node in s.nodes(ast.Assign):
        if isinstance(node.value, ast.Name) and s.values(node.value) and (
                isinstance(s.values(node.value)[0][1], np.ndarray)):
            yield "Sums do not start at 0.", [s.change(
                node.value, f"np.zeros({s.of(node.value)}.shape)")]


def neighbours(s):
    """Two neighbours are in the wrong order."""
    for node in s.nodes(ast.Tuple, ast.Call, ast.List):
        parts = node.args if isinstance(node, ast.Call) else node.elts
        for a, b in itertools.combinations(range(len(parts)), 2):
            one, two = parts[a], parts[b]
            if s.of(one) != s.of(two) and (b == a + 1 or len(parts) == 3):
                yield (f"`{s.of(one)[:30]}` and `{s.of(two)[:30]}` are "
                       "swapped.", [
                           s.change(one, s.of(two)), s.change(two, s.of(one))])


def indexes(s):
    """An index is another one, or is missing."""
    for node in s.nodes(ast.Subscript):
        parts = elements(node.slice) or [node.slice]
        loops = [target for loop in s.ancestors(node) if isinstance(
            loop, ast.For) for target in elements(loop.target) or [
            loop.target] if isinstance(target, ast.Name)]
        for part in parts:
            for loop in loops:
                if s.of(part) != loop.id and isinstance(
                        part, (ast.Constant, ast.Name)) and (
                        not s.roles(part) or isinstance(part, ast.Constant)):
                    yield (f"Another index belongs here: `{loop.id}`.",
                           [s.change(part, loop.id)])
                elif isinstance(part, ast.Slice) and not (
                        part.lower or part.upper):
                    yield (f"Another index belongs here: `{loop.id}`.",
                           [s.change(part, loop.id)])
            if isinstance(part, ast.Slice) and part.lower:
                start = s.source.span(part)[0]
                yield "An axis is missing: `:`.", [(start, start, ":, ")]
            if isinstance(part, ast.Name) and len(parts) > 1:
                yield "All of this axis belong here: `:`.", [
                    s.change(part, ":")]
        if elements(node.slice):
            end = s.source.span(parts[-1])[1]
            for loop in loops:
                yield f"The index `{loop.id}` is missing.", [
                    (end, end, f", {loop.id}")]
        found = s.values(node.value) or s.values(node)
        if found and isinstance(found[0][1], np.ndarray) and any(
                isinstance(part, ast.Slice) for part in parts):
            yield ("NumPy 2.4 no longer accepts an array of one element for a "
                   "number.", [s.change(node.slice, ", ".join(
                       "0" if isinstance(part, ast.Slice) else s.of(part)
                       for part in parts))])
