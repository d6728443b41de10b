"""Invalid arguments: each raises at once an error that names the argument."""
import numpy as np
import pytest

from conftest import loaded

FUNCTIONS = vars(loaded())
ones = np.ones
A_PREV, W, B = ones((2, 5, 6, 3)), ones((3, 2, 3, 4)), ones(4)
RIGHT = {
    "conv_forward": dict(A_prev=A_PREV, W=W, b=B, activation=abs),
    "pool_forward": dict(A_prev=A_PREV, kernel_shape=(3, 2), mode='max'),
    "conv_backward": dict(dZ=ones((2, 5, 6, 4)), A_prev=A_PREV, W=W, b=B),
    "pool_backward": dict(dA=ones((2, 3, 5, 3)), A_prev=A_PREV, mode='max',
                          kernel_shape=(3, 2), ties='all'),
}
CONVOLUTIONS = "conv_forward", "conv_backward"

NOT_ARRAYS = [None, "image", {}, {1, 2}, object(), abs, 1j,
              ones((2, 5, 6, 3), complex), ones((2, 5, 6, 3), object),
              np.full((2, 5, 6, 3), "a"), ones((2, 5, 6, 3), "M8[s]"),
              ones((2, 5, 6, 3), "m8[s]"), [[1, 2], [3]], [None],
              np.ma.ones((2, 5, 6, 3))]
NOT_PAIRS = [None, 1, 2.0, "22", "same", b"\x01\x01", {1, 2}, {1: 2, 2: 3},
             abs, (None, 1), ("1", "1"), (1.0, 1), (1, np.float32(1)),
             (True, 1), (1, np.True_), (1j, 1), ([1], [1]), ones(2),
             np.array([True, True]), np.array(2), ones((2, 2), int)]
NOT_SIZES = [(), (1,), (1, 1, 1), (0, 1), (1, 0), (-1, 1), [1, -5],
             np.array([0, 1]), (np.int64(0), 1)]
NOT_PADDINGS = [None, 0, 1.5, True, (True, 1), (0.5, 1), (1, (1, 1)),
                ("same", "valid"), b"same", ((1, 1), "ab"), {0, 1}, ones(2),
                np.array("same"), [[[0, 0]], [[0, 0]]], ((1, 1),)]


def shapes(*wrong):
    return [0, [], *(ones(shape) for shape in wrong)]


WRONG = [   # argument, error, values
    *((name, TypeError, NOT_ARRAYS) for name in ("A_prev", "W", "b", "dZ",
                                                 "dA")),
    ("A_prev", ValueError, shapes((5, 6), (5, 6, 3), (1, 2, 5, 6, 3),
                                  (2, 0, 6, 3), (2, 5, 0, 3), (2, 5, 6, 0))),
    ("W", ValueError, shapes((3, 2, 3), (3, 2, 3, 4, 1), (3, 2, 4, 3),
                             (3, 2, 1, 4), (0, 2, 3, 4), (3, 0, 3, 4),
                             (3, 2, 0, 4), (3, 2, 3, 0), (4, 3, 3, 3))),
    ("b", ValueError, shapes(3, 5, (1, 4), (4, 1), (1, 1, 4), (1, 1, 1, 5),
                             (2, 1, 1, 4), (1, 1, 2, 2))),
    ("dZ", ValueError, shapes((2, 5, 6), (2, 5, 6, 3), (1, 5, 6, 4),
                              (2, 6, 5, 4), (2, 5, 6, 4, 1), (0, 5, 6, 4))),
    ("dA", ValueError, shapes((2, 3, 5), (2, 3, 5, 1), (1, 3, 5, 3),
                              (2, 5, 6, 3), (2, 5, 3, 3), (0, 3, 5, 3))),
    ("padding", TypeError, NOT_PADDINGS),
    ("padding", ValueError, [
        "", "SAME", "full", (-1, 0), (0, 1, 0), (1,), (), ((1, 1), (1,)),
        ((1, 1), (-1, 1)), ((1, 2, 3), (1, 1)),
        # What no array can have:
        (2**62, 0), (0, 2**80), (2**40, 2**40), ((2**63, 0), (0, 0)),
        (2**27, 2**27)]),
    *((name, error, values) for name in ("stride", "kernel_shape")
      for error, values in ((TypeError, NOT_PAIRS), (ValueError, NOT_SIZES))),
    ("kernel_shape", ValueError, [(6, 2), (3, 7), (99, 99)]),
    ("activation", TypeError, [None, "relu", 0, np.maximum(1, 2), ()]),
    ("mode", ValueError, ["", "MAX", "mean", "sum", None, 0, max, ("max",),
                          np.array(["max", "avg"])]),
    ("ties", ValueError, ["", "last", "ALL", None, True, 1, ["all"],
                          np.array(["all"] * 2)]),
]
CALLS = [(function, name, error, value) for name, error, values in WRONG
         for function, right in RIGHT.items() for value in values
         if name in right or name == "stride"
         or name == "padding" and function in CONVOLUTIONS]
