"""Edits that write what belongs in a place: crop, windows, results."""
import ast
import re

import numpy as np

from .forms import bare
from .padding import moving, padding, slices, widths
from .source import called, elements, up

DEFAULTS = {"padding": '"same"', "stride": "(1, 1)", "mode": "'max'"}


def padded(s, node):
    """Return the names of arrays that are padded images, by their shapes."""
    usual = [[roles[role] for role in ("m", "h_prev", "w_prev", "c_prev")]
             for _, roles, _ in s.known(node)]
    return [name for name in s.arrays(node) for shapes in [[
        [*names[name][0].shape] for *_, names in s.known(node)]]
        if shapes != usual and [shape[::3] for shape in shapes] == [
            shape[::3] for shape in usual]]


def crop(s):
    """A crop of padded images is as large as the image, on both axes."""
    pads = [{axis: s.of(sides[axis, 0]) for axis in "hw"}
            for _, sides in widths(s)][:1]
    for node in s.nodes(ast.Slice):
        parts = elements(node.parent)
        if node not in parts or not (node.lower or node.upper):
            continue
        subscript = node.parent.parent
        if slices(subscript) and moving(s, subscript):
            continue
        both = slices(subscript) or []
        known = [value for _, value in s.values(subscript.value)]
        place = both.index(node) if both else (parts.index(node) - all(
            np.ndim(value) == 4 for value in known)) % 2
        size = s.named(f"{'hw'[place]}_prev", node)
        start = node.lower or getattr(node.upper, "operand", None)
        for text in [*[pad["hw"[place]] for pad in pads],
                     *map(s.of, [start] if start else [])] if size else ():
            new = f"{text}:{text} + {size}"
            yield "The crop p:-p is empty where p is 0." if isinstance(
                node.upper, ast.UnaryOp) else (
                "The crop removes the wrong rows and columns."), node, new, (
                "crop", bool(start) and text == s.of(start))
    for node in s.nodes(ast.IfExp):
        for part in (node.body, node.orelse):
            if slices(part):
                yield "The crop needs no condition.", node, s.of(part), "if"
    for node in s.nodes(ast.If):
        for body in (node.body, node.orelse):
            if len(body) == 1:
                yield "This needs no condition.", node, s.of(body[0]), "if"
    for node in s.nodes(ast.Name):
        sized = [s.named(f"{axis}_prev", node) for axis in "hw"]
        if isinstance(node.parent, (ast.Return, ast.Assign, ast.Tuple)) and (
                all(sized) and node.id in padded(s, node)):
            for pad in pads:
                yield "dA_prev still has its padding.", node, (
                    s.of(node) + "[:, " + ", ".join(
                        f"{pad[axis]}:{pad[axis]} + {size}"
                        for axis, size in zip("hw", sized)) + "]"), None


def windows(s):
    """A window starts at y * stride and ends a kernel further."""
    for node in s.nodes(ast.Subscript):
        for axis, one in zip("hw", slices(node) or []):
            y = s.counter(f"{axis}_new", node)
            kernel, stride = (s.named(role, node) for role in (
                f"k{axis}", f"s{axis}"))
            if not (y and kernel and stride):
                continue
            starts, ends = f"{y} * {stride}", one.lower and (
                f"{s.of(one.lower)} + {kernel}")
            for part, new in ((one.lower, starts), (one.upper, ends)):
                site = part and s.follow(part)
                if site and new:
                    yield "A window is not at its place.", site, new, (
                        "window", new is starts)
            yield "A window is not at its place.", one, (
                f"{starts}:{starts} + {kernel}"), "window"
    for node in s.nodes(ast.For):
        for call in ast.walk(node.iter):
            if called(call) == "range":
                for role in ("m", "h_new", "w_new", "c_prev", "c_new"):
                    text = s.named(role, node)
                    if text:
                        yield "A loop has another range than it should.", (
                            call), f"range({text})", None


def results(s):
    """What is assigned or returned lacks something: a bias, a factor."""
    for node in s.nodes(ast.Return, ast.Assign, ast.AugAssign, ast.Call):
        value = getattr(node, "value", None)
        if called(node) == s.given.get("activation", ""):
            value = node.args[0]
        if value is None or up(node, ast.FunctionDef) is not s.main:
            continue
        at = [s.counter(role, node) for role in ("m", "h_new", "w_new")] + [
            s.counter("c_new", node) or s.counter("c_prev", node)]
        known = {**s.given, "x": s.of(value), "loose": bare(
            s, value, ast.UnaryOp()), "at": ", ".join(at) if all(at) else None,
            **{role: s.named(role, node) for role in ("kh", "kw")}}
        known["loss"] = known.get("dZ", known.get("dA"))
        known = {key: text for key, text in known.items() if text}
        parts = elements(value)[2:] if isinstance(node, ast.Return) else []
        factors = [one for part in ast.walk(value) if isinstance(
            part, ast.BinOp) for one in (part.left, part.right)]
        for names, text, sentence, sites in (
                ("conv_forward", "{x} + {b}", "The bias is forgotten.",
                 [value]),
                ("conv_forward", "{activation}({x})",
                 "The activation is forgotten.", [value]),
                ("conv_forward", "{activation}({x} + {b})",
                 "The bias and the activation are forgotten.", [value]),
                ("pool_forward pool_backward", "{loose} / ({kh} * {kw})",
                 "The mean is not divided by kh * kw.", [value]),
                ("conv_backward pool_backward", "{loose} * {loss}[{at}]",
                 "The factor of this output is missing.", [value]),
                ("conv_backward pool_backward", "{loss}[{at}]",
                 "The factor of this output is another.", factors),
                ("conv_backward", "np.sum({dZ}, axis=(0, 1, 2), "
                 "keepdims=True)", "db is not the sum of dZ that keeps its "
                 "axes.", [*parts, *map(s.follow, parts)])):
            if s.name in names and all(key in known for key in re.findall(
                    r"{(\w+)}", text)):
                for site in sites:
                    yield sentence, site, text.format(**known), None


def given(s):
    """An argument: its default, a copy of it, or its turned kernel."""
    every, body = s.main.args, s.main.body
    for i, one in enumerate(every.args):
        default = next((text for name, text in DEFAULTS.items()
                        if s.given.get(name) == one.arg), None)
        known = i + len(every.defaults) - len(every.args)
        end = s.span(one)[1]
        if default:
            yield "A default is missing or wrong.", [
                s.put(every.defaults[known], default) if known >= 0 else
                (end, end, f"={default}")], None
        elif i < 4:
            yield "An input is changed in place: work on a copy.", [s.before(
                body[min(1, len(body) - 1)], f"{one.arg} = {one.arg}.copy()"
                )], None
    for node in s.nodes(ast.Call):
        if called(node) in ("zeros", "zeros_like", "empty") and node.args:
            for name in s.arrays(node):
                yield "This array has not the shape that it should.", [
                    s.put(node.args[0], f"{name}.shape"), s.put(
                        node.func, "np.zeros")], None
    for node in s.nodes(ast.Subscript):
        parts = elements(node.slice)
        if any(s.of(part) == ":" for part in parts):
            yield ("NumPy 2.4 no longer accepts an array of one element for a "
                   "number.", node, f"{s.of(node.value)}[" + ", ".join(
                       s.of(part).replace(":", "0") for part in parts) + "]",
                   None)
    for node in s.nodes(ast.Name):
        if node.id == s.given.get("W") and isinstance(node.ctx, ast.Load):
            yield "The kernel must be turned here.", node, (
                f"{node.id}[::-1, ::-1]"), None


EDITS = (crop, padding, results, given, windows)
