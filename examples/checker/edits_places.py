"""Edits of where things are: padding, crop, sizes of outputs, windows.

An edit is given a scene and yields a sentence and changes: (start, end, new
text) of pieces of the source.
"""
import ast
import re

import numpy as np

from .source import statement_of

RULES = ("size", "floor", "keras")


def called(node):
    """Return the last name of the function that a call is of, or None."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", None))
    return None


def function_of(node):
    """Return the function that a node is in."""
    while not isinstance(node, ast.FunctionDef):
        node = node.parent
    return node


def elements(node):
    """Return the elements of a tuple or list, else nothing."""
    return node.elts if isinstance(node, (ast.Tuple, ast.List)) else []


def follow(s, node, anchor):
    """Return the expression that gave a name its value before anchor."""
    for level in range(9):
        if isinstance(node, ast.Subscript) and isinstance(
                node.slice, ast.Constant):
            parts = elements(follow(s, node.value, anchor))
            if not isinstance(node.slice.value, int) or not (
                    -1 < node.slice.value < len(parts)):
                return node
            node = parts[node.slice.value]
            continue
        if not isinstance(node, ast.Name):
            return node
        found = None
        for one in s.nodes(ast.Assign):
            if one.lineno >= statement_of(anchor).lineno or function_of(
                    one) is not function_of(anchor) or not (
                    s.runs(one, "same") or s.runs(one, "max")
                    or not s.known(one)):
                continue
            for target in one.targets:
                if getattr(target, "id", None) == node.id:
                    found = one.value, one
                for i, part in enumerate(elements(target)):
                    if getattr(part, "id", None) == node.id:
                        parts = elements(one.value)
                        found = (parts[i] if len(parts) == len(elements(
                            target)) else one.value), one
                        if level and not parts:     # of a shape, say
                            return node
        if not found:
            return node
        node, anchor = found
    return node


def slices(node):
    """Return the rows' and the columns' slice of a subscript, or None."""
    found = [part for part in elements(getattr(node, "slice", None))
             if isinstance(part, ast.Slice) and (part.lower or part.upper)]
    return found if len(found) == 2 else None


def widths(s):
    """Yield where images are padded: a node, and the zeros of each side.

    The zeros: {("h", 0): node of the rows above, ("h", 1): below, ...}.
    """
    for node in s.nodes(ast.Call, ast.Subscript):
        pair = ()
        if called(node) == "pad":
            table = [*node.args[1:2], *[word.value for word in node.keywords
                                        if word.arg == "pad_width"]]
            parts = elements(follow(s, table[0], node)) if table else []
            first = 1 if len(parts) == 4 else 0
            pair = [elements(follow(s, part, node))
                    for part in parts[first:first + 2]]
        elif isinstance(node, ast.Subscript) and slices(node) and isinstance(
                node.ctx, ast.Store) and not moving(s, node):
            pair = [[one.lower] * bool(one.lower) for one in slices(node)]
        if len(pair) == 2 and all(pair):
            yield node, {(axis, side): width for axis, row in zip("hw", pair)
                         for side, width in enumerate(row)}


def moving(s, node):
    """Tell whether a subscript's slices move with a loop over the output."""
    return any(s.counter(part) not in (None, "m") or (
        s.counter(part) is None and any(
            isinstance(loop, ast.For) and part.id in [
                one.id for one in ast.walk(loop.target)
                if isinstance(one, ast.Name)] for loop in s.ancestors(node)))
        for one in slices(node) for bound in (one.lower, one.upper) if bound
        for part in ast.walk(follow(s, bound, node))
        if isinstance(part, ast.Name))


def formula(s, rule, axis, side, node):
    """Return the zeros of a side under a rule of "same", as text."""
    size, kernel, stride = (s.named(role, node) for role in (
        f"{axis}_prev", f"k{axis}", f"s{axis}"))
    if not (size and kernel and stride):
        return None
    total = f"({size} - 1) * {stride} + {kernel} - {size}"
    if rule == "keras":
        total = (f"max((-(-{size} // {stride}) - 1) * {stride} + {kernel} "
                 f"- {size}, 0)")
        return f"({total} + 1) // 2" if side else f"{total} // 2"
    return f"({total} + 1) // 2" if rule == "size" else f"({total}) // 2"