MESSAGES = [    # what is wrong, what was expected and what came
    ("conv_forward", dict(A_prev=ones((5, 6, 3))), "A_prev",
     "(m, h_prev, w_prev, c_prev)", "(5, 6, 3)"),
    ("pool_forward", dict(A_prev=ones((2, 0, 8, 3))), "A_prev",
     "sizes are at least 1, only m may be 0", "(2, 0, 8, 3)"),
    ("pool_forward", dict(A_prev=ones((2, 5, 6, 3), complex)), "A_prev",
     "real numeric array", "complex128"),
    ("conv_forward", dict(A_prev=np.ma.ones((2, 5, 6, 3))), "A_prev",
     "mask", "MaskedArray"),
    ("conv_forward", dict(W=ones((3, 3, 1, 8))), "W", "(kh, kw, 3, c_new)",
     "(3, 3, 1, 8)"),
    ("conv_backward", dict(A_prev=ones((2, 3, 5, 6))), "W",
     "A_prev is (m, h, w, channels)", "(3, 2, 3, 4)"),
    ("conv_forward", dict(W=ones((4, 3, 3, 3))), "W",
     "PyTorch's (c_new, c_prev, kh, kw)", "(4, 3, 3, 3)"),
    ("conv_backward", dict(W=ones((4, 3, 5, 4))), "W",
     "PyTorch's (c_new, c_prev, kh, kw)", "(4, 3, 5, 4)"),
    ("conv_forward", dict(W=ones((6, 3, 3, 4)), padding="valid"), "W",
     "a kernel within the padded (5, 6)", "(6, 3)"),
    ("conv_backward", dict(W=ones((3, 9, 3, 4)), padding=((9, 9), (1, 1))),
     "W", "a kernel within the padded (23, 8)", "(3, 9)"),
    ("conv_backward", dict(b=np.zeros(3)), "b", "(1, 1, 1, 4) or (4,)",
     "(3,)"),
    ("conv_forward", dict(activation="relu"), "activation", "callable",
     "'relu'"),
    ("conv_backward", dict(padding="full"), "padding", "'same', 'valid'",
     "'full'"),
    ("conv_forward", dict(padding=((1, 1), (1, 0.5))), "padding",
     "pair of integers of at least 0", "(1, 0.5)"),
    ("pool_forward", dict(stride=(0, 1)), "stride",
     "pair of integers of at least 1", "(0, 1)"),
    ("conv_backward", dict(dZ=ones((2, 3, 6, 4))), "dZ", "(2, 5, 6, 4)",
     "(2, 3, 6, 4)"),
    ("conv_backward", dict(stride=(2, 2)), "dZ",
     '"same" gives ceil(size / stride) outputs', "(2, 5, 6, 4)"),
    ("pool_forward", dict(kernel_shape=(6, 2)), "kernel_shape", "(5, 6)",
     "(6, 2)"),
    ("pool_forward", dict(mode='mean'), "mode", "'max' or 'avg'", "'mean'"),
    ("pool_backward", dict(ties='last', mode='avg'), "ties",
     "'all' or 'first'", "'last'"),
    ("pool_backward", dict(dA=ones((2, 5, 6, 3))), "dA", "(2, 3, 5, 3)",
     "(2, 5, 6, 3)"),
]


@pytest.mark.parametrize("function, name, error, value", CALLS, ids=[
    f"{f}, {name} {i}" for i, (f, name, *_) in enumerate(CALLS)])
def test_an_invalid_argument_is_named(function, name, error, value):
    arguments = {**RIGHT[function], name: value}
    with pytest.raises(error) as raised:
        FUNCTIONS[function](**arguments)
    assert type(raised.value) is error
    assert str(raised.value).startswith(f"{name}: expected ")
    assert ", got " in str(raised.value)


@pytest.mark.parametrize("function, change, name, expected, got", MESSAGES)
def test_the_message_says_what_was_expected_and_what_came(
        function, change, name, expected, got):
    with pytest.raises((TypeError, ValueError)) as raised:
        FUNCTIONS[function](**{**RIGHT[function], **change})
    start, end = str(raised.value).rsplit(", got ", 1)
    assert start.startswith(f"{name}: expected ") and expected in start
    assert got in end and "\n" not in end
    for hint in ("channels)", "PyTorch", "sizes are"):      # only where asked
        assert (hint in start) == (hint in expected)


def test_the_right_calls_are_right():
    for name, arguments in RIGHT.items():
        FUNCTIONS[name](**arguments)
    assert len(CALLS) >= 400


@pytest.mark.parametrize("stride", [(2**62, 1), (1, 2**62), (2**80, 2**80)])
def test_a_stride_beyond_the_image_gives_one_output(stride):
    h, w = (1 if s > 99 else n for s, n in zip(stride, (3, 5)))
    Z = FUNCTIONS["conv_forward"](A_PREV, W, B, abs, "valid", stride)
    assert Z.shape == (2, h, w, 4) and (Z == 3 * 2 * 3 + 1).all()
    dA_prev, dW, db = FUNCTIONS["conv_backward"](Z, A_PREV, W, B, "valid",
                                                 stride)
    assert dA_prev.sum() == 3 * 2 * 3 * Z.sum() and (db == 2*h*w * 19).all()
    A = FUNCTIONS["pool_forward"](A_PREV, (3, 2), stride, 'avg')
    assert A.shape == (2, h, w, 3) and (A == 1).all()
    dA_prev = FUNCTIONS["pool_backward"](A, A_PREV, (3, 2), stride)
    assert dA_prev.sum() == 3 * 2 * A.size
    if h * w == 1:
        assert FUNCTIONS["conv_forward"](A_PREV, W, B, abs, "same",
                                         stride).shape == (2, 1, 1, 4)


def test_arrays_that_cannot_be_read_are_named():
    class Device:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("on another device")

    with pytest.raises(TypeError, match="A_prev: .* Device .on another dev"):
        FUNCTIONS["pool_forward"](Device(), (2, 2))
