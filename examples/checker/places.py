"""Edits that write what belongs in a place: padding, crop, sizes, results.

As in edits.py; but what is written is the formula, with the student's names.
"""
import ast

import numpy as np

from .edits import around, bare
from .scene import called, elements, up

RULES = ("size", "floor", "keras")
PADDING = 'The padding of "same" follows none of the rules in use.'
CROP = "The crop removes the wrong rows and columns: p:-p is empty for p = 0."
DEFAULTS = {"padding": '"same"', "stride": "(1, 1)", "mode": "'max'"}


def slices(node):
    """Return the rows' and the columns' slice of a subscript, or None."""
    found = [part for part in elements(getattr(node, "slice", None))
             if isinstance(part, ast.Slice) and (part.lower or part.upper)]
    return found if len(found) == 2 else None


def moving(s, node):
    """Tell whether a subscript's slices move with a loop over the output."""
    return any(
        isinstance(part, ast.Name) and part.id in counters
        for loop in around(node, ast.For)
        for counters in [{one.id for one in ast.walk(loop.target)
                          if isinstance(one, ast.Name)}
                         - {s.counter("m", node)}]
        for one in slices(node) for bound in (one.lower, one.upper) if bound
        for part in ast.walk(s.follow(bound)))


def widths(s):
    """Yield where images are padded: a node, and {("h", 0): rows above, ...}.

    That is np.pad, or the slice of zeros into which the image is written.
    """
    for node in s.nodes(ast.Call, ast.Subscript):
        pair = ()
        if called(node) == "pad":
            table = [*node.args[1:2], *[word.value for word in node.keywords
                                        if word.arg == "pad_width"]]
            parts = elements(s.follow(table[0])) if table else []
            first = int(len(parts) == 4)
            pair = [elements(s.follow(part))
                    for part in parts[first:first + 2]]
        elif isinstance(node, ast.Subscript) and slices(node) and isinstance(
                node.ctx, ast.Store) and not moving(s, node):
            pair = [[one.lower] * bool(one.lower) for one in slices(node)]
        if len(pair) == 2 and all(pair):
            yield node, {(axis, side): width for axis, row in zip("hw", pair)
                         for side, width in enumerate(row)}


def formula(s, rule, axis, side, node):
    """Return the zeros of a side under a rule of "same", as text, or None."""
    size, kernel, stride = (s.named(role, node) for role in (
        f"{axis}_prev", f"k{axis}", f"s{axis}"))
    if size and kernel and stride:
        if rule == "keras":
            total = (f"max((-(-{size} // {stride}) - 1) * {stride} + {kernel} "
                     f"- {size}, 0)")
            return f"({total} + 1) // 2" if side else f"{total} // 2"
        total = f"({size} - 1) * {stride} + {kernel} - {size}"
        return f"({total} + 1) // 2" if rule == "size" else f"({total}) // 2"


def halves(s, site):
    """Return a half of what a width is a half of: rounded up, and down."""
    whole = next((part.left for part in ast.walk(site) if isinstance(
        part, ast.BinOp) and isinstance(part.op, (ast.Div, ast.FloorDiv))
        and getattr(part.right, "value", None) == 2), site)
    return [f"({s.of(whole)} + 1) // 2", f"({s.of(whole)}) // 2"]


def padding(s):
    """The zeros on each side become those of a rule, on both axes."""
    word = s.given.get("padding", "padding")
    for anchor, sides in widths(s):
        sites = {key: s.follow(node) for key, node in sides.items()}
        for where in (sites, sides):
            every = [{key: formula(s, rule, *key, site)
                      for key, site in where.items()} for rule in RULES]
            every += [{key: halves(s, site)[i] for key, site in where.items()}
                      for i in (0, 1) if where is sites]
            always = all("valid" in s.kinds(site) for site in where.values())
            end = f' if {word} == "same" else 0' * always
            sentence = "padding is not looked at." if always else PADDING
            for texts in every:
                changes = replaced(s, where, texts, end)
                if changes:
                    yield sentence, changes, None
        names = {key: node.id for key, node in sides.items()
                 if isinstance(node, ast.Name)}
        for rule in RULES * (len(names) == len(sides)):
            texts = {name: formula(s, rule, *key, anchor)
                     for key, name in reversed(names.items())}
            end = f' if {word} == "same" else 0' * (
                "valid" in s.kinds(anchor))
            if all(texts.values()):
                yield PADDING, [s.before(up(anchor, ast.stmt), *[
                    f"{name} = {text}{end}"
                    for name, text in texts.items()])], None


def replaced(s, where, texts, end):
    """Return the change of each width, or None if they contradict."""
    spans = {}
    for key, site in where.items():
        if texts[key] is None:
            return None
        spans.setdefault(s.span(site), []).append((key, texts[key], site))
    changes = []
    for span, found in spans.items():
        several = list(dict.fromkeys(text + end for _, text, _ in found))
        if len({axis for (axis, _), *_ in found}) > 1:   # a, b = helper()
            site = up(found[0][2], ast.stmt)
            if not isinstance(site, ast.Assign) or len(several) != len(
                    elements(site.targets[0])):
                return None
        elif len(several) > 1:
            return None     # the two sides of an axis are one name
        changes.append((*span, ", ".join(several)))
    return changes


