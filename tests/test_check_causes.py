"""The causes: each is found, is the only one, and its advice mends the file.

The functions run in this process, as `check` of a notebook does it.
"""
import functools
import re
import warnings

import numpy as np
import pytest

import naive
import planted
from checker import causes, cases, child, files
from checker import definition as by
from checker.judge import judge, rules_of
from checker.text import describe


@functools.lru_cache(maxsize=None)
def judged(function, text, rule):
    """Return the verdict on a text, in the cases of a rule."""
    space = {}
    exec(text, space)
    jobs = [job for job in files.jobs_of(function)
            if job["label"] in cases.labels_of(function, rule)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outcomes = files.run_here(space[function], jobs)
    return judge(function, child.signature(space[function]), outcomes, [rule])


def advised(found):
    """Return the lines that the first set of causes advises."""
    return list(dict.fromkeys(line for _, lines in found["write"][0]
                              for line in lines))


@pytest.mark.parametrize("name", by.OUTPUTS)
def test_the_definition_in_steps_is_the_page_that_people_read(name):
    for label, (_, arguments) in cases.calls_of(name).items():
        for ties in ({"ties": "all"}, {"ties": "first"}) if (
                name == "pool_backward") else ({},):
            if name[:4] == "conv" and label not in cases.labels_of(
                    name, "keras"):
                continue
            expected = getattr(naive, name)(**arguments, **ties)
            expected = expected if isinstance(expected, tuple) else (expected,)
            result = cases.results_of(name, ties.get("ties", "keras"), label)
            for ours, exact in zip(result, expected):
                np.testing.assert_allclose(ours, exact, 1e-12, 1e-12)


@pytest.mark.parametrize("name", by.OUTPUTS)
@pytest.mark.parametrize("rule", by.RULES)
def test_a_right_file_is_right_by_the_rule_that_it_follows(name, rule):
    found = judged(name, planted.solution(name, rule), rule)
    assert found["verdict"] == "right"
    if name[:4] == "conv":
        assert found["same"] == rule


def faults():
    """Yield each planted fault, those of padding and crop under each rule."""
    for name, (_, changes, cause) in planted.PLANTED.items():
        own = any("RULE" in old and "RULE" not in new for old, new in changes)
        for rule in ["size"] if own or not re.search(
                'padding|[Cc]rop', cause) else by.RULES:
            yield pytest.param(name, rule, id=f"{name}, {rule}")


@pytest.mark.parametrize("name, rule", faults())
def test_a_fault_is_named_alone_and_what_is_advised_mends_it(name, rule):
    function, changes, cause = planted.PLANTED[name]
    text = planted.plant(function, changes, rule)
    found = judged(function, text, rule)
    if found["verdict"] == "right":
        assert rule != "size" or "on the wrong" in cause or "removes" in cause
        return
    assert found["cause"].startswith(cause) and "Or:" not in found["cause"]
    mended = planted.mend(text, advised(found),
                          planted.solution(function, rule))
    assert judged(function, mended, rule)["verdict"] == "right"


@pytest.mark.parametrize("name", by.OUTPUTS)
def test_every_cause_is_planted(name):
    begun = [cause for function, _, cause in planted.PLANTED.values()
             if function == name]
    assert [fault.cause.sentence for fault in causes.FAULTS[name] if not
            fault.cause.sentence.startswith(tuple(begun))] == []


@pytest.mark.parametrize("name, rule", [
    (name, rule) for name in by.OUTPUTS for rule in rules_of(name)])
def test_no_two_causes_have_the_same_results(name, rule):
    def key(label, way):
        result = cases.results_of(name, rule, label, way)
        return str(causes.first_words(result) if isinstance(result, str) else [
            (array.shape, (array.round(6) + 0.0).tobytes())
            for array in result])

    groups = [[causes.NOTHING, *causes.FAULTS[name]]]
    for label in cases.labels_of(name, rule):
        if "integer" not in label:
            parts = {}      # groups that no case has told apart so far
            for i, group in enumerate(groups):
                for one, way in group:
                    parts.setdefault((i, key(label, way)), []).append(
                        (one, way))
            groups = [group for group in parts.values()
                      if len({one for one, _ in group}) > 1]
    assert [group for group in groups if group[0][0]] == []


CROP = planted.CROP


@pytest.mark.parametrize("changes, sentences", [
    ([planted.padding(f"{planted.H} // 2 + 1", f"{planted.W} // 2 + 1"),
      (CROP, "dA_pad[:, top:-bottom, left:-right]")],
     ["// 2 + 1", "crop p:-p"]),
    ([planted.padding(f"{planted.H} // 2 + 1", f"{planted.W} // 2 + 1"),
      (f"dA_prev = {CROP}", "dA_prev = np.zeros(A_prev.shape); dA_prev[:] = "
       "dA_pad[:, top:-bottom, left:-right]")], ["// 2 + 1", "crop p:-p"]),
    ([planted.padding(f"round({planted.H} / 2)", f"round({planted.W} / 2)"),
      (CROP, "dA_pad")], ["round()", "still has its padding"]),
    ([(", keepdims=True", ""), ("return dA_prev, dW, db",
                                "return dA_prev, dW / m, db")],
     ["dW is divided by m", "db has lost its axes"]),
    ([("dW[:, :, :, k] +=", "dW[:, :, :, k] ="), ("dA_pad[window] +=",
                                                  "dA_pad[window] =")],
     ["Where windows overlap", "dW keeps the values"]),
    ([planted.padding(f"{planted.H} // 2 + 1", f"{planted.W} // 2 + 1"),
      (", keepdims=True", ""), (CROP, "dA_pad[:, top:-bottom, left:-right]")],
     ["// 2 + 1", "crop p:-p", "db has lost its axes"]),
])
def test_several_faults_are_named_and_all_are_mended(changes, sentences):
    text = planted.plant(planted.CB, changes)
    found = judged(planted.CB, text, "size")
    assert all(sentence in found["cause"] for sentence in sentences)
    assert found["cause"].count(" And: ") == len(sentences) - 1
    mended = planted.mend(text, advised(found),
                          planted.solution(planted.CB))
    assert judged(planted.CB, mended, "size")["verdict"] == "right"


def test_two_faults_of_a_forward_pass_are_named():
    text = planted.plant(planted.CF, [
        planted.padding(f"{planted.H} // 2 + 1", f"{planted.W} // 2 + 1"),
        ("activation(Z + b)", "activation(Z)")])
    found = judged(planted.CF, text, "size")
    assert "// 2 + 1" in found["cause"] and "bias is forgotten" in (
        found["cause"])


@pytest.mark.parametrize("function, code", [
    # Equal to a cause in all wrong cases, but not in the right ones.
    ("conv_forward", "if m > 1 and kh == kw:\n        Z[1:] = 0\n    "),
    # Raises where a crop p:-p would, in another operation.
    ("conv_backward", "if top == 0 or left == 0:\n        raise ValueError("
     "'operands')\n    "),
    ("conv_backward", "if padding == 'same':\n        raise ValueError\n    "),
    # Raises always.
    ("conv_backward", "raise ValueError\n    "),
    ("pool_forward", "if mode == 'avg' and m == 3:\n        A[0] = 0\n    "),
])
def test_no_cause_is_named_that_does_not_explain_everything(function, code):
    last = {"conv_forward": "A = activation"}.get(
        function, planted.RETURN[function])
    text = planted.plant(function, [(last, code + last)])
    found = judged(function, text, "size")
    assert found["verdict"] == "wrong" and found["cause"] is None


def test_a_part_is_explained_where_the_whole_is_not():
    found = judged(planted.CB, planted.plant(planted.CB, [(
        "return dA_prev, dW, db", "dA_prev[0, 0] = 7\n    return dA_prev, dW, "
        "db / m")]), "size")
    assert found["cause"] == ("No cause was found for dA_prev. And: db is "
                              "divided by m.")
    found = judged(planted.PB, planted.plant(planted.PB, [
        ("+= mask * dA[n, y, x, c]", "+= mask * dA[n, y, x, c] ** 2"),
        (" / (kh * kw)", "")]), None)
    assert found["cause"] == ("No cause was found for max. And: In mode 'avg':"
                              " The mean is not divided by kh * kw.")
    assert advised(found) == ["dA_prev[window] += dA[n, y, x, c] / (kh * kw)"]


def test_pixels_of_integers_are_a_remark_where_results_are_truncated():
    for function, new in ((planted.CF, "(m, h_new, w_new, c_new)"),
                          (planted.CB, "A_pad.shape")):
        text = planted.plant(function, [
            (f"np.zeros({new})", f"np.zeros({new}, A_prev.dtype)"),
            *[("dA_pad[window] +=", "dA_pad[window] += 0 +")] * (
                function == planted.CB)])
        text = text.replace("+= 0 + W[:, :, :, k] * dZ[n, y, x, k]",
                            "+= (W[:, :, :, k] * dZ[n, y, x, k]).astype("
                            "dA_pad.dtype)")
        found = judged(function, text, "size")
        assert found["verdict"] == "right"
        assert "arrays of integers" in found["remarks"][0]
        assert judged(function, planted.solution(function),
                      "size")["remarks"] == []


def test_no_term_is_blamed_where_a_cause_is_named():
    text = planted.plant(planted.CB, [("return dA_prev, dW, db",
                                       "return dA_prev, dW, db / m")])
    printed = "\n".join(describe(judged(planted.CB, text, "size")))
    assert "db is divided by m" in printed and "You have" not in printed
    assert "db = np.sum(dZ, axis=(0, 1, 2), keepdims=True)" in printed


def test_other_names_alone_are_said_to_leave_the_values_right():
    text = planted.plant(planted.PF, [("kernel_shape", "size")])
    printed = "\n".join(describe(judged(planted.PF, text, None)))
    assert "The values are right in all 36 cases." in printed


def test_no_second_padding_is_blamed_where_there_is_none():
    text = planted.plant(planted.CB, [(planted.PAD, "A_prev"),
                                      (planted.CROP, planted.MINUS)])
    cause = judged(planted.CB, text, "size")["cause"]
    assert cause is None or "without the stride" not in cause
