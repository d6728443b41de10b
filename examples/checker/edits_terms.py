"""Edits of what is computed: operations, functions, factors, signs."""
import ast

from .edits_names import grouped
from .edits_padding import called, elements


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
            if "-=" in operator:
                yield "`-=` stands where `+=` belongs.", [(start, end, new)]
            else:
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
            for changes in s.both(node, lambda one: bare(
                    s, getattr(one, side), one.parent)):
                yield sentence, changes
    for node in s.nodes(ast.Call):
        for i in range(len(node.args[:2])):
            if called(node) in ("zeros", "range", "zeros_like", "pad"):
                continue
            for changes in s.both(node, lambda one: bare(
                    s, one.args[i], one.parent)):
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


def factors(s):
    """A factor is missing or another one: the gradient, or 1 / (kh * kw)."""
    if s.name not in ("pool_backward", "conv_backward", "pool_forward"):
        return
    loss = s.given.get("dZ", s.given.get("dA"))
    for node in s.nodes(ast.AugAssign, ast.Assign, ast.BinOp, ast.Call):
        value = getattr(node, "value", None)
        kernel = [s.named(role, node) for role in ("kh", "kw")]
        if value and all(kernel) and s.name[:4] == "pool" and (
                called(value) not in ("zeros", "zeros_like", "empty")):
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
            word = isinstance(getattr(node.comparators[0], "value", 0), str)
            if s.source.text[start:end].strip() != sign and (
                    sign == "==" or not word):
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
