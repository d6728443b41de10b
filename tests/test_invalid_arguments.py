"""Invalid arguments: each raises at once an error that names the argument."""
import numpy as np
import pytest

from conftest import loaded

FUNCTIONS = loaded()
ones = np.ones
A_PREV, W, B = ones((2, 5, 6, 3)), ones((3, 2, 3, 4)), ones(4)
CONV = dict(A_prev=A_PREV, W=W, b=B, padding="valid", stride=(1, 1))
POOL = dict(A_prev=A_PREV, kernel_shape=(3, 2), stride=(1, 1), mode='max')
RIGHT = dict(
    conv_forward=dict(CONV, activation=abs), pool_forward=POOL,
    conv_backward=dict(CONV, dZ=ones((2, 3, 5, 4))),
    pool_backward=dict(POOL, dA=ones((2, 3, 5, 3)), ties='all'))
ARRAYS = "A_prev", "W", "b", "dZ", "dA"

NOT_PAIRS = [None, 1, 2.0, b"11", {1, 2}, {1: 2, 2: 3}, abs, (None, 1),
             ("1", "1"), (1.0, 1), (1, np.float32(1)), (True, 1),
             (1, np.True_), ones(2), np.array(2), np.array("same")]
NOT_SIZES = [(), (1,), (1, 1, 1), (0, 1), (1, 0), (-1, 1), [1, -5],
             np.array([0, 1]), (np.int64(0), 1)]
PAIR = "a pair of integers of at least "
WRONG = [   # argument, error, what was expected, values (of arrays: shapes)
    *((name, TypeError, "real numeric array without mask", [
        None, "image", {}, abs, 1j, [None], np.ma.ones((2, 5, 6, 3)), *(
            ones((2, 5, 6, 3)).astype(dtype) for dtype in (
                complex, object, str, "M8[s]", "m8[s]"))]) for name in ARRAYS),
    ("A_prev", ValueError, "(m, h_prev, w_prev, c_prev)", [
        (), (0,), (5, 6), (5, 6, 3), (1, 2, 5, 6, 3), (2, 0, 6, 3),
        (2, 5, 0, 3), (2, 5, 6, 0)]),
    ("W", ValueError, "(kh, kw, c_prev, c_new)", [
        (), (0,), (3, 2, 3), (3, 2, 3, 4, 1), (0, 2, 3, 4), (3, 0, 3, 4),
        (3, 2, 0, 4), (3, 2, 3, 0)]),
    ("W", ValueError, "(kh, kw, 3, c_new)", [(3, 2, 4, 3), (3, 2, 1, 4)]),
    ("W", ValueError, "PyTorch's (c_new,", [(4, 3, 3, 3), (4, 3, 5, 4)]),
    ("W", ValueError, "the padded (5, 6)", [(6, 3, 3, 4), (3, 9, 3, 4)]),
    ("b", ValueError, "(1, 1, 1, c_new) or (c_new,)", [
        (), (1, 4), (4, 1), (1, 1, 4), (2, 1, 1, 4), (1, 1, 2, 2)]),
    ("b", ValueError, "(1, 1, 1, 4) or (4,)", [(3,), (5,), (1, 1, 1, 5)]),
    ("dZ", ValueError, "(2, 3, 5, 4)", [
        (), (0,), (2, 3, 5), (2, 3, 5, 3), (1, 3, 5, 4), (2, 5, 3, 4),
        (0, 3, 5, 4), (2, 5, 6, 4), (2, 3, 5, 4, 1)]),
    ("dA", ValueError, "(2, 3, 5, 3)", [
        (), (0,), (2, 3, 5), (2, 3, 5, 1), (1, 3, 5, 3), (2, 5, 3, 3),
        (0, 3, 5, 3), (2, 5, 6, 3)]),
    *((name, *row) for name in ("stride", "kernel_shape") for row in (
        (TypeError, PAIR + "1", [*NOT_PAIRS, "22", ([1], [1]), [[1, 1]] * 2]),
        (ValueError, PAIR + "1", NOT_SIZES))),
    ("kernel_shape", ValueError, "(5, 6)", [(6, 2), (3, 7), (99, 99)]),
    ("padding", TypeError, PAIR + "0", [
        *NOT_PAIRS, (1, (1, 1)), ("same", "valid"), ((1, 1), (1, 0.5)),
        ((1, 1), "ab"), ((1, 1),), [[[0, 0]], [[0, 0]]]]),
    ("padding", ValueError, PAIR + "0", [
        (), (-1, 0), (0, 1, 0), ((1, 1), (1,)), ((1, 1), (-1, 1))]),
    ("padding", ValueError, "'same', 'valid' or a pair", ["", "SAME", "full"]),
    ("padding", ValueError, "zeros that an array can hold", [
        (2**62, 0), (0, 2**80), (2**40, 2**40), ((2**63, 0), (0, 0)),
        (2**27, 2**27)]),
    ("activation", TypeError, "a callable", [None, "relu", 0, ones(1), ()]),
    ("mode", ValueError, "'max' or 'avg'", [
        "", "MAX", "mean", None, 0, max, ("max",), np.array(["max", "avg"])]),
    ("ties", ValueError, "'all' or 'first'", [
        "", "last", "ALL", None, True, 1, ["all"], np.array(["all"] * 2)]),
]


class Device:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("on another device")


CALLS = [   # function, what is changed, name, error, what was expected, came
    ("conv_forward", dict(A_prev=ones((2, 3, 5, 6))), "W", ValueError,
     "c_new), as A_prev is (m, h, w, channels)", "(3, 2, 3, 4)"),
    ("conv_backward", dict(padding="same"), "dZ", ValueError, '(2, 5, 6, 4) ('
     '"same" gives ceil(size / stride) outputs, as in Keras)', "(2, 3, 5, 4)"),
    ("pool_backward", dict(mode='avg', ties='last'), "ties", ValueError,
     "'all' or 'first'", "'last'"),
    *(("pool_forward", dict(A_prev=value), "A_prev", TypeError, "real numeric "
       "array", came) for value, came in (
           (Device(), "Device (on another device"),
           ([[1, 2], [3]], "list (setting an array element")))]
for name, error, expected, values in WRONG:
    for value in values:
        came, hint = repr(value), ""
        if name in ARRAYS and error is TypeError:
            came = f"{type(value).__name__} of dtype {np.asarray(value).dtype}"
        elif name in ARRAYS:
            hint = " (sizes are at least 1, only m may be 0)" * (0 in value)
            value = ones(value)
        CALLS += [(function, {name: value}, name, error, expected + hint, came)
                  for function in RIGHT if name in RIGHT[function]]


@pytest.mark.parametrize("function, change, name, error, expected, came",
                         CALLS, ids=[f"{call[0]}, {call[2]} {i}"
                                     for i, call in enumerate(CALLS)])
def test_the_message_names_the_argument_what_was_expected_and_what_came(
        function, change, name, error, expected, came):
    with pytest.raises(error) as raised:
        getattr(FUNCTIONS, function)(**{**RIGHT[function], **change})
    assert type(raised.value) is error
    start, got = str(raised.value).rsplit(", got ", 1)
    assert start.startswith(f"{name}: expected ") and expected in start
    assert got.startswith(came) or (    # or one of the pairs in it
        got[0] in "([" and got.strip("()") in came)
    for hint in ("channels)", "PyTorch", "sizes are", "Keras"):
        assert (hint in start) == (hint in expected)
