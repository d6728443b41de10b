"""The search for causes: which faulty definition gives the same results.

A cause explains a file only if the definition with this fault equals the
student's results in every case, the right ones too, and raises the same type
of exception, with the same first words, in the same cases (those with integers
are left out). Several faults at once are tried too, then parts of the results.
"""
import itertools
import re
from typing import NamedTuple

import numpy as np

from .cases import calls_of, judged_labels, results_of
from .definition import OUTPUTS
from .faults_conv_backward import CONV_BACKWARD
from .faults_conv_forward import CONV_FORWARD
from .faults_pooling import POOL_BACKWARD, POOL_FORWARD
from .faults_shared import FREQUENT, Cause, right

BY_TENSORDOT = (    # code of this style raises where others broadcast
    ("product", lambda pixels, W: np.tensordot(pixels, W, 3)),
    ("add_dA", lambda dA_pad, rows, cols, W, d: dA_pad[
        :, rows, cols].__iadd__(np.tensordot(d, W, ([1], [3])))),
    ("add_dW", lambda dW, A_pad, rows, cols, d: dW.__iadd__(
        np.tensordot(A_pad[:, rows, cols], d, ([0], [0])))))
BY_CEIL = (     # the size of Keras' "same", whatever is padded
    ("size", lambda sizes, padded, *rest: [-(-n // s) for n, s in zip(
        sizes, rest[1])] if rest[-1] == "same" else right.size(
            sizes, padded, *rest)),)
OWN = {     # steps of conv_backward that touch one output alone
    "dA_prev": {"start", "add_dA", "W_of_dA", "window_of_dA", "crop",
                "dA_prev"},
    "dW": {"add_dW", "window_of_dW", "dW", "pixels"},
    "db": {"total", "in_db", "db"}}
OTHER_MODE = {"max": r"mean|\(kh \* kw\)", "avg": r"max|mask"}
WHERE = {"kernel", "stride", "window", "size", "side", "axes", "rules",
         "padding", "pad", "sizes"}


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


def first_words(message):
    """Return the first words of a message, without numbers and shapes."""
    return re.sub(r"\(.*?\)|\d+", "", message).split()[:4]


class Fault(NamedTuple):
    """A cause, and one way to make it."""

    cause: Cause
    way: tuple

    steps = property(lambda self: dict(self.way).keys())    # replaced ones


NOTHING = Fault(None, ())
FAULTS = {name: [Fault(cause, way) for cause in causes for way in cause.ways]
          for name, causes in {
              "conv_forward": CONV_FORWARD, "pool_forward": POOL_FORWARD,
              "conv_backward": CONV_BACKWARD,
              "pool_backward": POOL_BACKWARD}.items()}


