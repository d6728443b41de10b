"""Edits of words, defaults, results, and functions of NumPy."""
import ast

from .edits_padding import called, elements, follow
from .edits_terms import bare
from .source import statement_of

DEFAULTS = {"padding": '"same"', "stride": "(1, 1)", "mode": "'max'"}


def words(s):
    """A default, or a word that is compared, is another."""
    every = {"padding": ["'same'", "'valid'"], "mode": ["'max'", "'avg'"]}
    for key, default in DEFAULTS.items():
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
        if node.value is None or (
                statement_of(node, ast.FunctionDef) is not s.main):
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


OTHERS = {"sum": ["mean"], "mean": ["sum", "max"], "average": ["sum"],
          "max": ["mean", "sum"], "amax": ["mean"], "min": ["max"],
          "amin": ["amax"], "argmin": ["argmax"], "argmax": ["max"],
          "median": ["mean"], "minimum": ["maximum"], "any": ["all"],
          "round": ["ceil", "floor"], "floor": ["ceil"], "ceil": ["floor"]}


def functions(s):
    """Another function of NumPy belongs here: a mean for a sum, say."""
    for node in s.nodes(ast.Call):
        for other in OTHERS.get(called(node), []):
            for changes in s.both(node.func, lambda one: swapped(
                    s, one, other)):
                yield (f"`{called(node)}` stands where `{other}` belongs.",
                       changes)


def swapped(s, func, other):
    """Return the text of a function with another last name."""
    return s.of(func).rpartition(".")[0] + "." * isinstance(
        func, ast.Attribute) + other


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
