"""The search for causes: which faulty definition gives the same results.

A cause explains a file only if the definition with this fault equals the
student's results in every case, the right ones too, and raises in the same
cases with the same type of exception. Two faults at once are tried too.
"""
import itertools
import re

import numpy as np

from .cases import calls_of, labels_of, results_of
from .definition import OUTPUTS
from .faults_conv_backward import CONV_BACKWARD, CROP
from .faults_conv_forward import CONV_FORWARD, PAD_SIZE
from .faults_pooling import POOL_BACKWARD, POOL_FORWARD
from .faults_shared import FREQUENT, PAD

CAUSES = {"conv_forward": CONV_FORWARD, "pool_forward": POOL_FORWARD,
          "conv_backward": CONV_BACKWARD, "pool_backward": POOL_BACKWARD}
BY_TENSORDOT = {    # code of this style raises otherwise, or not at all
    "product": lambda pixels, W: np.tensordot(pixels, W, 3),
    "add_dA": lambda dA_pad, rows, cols, W, d: dA_pad[:, rows, cols].__iadd__(
        np.tensordot(d, W, ([1], [3]))),
    "add_dW": lambda dW, A_pad, rows, cols, d: dW.__iadd__(
        np.tensordot(A_pad[:, rows, cols], d, ([0], [0])))}
LETTERS = {
    "top": "top, bottom, left, right: the zeros added on these sides",
    "h_pad": "h_pad, w_pad: the height and the width of A_pad",
    "window": "window: the pixels [n, y*sh:y*sh + kh, x*sw:x*sw + kw]",
    "dA_pad": "dA_pad: the gradient of A_pad, of its shape",
    "n": "n, y, x, k or c: image, row, column and channel of the output"}
RULE_LINES = {
    "keras": "rows = max((-(-h_prev // sh) - 1) * sh + kh - h_prev, 0)\n"
             "cols = max((-(-w_prev // sw) - 1) * sw + kw - w_prev, 0)\n"
             "top, left = rows // 2, cols // 2\n"
             "bottom, right = rows - top, cols - left",
    "size": "top = bottom = -(-((h_prev - 1) * sh + kh - h_prev) // 2)\n"
            "left = right = -(-((w_prev - 1) * sw + kw - w_prev) // 2)",
    "floor": "top = bottom = ((h_prev - 1) * sh + kh - h_prev) // 2\n"
             "left = right = ((w_prev - 1) * sw + kw - w_prev) // 2"}
OWN = {     # steps of conv_backward that touch one output alone
    "dA_prev": {"start", "add_dA", "window_of_dA", "crop", "dA_prev"},
    "dW": {"add_dW", "window_of_dW", "dW", "pixels"},
    "db": {"total", "in_db", "db"}}
WHERE = {"kernel", "stride", "window", "size", "side", "axes", "rules",
         "padding", "pad", "sizes"}


def lines_to_write(name, cause, rule):
    """Return the lines that replace the faulty ones, under a rule."""
    padding = [RULE_LINES.get(rule, ""), PAD] + [PAD_SIZE if (
        name == "conv_forward") else CROP] * (rule == "keras")
    return cause.lines.replace("{padding}", "\n".join(padding)).split("\n")


def differs(ours, expected):
    """Return where two arrays differ, by 1e-6 of the largest number."""
    if np.isnan(expected).any():
        return ~np.isclose(ours, expected, 1e-6, 1e-6, equal_nan=True)
    close = 1e-6 * (np.abs(expected).max(initial=0) or 1.0)
    with np.errstate(all="ignore"):
        return ~(np.abs(ours.astype(float) - expected) <= close)


def equal(ours, expected):
    """Tell whether two arrays agree in shape and numbers."""
    return ours.shape == expected.shape and not differs(ours, expected).any()


def kind(message):
    """Return the first words of a message, without numbers and shapes."""
    return re.sub(r"\(.*?\)|\d+", "", message).split()[:4]