class Search:
    """What a student's function did in the cases of a rule, and why."""

    def __init__(self, name, rule, outcomes, wrong, part=""):
        """Order the cases; part: an output or a mode, to look at it alone."""
        self.name, self.rule, self.outcomes = name, rule, outcomes
        self.faults = [fault for fault in FAULTS[name]
                       if part not in OWN or fault.steps <= OWN[part]]
        self.where = [fault for fault in self.faults if fault.steps <= WHERE]
        self.outputs = [i for i, output in enumerate(OUTPUTS[name])
                        if part in ("max", "avg", "", output)]
        self.labels = sorted(   # wrong ones first, and the fastest of them
            (label for label in judged_labels(name, rule) if label in outcomes
             and (part not in ("max", "avg") or label.startswith(part))),
            key=lambda label: (label not in wrong,
                               windows_in(name, rule, label)))
        self.returned = [label for label in self.labels
                         if outcomes[label].get("arrays")]
        self.raises = len(self.returned) < len(self.labels)

    def results(self, label, *faults, style=()):
        """Return the arrays of the definition with faults, or its error."""
        steps = dict(style)
        for fault in faults:
            steps.update(fault.way)
        return results_of(self.name, self.rule, label, tuple(steps.items()))

    def alike(self, label, expected):
        """Tell whether the student's outcome is what a definition gives."""
        outcome = self.outcomes[label]
        if isinstance(expected, str):
            error, _, message = expected.partition(": ")
            return outcome.get("error") == error and first_words(
                message) == first_words(outcome["message"])
        arrays = outcome.get("arrays")
        return bool(arrays) and all(equal(arrays[i], expected[i])
                                    for i in self.outputs)

    def explains(self, *faults):
        """Tell whether the definition with these faults does the same."""
        resized = self.rule == "keras" and any(
            fault.steps & WHERE for fault in faults)
        for size in [(), BY_CEIL][:1 + resized]:
            for style in [(), BY_TENSORDOT][:1 + self.raises]:
                for label in self.labels:
                    expected = self.results(label, *faults, style=size + style)
                    if not self.alike(label, expected):
                        break
                else:
                    return True
                if label in self.returned and not isinstance(expected, str):
                    break       # the numbers are those of any style
        return False

    def agrees(self, same, *faults):
        """Tell whether what was returned is the same as with these faults."""
        return all(not isinstance(expected, str) and same(
            self.outcomes[label]["arrays"], expected)
            for label in self.returned
            for expected in [self.results(label, *faults)])

    def singles(self):
        """Yield the faults that explain everything."""
        for fault in self.faults:
            if self.explains(fault):
                yield fault,

    def pairs(self):
        """Yield the pairs that explain everything: not two that say where."""
        def shaped(*faults):    # what says where decides on the shapes
            return self.agrees(lambda ours, exact: [
                array.shape for array in ours] == [
                array.shape for array in exact], *faults)

        others = [fault for fault in self.faults if not fault.steps <= WHERE
                  and fault.way in fault.cause.ways[:6]]    # to save time
        frequent = [fault for fault in self.where if fault.cause in FREQUENT]
        for one, two in itertools.chain(
                itertools.product(frequent, self.where),
                itertools.product(filter(shaped, self.where), others),
                itertools.combinations(others * shaped(), 2)):
            if one.cause != two.cause and not one.steps & two.steps and (
                    self.explains(one, two)):
                yield one, two

    def by_output(self):
        """Yield a fault in where, and one per output, for conv_backward.

        Each explains its output by itself; together they explain everything.
        """
        def fits(i, *faults):
            return self.agrees(lambda ours, exact: equal(ours[i], exact[i]),
                               *faults)

        def raises_alike(fault):
            return all(isinstance(self.results(label, fault), str) == (
                label not in self.returned) for label in self.labels)

        for base in [NOTHING, *[
                fault for fault in self.where if fault.cause in FREQUENT
                or not self.raises or raises_alike(fault)]]:
            alone = [fits(i, base) for i in range(3)]
            if base.cause and not (alone[0] or alone[1]):
                continue    # three faults would be too many to tell
            parts = [[NOTHING] * alone[i] + [
                fault for fault in self.faults if fault.steps <= own
                and (self.raises or not alone[i])
                and not (base.cause and "pixels" in fault.steps)
                and fits(i, base, fault)] for i, own in enumerate(
                    OWN.values())]
            if np.prod([len(part) for part in parts]) > 99:
                continue    # too little was returned to tell them apart
            for rest in itertools.product(*parts):
                if self.explains(base, *rest):
                    yield base, *rest
                    for other in self.where * bool(base.cause):      # as good?
                        if other != base and self.explains(other, *rest):
                            yield other, *rest
            if not base.cause and alone[0] and alone[1]:
                break       # nothing is wrong in where


def windows_in(name, rule, label):
    """Return how many windows there are in a case."""
    _, arguments = calls_of(name)[label]
    loss = [arguments[key] for key in ("dZ", "dA") if key in arguments]
    return np.prod((loss or results_of(name, rule, label))[0].shape[1:3])


def find(name, rules, wrong, outcomes):
    """Return a rule, the sets of causes, and the parts without a cause.

    rules: the most likely first. wrong: the cases that are wrong under each.
    There are several sets where no case tells them apart; where more than
    three explain the same, that is no evidence. Where none explains
    everything, causes that explain an output, or a mode, are returned.
    """
    seen = [Search(name, rule, outcomes, wrong[rule]) for rule in rules]
    several = seen[0].by_output if name == "conv_backward" else seen[0].pairs
    for search, found in [*[(one, one.singles) for one in seen],
                          (seen[0], several)]:
        if search.explains():       # all numbers are right
            return search.rule, [], []
        if search.returned and all(outcomes[label]["result"] in (
                "ok", "error") for label in search.labels):
            sets = {frozenset(fault.cause for fault in faults): [
                fault.cause for fault in faults if fault.cause]
                for faults in itertools.islice(found(), 30)}
            least = min(map(len, sets.values()), default=0)
            sets = [causes for causes in sets.values() if len(causes) == least]
            if sets:
                return search.rule, sets if len(sets) <= 3 else [], []
    named, missing = [], []
    for part in OUTPUTS[name] if name[:4] == "conv" else ("max", "avg"):
        search = Search(name, rules[0], outcomes, wrong[rules[0]], part)
        if search.explains():
            continue
        causes = {} if search.raises else {
            fault.cause: None for fault, in search.singles()}
        if len(causes) == 1:
            cause, = causes
            if part in OTHER_MODE:
                cause = cause._replace(
                    sentence=f"In mode '{part}': {cause.sentence}",
                    lines="\n".join(line for line in cause.lines.split("\n")
                                    if not re.search(OTHER_MODE[part], line)))
            named.append(cause)
        else:
            missing.append(part)
    return (rules[0], [named], missing) if named else (rules[0], [], [])
