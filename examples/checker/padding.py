"""Edits of the padding: the zeros on each side become those of a rule."""
import ast

from .source import called, elements, up

RULES = ("size", "floor", "keras")
PADDING = 'The padding of "same" follows none of the rules in use.'


def slices(node):
    """Return the rows' and the columns' slice of a subscript, or None."""
    found = [part for part in elements(getattr(node, "slice", None))
             if isinstance(part, ast.Slice) and (part.lower or part.upper)]
    return found if len(found) == 2 else None


def moving(s, node):
    """Tell whether a subscript's slices move with a loop over the output."""
    counters = {*s.loops(node)} - {s.counter("m", node)}
    return any(
        isinstance(part, ast.Name) and part.id in counters
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


def padding(s):
    """The zeros on each side become those of a rule, on both axes."""
    word = s.given.get("padding", "padding")
    for _, sides in widths(s):
        for where in ({key: s.follow(node) for key, node in sides.items()},
                      sides):
            always = all("valid" in s.kinds(site) for site in where.values())
            found = [replaced(s, where, {
                key: formula(s, rule, *key, site)
                for key, site in where.items()},
                f' if {word} == "same" else 0' * always) for rule in RULES]
            for changes in filter(None, found):
                yield "padding is not looked at." if always else (
                    PADDING), changes, None
            if any(found):
                break


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
