"""Edits of what is computed: names, operations, signs, axes, order."""
import ast
import itertools

import numpy as np

from .edits_places import called, elements, follow, function_of
from .scene import alike
from .source import statement_of

WORDS = {"h_prev": "the height of the image", "kh": "the kernel's height",
         "w_prev": "the width of the image", "kw": "the kernel's width",
         "sh": "the stride of the rows", "sw": "the stride of the columns",
         "h_new": "the height of the output", "c_prev": "the channels of "
         "A_prev", "w_new": "the width of the output", "m": "the number of "
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
    for (old, new), several in found.items():
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
            if called(node) == "zeros" and s.name[:4] == "pool":
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


def sums(s):
    """`=` where `+=` belongs, or the other way."""
    for kind, sentence in (
            (ast.Assign, "`=` forgets what earlier windows gave: `+=` adds."),
            (ast.AugAssign, "`+=` adds to what is there: `=` belongs here.")):
        found = []
        for node in s.nodes(kind):
            target = node.targets[0] if kind is ast.Assign else node.target
            if kind is ast.Assign and isinstance(target, ast.Name) and not (
                    isinstance(node.parent, ast.For) and any(
                        s.of(one.targets[0]) == target.id
                        and called(one.value) in ("zeros", "zeros_like")
                        for one in s.nodes(ast.Assign))):
                continue
            start, end = s.source.span(target)[1], s.source.span(
                node.value)[0]
            operator = s.source.text[start:end]
            new = operator.replace("=", "+=") if kind is ast.Assign else (
                operator.replace("+=", "=").replace("-=", "+="))
            found.append((node, (start, end, new)))
        yield from grouped(found, sentence)


def dropped(s):
    """An operand, or a function, that is not asked for is left out."""
    for node in s.nodes(ast.BinOp):
        for kept, gone in ((node.left, node.right), (node.right, node.left)):
            side = "left" if kept is node.left else "right"
            text = s.of(gone)
            sentence = f"`{text}` does not belong into the computation."
            if isinstance(node.op, ast.Div):
                sentence = "It is divided by what it should not be."
                if "m" in s.roles(gone):
                    sentence = "It is divided by m, the number of images."
                if side == "right":
                    continue
            elif getattr(gone, "value", None) in (1, 2):
                sentence = f"`{text}` is too much."
            for changes in s.both(node, bare(s, kept, node.parent), lambda twin:
                                  bare(s, getattr(twin, side), twin.parent)):
                yield sentence, changes
    for node in s.nodes(ast.Call):
        for i, kept in enumerate(node.args[:2]):
            if called(node) in ("zeros", "range", "zeros_like", "pad"):
                continue
            for changes in s.both(node, bare(s, kept, node.parent), lambda twin:
                                  bare(s, twin.args[i], twin.parent)):
                yield f"`{called(node)}` is not asked for.", changes
        if isinstance(node.func, ast.Attribute) and not isinstance(
                node.func.value, ast.Name):
            yield f"`{called(node)}` is not asked for.", [
                s.change(node, s.of(node.func.value))]
        elif called(node) in ("astype", "transpose", "round", "clip"):
            yield f"`{called(node)}` is not asked for.", [
                s.change(node, s.of(node.func.value))]
        for word in node.keywords:
            if word.arg == "dtype":
                start = s.source.span(node.args[-1])[1]
                yield "Results are truncated to integers.", [
                    (start, s.source.span(word.value)[1], "")]
            elif word.arg == "mode":
                yield ("The padding repeats or mirrors the image: zeros "
                       "belong there.", [s.change(word.value, '"constant"')])
            elif word.arg == "axis":
                for axis in (0, 1, 2, 3):
                    yield (f"`{called(node)}` works along another axis.",
                           [s.change(word.value, str(axis))])
        if called(node) == "pad":
            for mode in node.args[2:]:
                yield ("The padding repeats or mirrors the image: zeros "
                       "belong there.", [s.change(mode, '"constant"')])
    for node in s.nodes(ast.UnaryOp):
        yield "A sign is wrong.", [s.change(node, bare(s, node.operand))]
    for node in s.nodes(ast.Subscript):
        parts = elements(node.slice) or [node.slice]
        if any(isinstance(part, ast.Slice) and part.step for part in parts):
            yield ("The kernel is turned: the definition does not flip it.",
                   [s.change(node, s.of(node.value))])
            rest = ", ".join(":" if isinstance(part, ast.Slice) and part.step
                             else s.of(part) for part in parts)
            yield ("The kernel is turned: the definition does not flip it.",
                   [s.change(node, f"{s.of(node.value)}[{rest}]")])
    for node in s.nodes(ast.Name):
        if node.id == s.given.get("W") and isinstance(
                node.ctx, ast.Load) and not isinstance(
                node.parent, ast.Attribute):
            yield ("The kernel must be turned here.", [s.change(
                node, f"{node.id}[::-1, ::-1]")])
    for node in s.nodes(ast.AugAssign):
        if isinstance(node.op, (ast.Div, ast.FloorDiv, ast.Mult)):
            sentence = "It is divided by m, the number of images." if (
                "m" in s.roles(node.value)) else (
                "A result is scaled, which is not asked for.")
            start, end = s.source.span(node)
            yield sentence, [(start, end, "pass")]


def bare(s, node, around=True):
    """Return an operand's text, in parentheses where it needs them.

    around: what it is to be in; an assignment, a call or an index need none.
    """
    plain = isinstance(node, (ast.Name, ast.Call, ast.Subscript, ast.Constant,
                              ast.Attribute)) or isinstance(
        around, (ast.Assign, ast.AugAssign, ast.Return, ast.Tuple, ast.Call,
                 ast.Slice))
    return s.of(node) if plain else f"({s.of(node)})"


OTHERS = {"minimum": ["maximum"], "argmax": ["max"], "median": ["mean"],
          "any": ["all"], "sum": ["mean"], "mean": ["sum", "max"], "average": ["sum"],
          "max": ["mean", "sum"], "amax": ["mean"], "min": ["max"],
          "argmin": ["argmax"], "multiply": ["dot"], 
          "round": ["ceil", "floor"], "floor": ["ceil"], "ceil": ["floor"]}


def functions(s):
    """Another function of NumPy belongs here: a mean for a sum, say."""
    for node in s.nodes(ast.Call):
        for other in OTHERS.get(called(node), []):
            for changes in s.both(node.func, swapped(s, node.func, other),
                                  lambda twin: swapped(s, twin, other)):
                yield f"`{called(node)}` stands where `{other}` belongs.", changes


def factors(s):
    """A factor is missing or another one: the gradient, or 1 / (kh * kw)."""
    if s.name not in ("pool_backward", "conv_backward", "pool_forward"):
        return
    loss = s.given.get("dZ", s.given.get("dA"))
    for node in s.nodes(ast.AugAssign, ast.Assign, ast.BinOp, ast.Call):
        value = getattr(node, "value", None)
        kernel = [s.named(role, node) for role in ("kh", "kw")]
        if value and all(kernel) and s.name[:4] == "pool" and not isinstance(
                node, ast.Call):
            for text in ("({} * {})".format(*kernel), *kernel):
                yield "The mean is not divided by kh * kw.", [s.change(
                    value, f"{bare(s, value)} / {text}")]
        index = [s.loop_name(role, node) for role in ("m", "h_new", "w_new")]
        last = s.loop_name("c_new", node) or s.loop_name("c_prev", node)
        if isinstance(node, ast.AugAssign) and loss and all(index) and last:
            yield ("A factor is missing: the gradient at this output.", [
                s.change(value, f"{bare(s, value)} * "
                         f"{loss}[{', '.join([*index, last])}]")])
        parts = (node.left, node.right) if isinstance(
            node, ast.BinOp) and isinstance(node.op, ast.Mult) else getattr(
            node, "args", [])[:2] if called(node) == "multiply" else []
        if loss and all(index) and last:
            for part in parts:
                yield ("A factor is not the gradient at this output.", [
                    s.change(part, f"{loss}[{', '.join([*index, last])}]")])
    for node in s.nodes(ast.Compare):
        for part in node.comparators:
            if called(part) in ("max", "amax") and s.of(part.func).count(
                    ".") and part.args:
                yield ("The maximum is not that of the window.", [
                    s.change(part.args[0], s.of(node.left))])


def reductions(s):
    """A sum, mean or maximum is taken over other axes."""
    for node in s.nodes(ast.Call):
        word = next((word for word in node.keywords if word.arg == "axis"
                     and isinstance(word.value, ast.Tuple)), None)
        if word or called(node) in ("max", "amax", "mean", "sum", "min") and (
                isinstance(node.func, ast.Attribute) and not node.keywords):
            for axes in ("(1, 2)", "(1, 2, 3)", "(0, 1, 2)", "(0, 1)",
                         "(3, 4)"):
                end = s.source.span(node)[1] - 1
                yield f"`{called(node)}` is taken over the wrong axes.", [
                    s.change(word.value, axes) if word else (
                        end, end, ", " * bool(node.args) + f"axis={axes}")]


def swapped(s, func, other):
    """Return the text of a function with another last name."""
    return s.of(func).rpartition(".")[0] + "." * isinstance(
        func, ast.Attribute) + other


def operations(s):
    """Another operation belongs here."""
    new = {ast.Add: "-*", ast.Sub: "+", ast.FloorDiv: "/", ast.Mult: "/+",
           ast.Div: "*"}
    for node in s.nodes(ast.BinOp):
        if type(node.op) in new:
            start, end = s.source.span(node.left)[1], s.source.span(
                node.right)[0]
            old = s.source.text[start:end]
            sign = next(sign for sign in ("//", "*", "/", "+", "-")
                        if sign in old)
            for other in new[type(node.op)]:
                yield ("`//` drops the remainder: `/` keeps it."
                       if sign == "//" else f"`{sign}` stands where `{other}` "
                       "belongs.", [(start, end, old.replace(sign, other))])
    for node in s.nodes(ast.Compare):
        start, end = s.source.span(node.left)[1], s.source.span(
            node.comparators[0])[0]
        for sign in ("==", "!=", "<", "<=", ">", ">="):
            if s.source.text[start:end].strip() != sign:
                yield f"`{sign}` belongs into this comparison.", [
                    (start, end, f" {sign} ")]
    for node in s.nodes(ast.BoolOp):
        start, end = s.source.span(node.values[0])[1], s.source.span(
            node.values[1])[0]
        word = "or" if isinstance(node.op, ast.And) else "and"
        yield f"`{word}` belongs between these conditions.", [
            (start, end, f" {word} ")]
    for node in s.nodes(ast.Assign):
        if isinstance(node.value, ast.BinOp):
            yield "This must not be negative.", [s.change(
                node.value, f"max({s.of(node.value)}, 0)")]
        if getattr(node.value, "value", None) == 0:
            yield "A maximum does not start at 0.", [s.change(
                node.value, "-np.inf")]
    for node in s.nodes(ast.Call):
        if called(node) in ("isclose", "allclose") and len(node.args) > 1:
            a, b = (bare(s, part) for part in node.args[:2])
            yield "The mask takes nearly equal pixels for the maximum.", [
                s.change(node, f"({a} == {b})")]


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


def loops(s):
    """A loop runs over another range."""
    for node in s.nodes(ast.For):
        if called(node.iter) != "range":
            continue
        for role in ("m", "h_new", "w_new", "c_prev", "c_new"):
            text = s.named(role, node)
            if text and f"range({text})" != s.of(node.iter):
                yield "A loop runs over another range than it should.", [
                    s.change(node.iter, f"range({text})")]


def blocks(s):
    """A statement stands inside a loop, or before it is its turn."""
    for node in s.nodes(ast.stmt):
        loop = node.parent
        body = getattr(loop, "body", [])
        if isinstance(loop, (ast.For, ast.If)) and body[-1] is node and (
                len(body) > 1 or not isinstance(loop, ast.If)):
            lines = s.source.lines[node.lineno - 1:node.end_lineno]
            step = len(s.source.indent(node)) - len(s.source.indent(loop))
            start = s.source.starts[node.lineno - 1]
            end = s.source.starts[node.end_lineno]
            word = "`return` stands" if isinstance(node, ast.Return) else (
                "A statement stands")
            for _ in range(4):
                if not isinstance(loop, (ast.For, ast.If)):
                    break
                yield f"{word} inside a loop.", [(start, end, "".join(
                    line[step:] if line.strip() else line for line in lines))]
                if loop.parent.body[-1] is not loop:
                    break
                step += len(s.source.indent(loop)) - len(
                    s.source.indent(loop.parent))
                loop = loop.parent
        if isinstance(node, ast.Assign) and isinstance(
                loop, ast.For) and called(node.value) in ("zeros",
                                                          "zeros_like"):
            while isinstance(loop.parent, ast.For):
                loop = loop.parent
            yield "Sums start at 0 again inside the loop.", [
                s.source.before(loop, s.of(node)), s.change(node, "pass")]


SIGNATURES = {"padding": '"same"', "stride": "(1, 1)", "mode": "'max'"}


def words(s):
    """A default, or a word that is compared, is another."""
    every = {"padding": ["'same'", "'valid'"], "mode": ["'max'", "'avg'"]}
    for key, default in SIGNATURES.items():
        if key not in s.given:
            continue
        given = s.main.args
        at = [one.arg for one in given.args].index(s.given[key])
        known = len(given.defaults) - len(given.args) + at
        if known >= 0:
            yield "A default is wrong.", [s.change(given.defaults[known],
                                                   default)]
        else:
            end = s.source.span(given.args[at])[1]
            yield "A default is missing.", [(end, end, f"={default}")]
    for node in s.nodes(ast.Compare):
        for part in node.comparators:
            if isinstance(getattr(part, "value", None), str):
                for word in every["padding" if s.name[:4] == "conv" else
                                  "mode"]:
                    yield "Another word is passed than is compared.", [
                        s.change(part, word)]


def results(s):
    """The bias, the activation, the sum for db, and what is returned."""
    b, activation = s.given.get("b"), s.given.get("activation")
    for node in s.nodes(ast.Call):
        if called(node) == activation and node.args:
            text = f"{bare(s, node.args[0])} + {b}"
            yield "The bias is forgotten.", [s.change(node.args[0], text)]
            if isinstance(node.parent, ast.BinOp):
                yield "The bias is added after the activation.", [
                    s.change(node.parent, f"{activation}({text})")]
    for node in s.nodes(ast.Return):
        if function_of(node) is not s.main or node.value is None:
            continue
        if activation:
            text = s.of(node.value)
            yield "The activation is forgotten.", [
                s.change(node.value, f"{activation}({text})")]
            yield "The bias and the activation are forgotten.", [
                s.change(node.value, f"{activation}({bare(s, node.value)} "
                         f"+ {b})")]
            yield "The bias is forgotten.", [
                s.change(node.value, f"{text} + {b}")]
        if s.name == "conv_backward" and len(elements(node.value)) == 3:
            db, dZ = node.value.elts[2], s.given["dZ"]
            new = f"np.sum({dZ}, axis=(0, 1, 2), keepdims=True)"
            for site in (db, follow(s, db, node)):
                text = s.of(site)
                sentence = "db is not the sum of dZ over all but the kernels."
                if called(site) == "sum" and "keepdims" not in text:
                    sentence = "db has lost its axes."
                yield sentence, [s.change(site, new)]
    for name in list(s.given.values())[:3]:
        yield "An input is changed in place: work on a copy.", [
            s.source.before(first(s.main), f"{name} = {name}.copy()")]


def first(function):
    """Return the first statement of a function after its docstring."""
    body = function.body
    return body[1] if len(body) > 1 and isinstance(
        body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) else (
        body[0])
