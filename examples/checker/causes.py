"""The search for causes: which faulty definition gives the same results.

A cause explains a file only if the definition with this fault equals the
student's results in every case, the right ones too, and raises in the same
cases with the same type of exception. Two faults at once are tried too.
"""
import itertools
import re
from typing import NamedTuple

import numpy as np

from .cases import labels_of, results_of
from .faults_conv import CONV_BACKWARD, CONV_FORWARD, CROP, SIZE
from .faults_pooling import POOL_BACKWARD, POOL_FORWARD
from .faults_shared import FREQUENT, PAD

CAUSES = {"conv_forward": CONV_FORWARD, "pool_forward": POOL_FORWARD,
          "conv_backward": CONV_BACKWARD, "pool_backward": POOL_BACKWARD}
WORKING = {     # the code of the other style raises other exceptions, or none
    "by windows": {}, "by tensordot": {
        "product": lambda pixels, W: np.tensordot(pixels, W, 3),
        "add_dA": lambda dA_pad, rows, cols, W, d: dA_pad[
            :, rows, cols].__iadd__(np.tensordot(d, W, ([1], [3]))),
        "add_dW": lambda dW, A_pad, rows, cols, d: dW.__iadd__(
            np.tensordot(A_pad[:, rows, cols], d, ([0], [0])))}}
LETTERS = {
    "top": "top, bottom, left, right: the zeros added on these sides",
    "h_pad": "h_pad, w_pad: the height and the width of A_pad",
    "window": "window: the pixels [n, y*sh:y*sh + kh, x*sw:x*sw + kw], of "
              "channel c in a pooling",
    "dA_pad": "dA_pad: the gradient of A_pad, of its shape",
    "n": "n, y, x, k or c: image, row, column and channel of the output"}
RULE_LINES = {     # the padding under each rule, and what else it changes
    "keras": "rows = max((-(-h_prev // sh) - 1) * sh + kh - h_prev, 0)\n"
             "cols = max((-(-w_prev // sw) - 1) * sw + kw - w_prev, 0)\n"
             "top, left = rows // 2, cols // 2\n"
             "bottom, right = rows - top, cols - left",
    "size": "top = bottom = -(-((h_prev - 1) * sh + kh - h_prev) // 2)\n"
            "left = right = -(-((w_prev - 1) * sw + kw - w_prev) // 2)",
    "floor": "top = bottom = ((h_prev - 1) * sh + kh - h_prev) // 2\n"
             "left = right = ((w_prev - 1) * sw + kw - w_prev) // 2"}
OWN = [     # steps of conv_backward that touch one output alone
    {"start", "add_dA", "crop", "dA_prev"}, {"add_dW", "dW", "pixels"},
    {"total", "dZ", "db"}]
WHERE = {"kernel", "stride", "window", "size", "sides", "rule", "pad",
         "sizes"}


def lines_to_write(name, causes, rule):
    """Return the lines that replace the faulty ones, under a rule."""
    padding = [RULE_LINES.get(rule, "")] + [PAD, SIZE if (
        name == "conv_forward") else CROP] * (rule == "keras")
    text = "\n".join(one.write for one in causes)
    return list(dict.fromkeys(text.replace(
        "{padding}", "\n".join(padding)).split("\n")))


def equal(ours, expected):
    """Tell whether two arrays agree, to 1e-6 of the largest number."""
    return ours.shape == expected.shape and not differs(ours, expected).any()


def differs(ours, expected):
    """Return where two arrays of one shape differ."""
    with np.errstate(all="ignore"):
        close = 1e-6 * (np.abs(expected).max(initial=0) or 1.0)
        wrong = ~(np.abs(ours.astype(float) - expected) <= close)
    if wrong.any() and np.isnan(expected).any():
        wrong = ~np.isclose(ours, expected, 1e-6, 1e-6, equal_nan=True)
    return wrong


class Evidence(NamedTuple):
    """What a student's function did in the cases of a rule, wrong ones first.

    strict: all wrong cases raise, so that the message must be alike too.
    """

    name: str
    rule: str
    labels: list
    outcomes: dict
    strict: bool


