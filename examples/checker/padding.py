"""Edits of the padding: the zeros on each side become those of a rule."""
import ast

from .source import elements, up

RULES = [   # the zeros before and after an image, by its size, the kernel's
    # and the stride: the size is kept, rounded up or down, or Keras' rule
    ("(({0} - 1) * {2} + {1} - {0} + 1) // 2",) * 2,
    ("(({0} - 1) * {2} + {1} - {0}) // 2",) * 2,
    ("max((-(-{0} // {2}) - 1) * {2} + {1} - {0}, 0) // 2",
     "(max((-(-{0} // {2}) - 1) * {2} + {1} - {0}, 0) + 1) // 2")]
PADDING = 'The padding of "same" follows none of the rules in use.'


def formula(s, text, axis, node):
    """Return the zeros of a side, or None where a size has no name."""
    sizes = [s.named(role, node) for role in (
        f"{axis}_prev", f"k{axis}", f"s{axis}")]
    return text.format(*sizes) if all(sizes) else None


def padding(s):
    """The zeros on each side become those of a rule, on both axes."""
    word = s.given.get("padding", "padding")
    for _, found in s.widths():
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