class Search:
    """What a student's function did in the cases of a rule, and why."""

    def __init__(self, name, rule, outcomes, wrong, part=""):
        """Order the cases: first those that are wrong, the fastest first.

        part: an output or a mode, to look at it alone.
        """
        self.name, self.rule, self.outcomes = name, rule, outcomes
        self.steps = OWN.get(part)      # those that may be replaced, or all

        def windows(label):
            """Return how many windows there are in a case."""
            arguments = calls_of(name)[label][1]
            return np.prod(arguments.get("dZ", arguments.get(
                "dA", results_of(name, rule, label)[0])).shape[1:3])

        self.outputs = [i for i, output in enumerate(OUTPUTS[name])
                        if part in ("max", "avg", "", output)]
        self.labels = sorted(
            (label for label in labels_of(name, rule) if label in outcomes
             and "integer" not in label and (
                 part not in ("max", "avg") or label.startswith(part))),
            key=lambda label: (label not in wrong, windows(label)))
        self.returned = [label for label in self.labels
                         if outcomes[label].get("arrays")]
        self.raises = len(self.returned) < len(self.labels)

    def results(self, label, *ways):
        """Return the arrays of the definition with faults, or its error."""
        return results_of(self.name, self.rule, label,
                          tuple(dict(sum(ways, ())).items()))

    def alike(self, label, expected):
        """Tell whether the student's outcome is what a definition gives."""
        outcome = self.outcomes[label]
        if isinstance(expected, str):
            error, _, message = expected.partition(": ")
            return outcome.get("error") == error and kind(message) == kind(
                outcome["message"])
        arrays = outcome.get("arrays")
        return bool(arrays) and all(equal(arrays[i], expected[i])
                                    for i in self.outputs)

    def explains(self, *ways):
        """Tell whether the definition with these faults does the same."""
        for style in [{}, BY_TENSORDOT][:1 + self.raises]:
            for label in self.labels:
                expected = self.results(label, tuple(style.items()), *ways)
                if not self.alike(label, expected):
                    if label in self.returned and not isinstance(
                            expected, str):
                        return False    # the numbers are those of any style
                    break
            else:
                return True
        return False

    def shaped(self, way):
        """Tell whether a fault gives what was returned its shapes."""
        return all(not isinstance(result, str) and all(
            ours.shape == exact.shape for ours, exact in zip(
                self.outcomes[label]["arrays"], result))
            for label in self.returned
            for result in [self.results(label, way)])

    def singles(self):
        """Yield the causes that explain everything."""
        for one in CAUSES[self.name]:
            if any(self.explains(way) for way in one.ways if not self.steps
                   or dict(way).keys() <= self.steps):
                yield (one,)

    def pairs(self):
        """Yield the pairs that explain everything: not two that say where.

        What says where decides on the shapes.
        """
        ways = [(one, way) for one in CAUSES[self.name] for way in one.ways]
        where = [pair for pair in ways if dict(pair[1]).keys() <= WHERE]
        others = [pair for pair in ways if pair not in where]
        frequent = [pair for pair in where if pair[0] in FREQUENT]
        shaped = [pair for pair in where if self.shaped(pair[1])]
        if self.shaped(()):
            shaped += others
        for (one, way), (two, other) in [
                *itertools.product(frequent, where),
                *itertools.product(shaped, others)]:
            if one != two and not dict(way).keys() & dict(other).keys(
                    ) and self.explains(way, other):
                yield one, two

    def by_output(self):
        """Yield a cause of where, and one per output, for conv_backward.

        Each explains its output by itself; together they explain everything.
        """
        ways = [(one, way) for one in CAUSES[self.name] for way in one.ways]

        def fits(i, *ways):
            return all(not isinstance(result, str) and equal(
                self.outcomes[label]["arrays"][i], result[i])
                for label in self.returned
                for result in [self.results(label, *ways)])

        def raises_alike(way):
            return all(isinstance(self.results(label, way), str) == (
                label not in self.returned) for label in self.labels)

        where = [pair for pair in ways if dict(pair[1]).keys() <= WHERE]
        for base, start in [(None, ()), *[
                (one, way) for one, way in where if one in FREQUENT
                or not self.raises or raises_alike(way)]]:
            alone = [fits(i, start) for i in range(3)]
            if base and not (alone[0] or alone[1]):
                continue    # three faults would be too many to tell
            parts = [[(None, ())] * alone[i] + [
                (one, way) for one, way in ways
                if (self.raises or not alone[i]) and dict(way).keys() <= own
                and not (base and "pixels" in dict(way))    # two paddings
                and fits(i, start, way)] for i, own in enumerate(OWN.values())]
            if np.prod([len(part) for part in parts]) > 99:
                continue    # too little was returned to tell them apart
            for chosen in itertools.product([(base, start)], *parts):
                ways_chosen = [way for _, way in chosen]
                if self.explains(*ways_chosen):
                    yield tuple(one for one, _ in chosen if one)
                    for other, way in where * bool(base):   # as good?
                        if other != base and self.explains(
                                way, *ways_chosen[1:]):
                            yield tuple(one for one, _ in [
                                (other, way), *chosen[1:]] if one)
            if not base and alone[0] and alone[1]:
                break       # nothing is wrong in where


def find(name, rules, wrong, outcomes):
    """Return a rule, the sets of causes, and the parts without a cause.

    rules: the most likely first. wrong: the cases that are wrong under each.
    There are several sets where no case tells them apart. Where none explains
    everything, causes that explain an output, or a mode, are returned.
    """
    seen = [Search(name, rule, outcomes, wrong[rule]) for rule in rules]
    several = seen[0].by_output if name == "conv_backward" else seen[0].pairs
    for search, sets in [*[(one, one.singles) for one in seen],
                         (seen[0], several)]:
        if search.explains():       # all numbers are right
            return search.rule, [], []
        if search.returned and all(outcomes[label]["result"] in (
                "ok", "error") for label in search.labels):
            found = list({frozenset(one): one for one in itertools.islice(
                sets(), 9)}.values())   # in any order
            if found:
                least = min(map(len, found))
                found = [one for one in found if len(one) == least]
                # More than three that no case tells apart: no evidence.
                return search.rule, found * (len(found) <= 3), []
    causes, missing = [], []
    for part in OUTPUTS[name] if name[:4] == "conv" else ("max", "avg"):
        search = Search(name, rules[0], outcomes, wrong[rules[0]], part)
        found = [] if search.raises or search.explains() else list(
            search.singles())
        if len(found) == 1:
            begin = f"In mode '{part}': " if part in ("max", "avg") else ""
            causes.append(found[0][0]._replace(
                sentence=begin + found[0][0].sentence))
        elif not search.explains():
            missing.append(part)
    return (rules[0], [causes], missing) if causes else (rules[0], [], [])