def kind(message):
    """Return a message without its numbers and shapes."""
    return re.sub(r"\(.*?\)|\d+", "", message).split()


def alike(outcome, expected, strict):
    """Tell whether a student's outcome is what a definition gives."""
    if isinstance(expected, str):
        error, _, message = expected.partition(": ")
        return outcome.get("error") == error and not (
            strict and kind(message) != kind(outcome["message"]))
    arrays = outcome.get("arrays")
    return bool(arrays) and all(map(equal, arrays, expected))


def explains(seen, *ways):
    """Tell whether the definition with these faults equals the student's."""
    steps = dict(step for way in ways for step in way)
    styles = list(WORKING.values()) if any(
        seen.outcomes[label].get("error") for label in seen.labels) else [{}]
    return any(all(alike(seen.outcomes[label], results_of(
        seen.name, seen.rule, label, tuple({**style, **steps}.items())),
        seen.strict) for label in seen.labels) for style in styles)


def singles(seen):
    """Yield the causes that explain everything."""
    for one in CAUSES[seen.name]:
        if any(explains(seen, way) for way in one.ways):
            yield one,


def pairs(seen):
    """Yield the pairs that explain everything: not two that say where.

    Where and the product of a convolution would take seconds.
    """
    for one, two in itertools.combinations(CAUSES[seen.name], 2):
        steps, others = ({step for way in each.ways for step, _ in way}
                         for each in (one, two))
        if one in FREQUENT or not (steps & WHERE and others & (
                WHERE | {"product"})):
            if any(not dict(way).keys() & dict(other).keys()
                   and explains(seen, way, other)
                   for way in one.ways for other in two.ways):
                yield one, two


def by_output(seen):
    """Yield sets of causes of conv_backward: a padding, and one per output.

    Each must explain its output by itself; together they explain everything.
    """
    returned = [label for label in seen.labels
                if seen.outcomes[label].get("arrays")]
    ways = [(one, way) for one in CAUSES[seen.name] for way in one.ways]

    def fits(i, steps):
        return all(not isinstance(result, str) and equal(
            seen.outcomes[label]["arrays"][i], result[i])
            for label in returned for result in [results_of(
                seen.name, seen.rule, label, steps)])

    for base in [(None, ()), *[pair for pair in ways
                               if pair[0] in FREQUENT]]:
        parts = []
        for i, own in enumerate(OWN):
            alone = fits(i, base[1])
            parts.append([(None, ())] * alone + [
                (one, way) for one, way in ways
                if not (alone and len(returned) == len(seen.labels))
                and not (base[0] and "pixels" in dict(way))     # two paddings
                and dict(way).keys() <= own and fits(i, base[1] + way)])
        for chosen in itertools.product([base], *parts):
            if explains(seen, *[way for _, way in chosen]):
                yield tuple(one for one, _ in chosen if one)


def find(name, rules, wrong, outcomes):
    """Return a rule and the sets of causes that explain every case.

    rules: the most likely first. wrong: the cases that are wrong under each.
    There are several sets where no case tells them apart.
    """
    several = by_output if name == "conv_backward" else pairs
    for search, rule in [*[(singles, rule) for rule in rules],
                         *[(several, rule) for rule in rules[:1]]]:
        labels = sorted(wrong[rule], key=lambda label: results_of(
            name, rule, label)[0].size) + [     # the fastest ones first
            label for label in labels_of(name, rule) if label in outcomes
            and label not in wrong[rule] and "integer" not in label]
        returned = [label for label in labels
                    if outcomes[label].get("arrays")]
        seen = Evidence(name, rule, labels, outcomes,
                        not set(returned) & set(wrong[rule]))
        if explains(seen):      # all numbers are right
            return rule, []
        if returned and all(outcomes[label]["result"] in ("ok", "error")
                            for label in labels):
            found = list(dict.fromkeys(itertools.islice(search(seen), 9)))
            if found:
                least = min(map(len, found))
                return rule, [one for one in found if len(one) == least][:3]
    return None, []