def padded(value, roles):
    """Tell whether an array has the shape of padded images."""
    usual = [roles[role] for role in ("m", "h_prev", "w_prev", "c_prev")]
    return value.ndim == 4 and [value.shape[0], value.shape[3]] == [
        usual[0], usual[3]] and [*value.shape] != usual


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
                     *[s.of(start)] * bool(start)] if size else ():
            new = f"{text}:{text} + {size}"
            yield CROP, node, new, ("crop", text == s.of(start or node))
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
                all(sized) and node.id in s.arrays(node, padded)):
            for pad in pads:
                yield "dA_prev still has its padding.", node, (
                    s.of(node) + "[:, " + ", ".join(
                        f"{pad[axis]}:{pad[axis]} + {size}"
                        for axis, size in zip("hw", sized)) + "]"), None


def sizes(s):
    """The size of the output becomes (size - kernel) // stride + 1."""
    pads = [sides for _, sides in widths(s)][:1]
    for node in s.nodes(ast.Call):
        parts = elements(s.follow(node.args[0])) if node.args and called(
            node) in ("zeros", "empty", "ones") else []
        if len(parts) != 4 or s.name[5:] != "forward":
            continue
        for way in range(3 if s.name[:4] == "conv" else 1):
            for axis, part in zip("hw", parts[1:3]):
                site = s.follow(part)
                size, kernel, stride = (s.named(role, site) for role in (
                    f"{axis}_prev", f"k{axis}", f"s{axis}"))
                if s.name[:4] == "conv" and way == 0:
                    size = next((f"{name}.shape[{1 + (axis == 'w')}]"
                                 for name in s.arrays(site, padded)), None)
                elif pads and size and way == 1:
                    size += "".join(f" + {s.of(width)}" for (one, _), width
                                    in pads[0].items() if one == axis)
                if size and kernel and stride:
                    yield ("The size of the output is not (size - kernel) // "
                           "stride + 1.", site,
                           f"({size} - {kernel}) // {stride} + 1" if way < 2
                           else f"-(-{size} // {stride})", ("size", way))


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
                            call), f"range({text})", role[0] * 0 + role[1:]


def results(s):
    """The bias, the activation, the sum for db, defaults, and copies."""
    b, activation = s.given.get("b"), s.given.get("activation")
    for node in s.nodes(ast.Call, ast.Return, ast.Assign, ast.AugAssign):
        if called(node) == activation and activation and node.args:
            text = f"{bare(s, node.args[0])} + {b}"
            yield "The bias is forgotten.", node.args[0], text, None
            yield "The bias belongs inside the activation.", node.parent, (
                f"{activation}({text})"), None
        value = getattr(node, "value", None)
        if value is None or up(node, ast.FunctionDef) is not s.main:
            continue
        if activation:
            for end in ("", f" + {b}"):
                yield "The activation is forgotten.", value, (
                    f"{activation}({s.of(value)}{end})"), None
            yield "The bias is forgotten.", value, f"{s.of(value)} + {b}", None
        if isinstance(node, ast.Return) and len(elements(value)) == 3:
            for site in (value.elts[2], s.follow(value.elts[2])):
                yield "db is not the sum of dZ that keeps its axes.", site, (
                    f"np.sum({s.given['dZ']}, axis=(0, 1, 2), keepdims=True)"
                    ), None
        kernel = [s.named(role, node) for role in ("kh", "kw")]
        if s.name[:4] == "pool" and all(kernel):
            yield "The mean is not divided by kh * kw.", value, (
                f"{bare(s, value, node.parent)} / ({' * '.join(kernel)})"
                ), None
        loss = s.given.get("dZ", s.given.get("dA"))
        at = [s.counter(role, node) for role in ("m", "h_new", "w_new")]
        last = s.counter("c_new", node) or s.counter("c_prev", node)
        if loss and all(at) and last:
            factor = f"{loss}[{', '.join([*at, last])}]"
            yield "The factor of this output is missing.", value, (
                f"{bare(s, value, ast.UnaryOp())} * {factor}"), None
            for part in ast.walk(value):
                if isinstance(part, ast.BinOp):
                    for one in (part.left, part.right):
                        yield "The factor of this output is another.", one, (
                            factor), None
    for node in s.nodes(ast.Name):
        if node.id == s.given.get("W") and isinstance(node.ctx, ast.Load):
            yield "The kernel must be turned here.", node, (
                f"{node.id}[::-1, ::-1]"), None
    given = s.main.args
    for i, one in enumerate(given.args):
        default = next((text for name, text in DEFAULTS.items()
                        if s.given.get(name) == one.arg), None)
        known = i + len(given.defaults) - len(given.args)
        end = s.span(one)[1]
        if default:
            yield "A default is missing or wrong.", [s.put(
                given.defaults[known], default) if known >= 0 else (
                end, end, f"={default}")], None
        elif i < 4:
            body = s.main.body
            yield "An input is changed in place: work on a copy.", [s.before(
                body[min(1, len(body) - 1)], f"{one.arg} = {one.arg}.copy()"
                )], None


EDITS = (crop, padding, results, sizes, windows)
