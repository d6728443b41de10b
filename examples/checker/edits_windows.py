"""Edits of where things are: crop, sizes of outputs, windows, loops."""
import ast

import numpy as np

from .edits_padding import called, elements, follow, moving, slices, widths
from .source import statement_of

CROP = "The crop p:-p is empty where p is 0."


def crop(s):
    """A slice a:-b of padded images becomes a:a + size, on both axes."""
    pads = [{axis: s.of(sides[axis, 0]) for axis in "hw"}
            for _, sides in widths(s)][:1]
    found = []
    for node in s.nodes(ast.Subscript):
        pair = slices(node)
        if not pair or moving(s, node):
            continue
        for pad in [{}, *pads]:
            new = {}
            for one, axis in zip(pair, "hw"):
                start = one.lower or getattr(one.upper, "operand", None)
                size = s.named(f"{axis}_prev", node)
                text = pad.get(axis) or (start and s.of(start))
                if text and size:
                    new[one] = f"{text}:{text} + {size}"
            if len(new) == 2:
                changes = [s.change(one, text) for one, text in new.items()]
                yield CROP if "-" in s.of(node.slice) else (
                    "The crop removes the wrong rows and columns."), changes
                if not pad:
                    found += changes
                yield from without_guard(s, node, new)
    if len(found) > 2:
        yield CROP, found
    yield from one_by_one(s)
    for node in s.nodes(ast.Name, ast.Call):    # nothing is cropped
        sized = [s.named(f"{axis}_prev", node) for axis in "hw"]
        if isinstance(node.parent, (ast.Return, ast.Assign, ast.Tuple)) and (
                isinstance(getattr(node, "ctx", ast.Load()), ast.Load)) and (
                all(sized) and s.padded(s.values(node))):
            for pad in pads:
                rows, cols = (f"{pad[axis]}:{pad[axis]} + {size}"
                              for axis, size in zip("hw", sized))
                yield ("dA_prev still has its padding.", [s.change(
                    node, f"{s.of(node)}[:, {rows}, {cols}]")])


def without_guard(s, node, new):
    """Yield a crop without the condition around it."""
    text = s.of(node)
    start = s.source.span(node)[0]
    for one, piece in sorted(new.items(), key=lambda item: -s.source.span(
            item[0])[0]):
        a, b = (place - start for place in s.source.span(one))
        text = text[:a] + piece + text[b:]
    if isinstance(node.parent, ast.IfExp):
        yield CROP, [s.change(node.parent, text)]
    statement = statement_of(node)
    around = statement.parent
    if isinstance(around, ast.If) and around.orelse and len(
            around.body) == 1 == len(around.orelse):
        a, b = (place - s.source.span(statement)[0]
                for place in s.source.span(node))
        whole = s.of(statement)
        yield CROP, [s.change(around, whole[:a] + text + whole[b:])]


def one_by_one(s):
    """Yield the crop of slices that stand alone: a[:, p:-p]; all of them."""
    found = {}
    for node in s.nodes(ast.Slice):
        parts = elements(node.parent)
        if isinstance(getattr(node.upper, "op", None), ast.USub) and (
                node in parts):
            known = s.values(node.parent.parent.value)
            whole = all(np.ndim(value) == 4 for _, value in known)
            axis = "hw"[(parts.index(node) - whole) % 2]
            size, start = s.named(f"{axis}_prev", node), s.of(
                node.upper.operand)
            if size:
                found[node] = s.change(node, f"{start}:{start} + {size}")
    yield CROP, list(found.values())
    for change in found.values():
        yield CROP, [change]


def sizes(s):
    """The size of the output becomes (size - kernel) // stride + 1."""
    if s.name not in ("conv_forward", "pool_forward"):
        return
    pads = [sides for _, sides in widths(s)][:1]
    for node in s.nodes(ast.Call):
        if called(node) not in ("zeros", "empty", "ones") or not node.args:
            continue
        parts = elements(follow(s, node.args[0], node))
        sites = [follow(s, part, node) for part in parts[1:3]]
        if len(parts) != 4:
            continue
        for way in (0, 1, 2):
            changes = []
            for axis, site in zip("hw", sites):
                size, kernel, stride = (s.named(role, site) for role in (
                    f"{axis}_prev", f"k{axis}", f"s{axis}"))
                if s.name == "conv_forward" and way == 0:
                    padded = s.arrays(site, s.padded)
                    size = padded and f"{padded[0]}.shape[{1 + (axis == 'w')}]"
                elif s.name == "conv_forward" and pads and size and way == 1:
                    size += "".join(f" + {s.of(width)}" for (one, _), width
                                    in pads[0].items() if one == axis)
                if size and kernel and stride:
                    changes.append(s.change(
                        site, f"({size} - {kernel}) // {stride} + 1" if way < 2
                        else f"-(-{size} // {stride})"))
            for several in [changes[:1], changes[1:], changes]:
                yield ("The size of the output is not (size - kernel) // "
                       "stride + 1.", several)


WINDOW = {(1, 0): "A window does not start at the output's place times the "
          "stride.", (0, 1): "A window is not as large as the kernel.",
          (1, 1): "A window is not the one of its place in the output."}


def windows(s):
    """A window starts at y * stride and ends a kernel further."""
    found = [(node, slices(node)) for node in s.nodes(ast.Subscript)
             if slices(node) and moving(s, node)]
    for start, end in ((0, 1), (1, 0), (1, 1)):
        for axes in ("h", "w", "hw"):
            every = []
            for node, pair in found:
                changes = {}
                for axis, one in zip("hw", pair):
                    y = s.loop_name(f"{axis}_new", node)
                    kernel, stride = (s.named(role, node) for role in (
                        f"k{axis}", f"s{axis}"))
                    if axis not in axes or not (y and kernel and stride):
                        continue
                    lower = one.lower and follow(s, one.lower, node)
                    upper = one.upper and follow(s, one.upper, node)
                    name = f"{y} * {stride}" if start or not lower else (
                        s.of(lower))
                    if lower is None or upper is None or lower is one.lower:
                        changes[s.source.span(one)] = (
                            f"{name}:{name} + {kernel}" if end or not upper
                            else f"{name}:{s.of(one.upper)}")
                        continue
                    if start:
                        changes[s.source.span(lower)] = name
                    if end:
                        changes[s.source.span(upper)] = (
                            f"{s.of(one.lower)} + {kernel}")
                changes = [(*span, text) for span, text in changes.items()]
                every += [one for one in changes if one not in every]
                yield WINDOW[start, end], changes
            if len(found) > 1:
                yield WINDOW[start, end], every


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
