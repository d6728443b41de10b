"""Edits of the padding: the zeros on each side become those of a rule."""
import ast

from .source import called, elements, slices, up

RULES = [   # the zeros before and after an image, by its size, the kernel's
    # and the stride: the size is kept, rounded up or down, or Keras' rule
    ("(({0} - 1) * {2} + {1} - {0} + 1) // 2",) * 2,
    ("(({0} - 1) * {2} + {1} - {0}) // 2",) * 2,
    ("max((-(-{0} // {2}) - 1) * {2} + {1} - {0}, 0) // 2",
     "(max((-(-{0} // {2}) - 1) * {2} + {1} - {0}, 0) + 1) // 2")]
PADDING = 'The padding of "same" follows none of the rules in use.'


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
        elif slices(node) and isinstance(node.ctx, ast.Store) and not any(
                getattr(part, "id", None) in s.varying(node)
                for one in slices(node) for part in ast.walk(one)):
            pair = [[one.lower] * bool(one.lower) for one in slices(node)]
        if len(pair) == 2 and all(pair):
            yield node, {(axis, side): width for axis, row in zip("hw", pair)
                         for side, width in enumerate(row)}


def formula(s, text, axis, node):
    """Return the zeros of a side, or None where a size has no name."""
    sizes = [s.named(role, node) for role in (
        f"{axis}_prev", f"k{axis}", f"s{axis}")]
    return text.format(*sizes) if all(sizes) else None


def padding(s):
    """The zeros on each side become those of a rule, on both axes."""
    word = s.given.get("padding", "padding")
    for _, found in widths(s):
        for sites in ({key: s.follow(node) for key, node in found.items()},
                      found):
            always = all("valid" in s.kinds(site) for site in sites.values())
            end = f' if {word} == "same" else 0' * always
            ways = [replaced(s, {
                (axis, side): (site, formula(s, rule[side] + end, axis, site))
                for (axis, side), site in sites.items()}) for rule in RULES]
            for changes in filter(None, ways):
                yield "padding is not looked at." if always else (
                    PADDING), changes, None
            if any(ways):
                break


def replaced(s, sites):
    """Return the change of each width, or None if they contradict.

    sites: {(axis, side): (node, new text)}.
    """
    spans, changes = {}, []
    for (axis, _), (site, text) in sites.items():
        if text is None:
            return None
        spans.setdefault(s.span(site), []).append((text, axis, site))
    for span, found in spans.items():
        texts = list(dict.fromkeys(text for text, *_ in found))
        site = up(found[0][2], ast.stmt)
        # One node for several widths gets one text; the call in a, b = f()
        # may get two, of the two axes.
        if len(texts) > 1 and (len({axis for _, axis, _ in found}) == 1 or len(
                texts) != len(elements(getattr(site, "targets", [0])[0]))):
            return None
        changes.append((*span, ", ".join(texts)))
    return changes