def halves(s, site):
    """Yield a half of what a width is the half of, rounded up and down."""
    whole = next((part.left for part in ast.walk(site) if isinstance(
        part, ast.BinOp) and isinstance(part.op, (ast.Div, ast.FloorDiv))
        and getattr(part.right, "value", None) == 2), site)
    if not isinstance(whole, ast.Constant):
        yield f"({s.of(whole)} + 1) // 2"
        yield f"({s.of(whole)}) // 2"


def why(s, site, axis):
    """Return what is wrong with the expression of a width."""
    text, roles = s.of(site), set()
    for part in ast.walk(site):
        if isinstance(part, (ast.Name, ast.Subscript)):
            roles |= s.roles(part)
    other = "hw".replace(axis, "")
    for wrong, end in (
            (re.search(r"// ?2\s*\)?\s*\+ ?1$", text),
             "is `// 2 + 1`: one too many where the total is even"),
            (re.search(r"\bround|rint", text), "is rounded with round()"),
            ("%" in text, "looks at the kernel's parity alone"),
            ({f"k{other}", f"s{other}", f"{other}_prev"} & roles
             and not {f"k{axis}", f"{axis}_prev"} & roles,
             "mixes up the axes"),
            (not isinstance(site, ast.Constant) and not {"sh", "sw"} & roles
             and not re.search("str|sh|sw|s_", text),
             "is computed without the stride"),
            ("2" not in text and not isinstance(site, ast.Name),
             "is not halved")):
        if wrong:
            return f'The padding of "same" {end}.'
    return 'The padding of "same" follows none of the rules in use.'


def padding(s):
    """The zeros on each side become those of a rule, on both axes."""
    word = s.given.get("padding", "padding")
    for anchor, sides in widths(s):
        sites = {key: follow(s, node, anchor) for key, node in sides.items()}
        always = s.runs(anchor, "valid") and all(
            s.runs(site, "valid") for site in sites.values())
        sentence = "padding is not looked at." if always else why(
            s, sites["h", 0], "h")
        for rule in RULES:
            for where in (sites, sides):
                end = f' if {word} == "same" else 0' * (s.runs(
                    anchor, "valid") and all(s.runs(site, "valid")
                                             for site in where.values()))
                found = [*replaced(s, where, {key: formula(
                    s, rule, *key, site) for key, site in where.items()},
                    end, sentence)]
                yield from found
                if found:
                    break
        for way in zip(*[halves(s, site) for site in sites.values()]):
            yield from replaced(s, sites, dict(zip(sites, way)), "", sentence)
        names = {key: s.of(node) for key, node in sides.items()
                 if isinstance(node, ast.Name)}
        for rule in RULES * (len(names) == len(sides)):
            texts = {name: formula(s, rule, *key, anchor)
                     for key, name in reversed(names.items())}
            if all(texts.values()):
                end = f' if {word} == "same" else 0' * s.runs(anchor, "valid")
                yield (why(s, sites["h", 0], "h"), [s.source.before(
                    statement_of(anchor), *[f"{name} = {text}{end}"
                                            for name, text in texts.items()])])


def replaced(s, where, way, end, sentence):
    """Yield the change of each width, if they do not contradict."""
    texts = {}
    for key, site in where.items():
        if way[key] is None:
            return
        texts.setdefault(s.source.span(site), []).append((key, way[key]))
    changes = []
    for span, found in texts.items():
        several = [text for _, text in found]
        if len({axis for (axis, _), _ in found}) > 1:   # a, b = helper()
            several = list(dict.fromkeys(several))
            site = statement_of(where[found[0][0]])
            if not isinstance(site, ast.Assign) or len(several) != len(
                    elements(site.targets[0])):
                return
            changes.append((*span, ", ".join(
                f"({text}{end})" if end else text for text in several)))
        elif len(set(several)) > 1:
            return      # the two sides of an axis are one name
        else:
            changes.append((*span, several[0] + end))
    yield sentence, changes


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
                yield CROP, changes
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


CROP = "The crop p:-p is empty where p is 0, or removes the wrong sides."


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


WINDOW = {(1, 0): "A window does not start at the output's place times the "
          "stride.", (0, 1): "A window is not as large as the kernel.",
          (1, 1): "A window is not the one of its place in the output."}
