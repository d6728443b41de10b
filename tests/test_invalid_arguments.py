"""Invalid arguments: each raises at once an error that names the argument."""
import numpy as np
import pytest

from common import load

FUNCTIONS = {name[2:-3]: load(name) for name in (
    "0-conv_forward.py", "1-pool_forward.py", "2-conv_backward.py",
    "3-pool_backward.py")}
A_PREV, W, B = np.ones((2, 5, 6, 3)), np.ones((3, 2, 3, 4)), np.ones(4)
RIGHT = {
    "conv_forward": dict(A_prev=A_PREV, W=W, b=B, activation=abs),
    "pool_forward": dict(A_prev=A_PREV, kernel_shape=(3, 2)),
    "conv_backward": dict(dZ=np.ones((2, 5, 6, 4)), A_prev=A_PREV, W=W, b=B),
    "pool_backward": dict(dA=np.ones((2, 3, 5, 3)), A_prev=A_PREV,
                          kernel_shape=(3, 2)),
}
CONVOLUTIONS = "conv_forward", "conv_backward"
POOLINGS = "pool_forward", "pool_backward"

NOT_ARRAYS = [None, "image", {}, {1, 2}, object(), abs, 1j,
              np.ones((2, 5, 6, 3), complex), np.ones((2, 5, 6, 3), object),
              np.full((2, 5, 6, 3), "a"), np.ones((2, 5, 6, 3), "M8[s]"),
              np.ones((2, 5, 6, 3), "m8[s]"), [[1, 2], [3]], [None]]
NOT_IMAGES = [0, 1.5, [], np.ones(4), np.ones((5, 6)), np.ones((5, 6, 3)),
              np.ones((1, 2, 5, 6, 3)), np.ones((2, 0, 6, 3)),
              np.ones((2, 5, 0, 3)), np.ones((2, 5, 6, 0))]
NOT_PAIRS = [None, 1, 2.0, "22", "same", b"\x01\x01", {1, 2}, {1: 2, 2: 3},
             abs, (None, 1), ("1", "1"), (1.0, 1), (1, np.float32(1)),
             (True, 1), (1, np.True_), (1j, 1), ([1], [1]), np.ones(2),
             np.array([True, True]), np.array(2), np.ones((2, 2), int)]
NOT_SIZES = [(), (1,), (1, 1, 1), (0, 1), (1, 0), (-1, 1), [1, -5],
             np.array([0, 1]), (np.int64(0), 1)]

CALLS = [(function, argument, value, TypeError)
         for argument in ("A_prev", "W", "b", "dZ", "dA")
         for function, right in RIGHT.items() if argument in right
         for value in NOT_ARRAYS]
CALLS += [(function, "A_prev", value, ValueError)
          for function in RIGHT for value in NOT_IMAGES]
CALLS += [(function, argument, value, error)
          for argument, functions in (("stride", RIGHT),
                                      ("kernel_shape", POOLINGS))
          for function in functions
          for error, values in ((TypeError, NOT_PAIRS),
                                (ValueError, NOT_SIZES))
          for value in values]
CALLS += [(function, "W", value, ValueError)
          for function in CONVOLUTIONS for value in
          (1, [], np.ones(4), np.ones((3, 2, 3)), np.ones((3, 2, 3, 4, 1)),
           np.ones((3, 2, 4, 3)), np.ones((3, 2, 1, 4)),
           np.ones((0, 2, 3, 4)), np.ones((3, 0, 3, 4)),
           np.ones((3, 2, 0, 4)), np.ones((3, 2, 3, 0)))]
CALLS += [(function, "b", value, ValueError)
          for function in CONVOLUTIONS for value in
          (0, [], np.ones(3), np.ones(5), np.ones((1, 4)), np.ones((4, 1)),
           np.ones((1, 1, 4)), np.ones((1, 1, 1, 5)), np.ones((2, 1, 1, 4)))]
CALLS += [(function, "padding", value, error) for function in CONVOLUTIONS
          for error, value in (
              (ValueError, ""), (ValueError, "SAME"), (ValueError, "full"),
              (ValueError, (-1, 0)), (ValueError, (0, 1, 0)),
              (ValueError, (1,)), (ValueError, ()),
              (ValueError, ((1, 1), (1,))), (ValueError, ((1, 1), (-1, 1))),
              (ValueError, ((1, 2, 3), (1, 1))), (TypeError, ((1, 1),)),
              (TypeError, None), (TypeError, 0), (TypeError, 1.5),
              (TypeError, True), (TypeError, (True, 1)),
              (TypeError, (0.5, 1)), (TypeError, (1, (1, 1))),
              (TypeError, ("same", "valid")), (TypeError, b"same"),
              (TypeError, ((1, 1), "ab")), (TypeError, {0, 1}),
              (TypeError, np.ones(2)), (TypeError, np.array("same")),
              (TypeError, [[[0, 0]], [[0, 0]]]))]
CALLS += [("conv_forward", "activation", value, TypeError) for value in
          (None, "relu", 0, np.maximum(1, 2), ())]
CALLS += [(function, "mode", value, ValueError) for function in POOLINGS
          for value in ("", "MAX", "mean", "sum", None, 0, max, ("max",),
                        np.array(["max", "avg"]))]
CALLS += [("pool_backward", "ties", value, ValueError) for value in
          ("", "last", "ALL", None, True, 1, ["all"], np.array(["all"] * 2))]
CALLS += [("conv_backward", "dZ", value, ValueError) for value in
          (0, [], np.ones((2, 5, 6)), np.ones((2, 5, 6, 3)),
           np.ones((1, 5, 6, 4)), np.ones((2, 6, 5, 4)),
           np.ones((2, 5, 6, 4, 1)), np.ones((0, 5, 6, 4)))]
CALLS += [("pool_backward", "dA", value, ValueError) for value in
          (0, [], np.ones((2, 3, 5)), np.ones((2, 3, 5, 1)),
           np.ones((1, 3, 5, 3)), np.ones((2, 5, 6, 3)),
           np.ones((2, 5, 3, 3)), np.ones((0, 3, 5, 3)))]
TOO_LARGE = [(function, dict(W=np.ones((kh, kw, 3, 4)), padding=padding), "W")
             for function in CONVOLUTIONS for kh, kw, padding in
             ((6, 2, "valid"), (3, 7, "valid"), (8, 2, (1, 9)),
              (3, 9, ((9, 9), (1, 1))))]
TOO_LARGE += [(function, dict(kernel_shape=kernel), "kernel_shape")
              for function in POOLINGS
              for kernel in ((6, 2), (3, 7), (99, 99))]
MESSAGES = [    # what is wrong, what was expected and what came
    ("conv_forward", dict(A_prev=np.ones((5, 6, 3))), "A_prev",
     "(m, h_prev, w_prev, c_prev)", "(5, 6, 3)"),
    ("pool_forward", dict(A_prev=np.ones((2, 5, 6, 3), complex)), "A_prev",
     "real numeric array", "complex128"),
    ("conv_forward", dict(A_prev=np.ma.ones((2, 5, 6, 3))), "A_prev",
     "mask", "MaskedArray"),
    ("conv_forward", dict(W=np.ones((3, 3, 1, 8))), "W", "(kh, kw, 3, c_new)",
     "(3, 3, 1, 8)"),
    ("conv_backward", dict(A_prev=np.ones((2, 3, 5, 6))), "W",
     "A_prev is (m, h, w, channels)", "(3, 2, 3, 4)"),
    ("conv_forward", dict(W=np.ones((6, 3, 3, 4)), padding="valid"), "W",
     "a kernel within the padded (5, 6)", "(6, 3)"),
    ("conv_backward", dict(b=np.zeros(3)), "b", "(1, 1, 1, 4) or (4,)",
     "(3,)"),
    ("conv_forward", dict(activation="relu"), "activation", "callable",
     "'relu'"),
    ("conv_backward", dict(padding="full"), "padding", "'same', 'valid'",
     "'full'"),
    ("conv_forward", dict(padding=1), "padding", "pair of integers", "1"),
    ("conv_forward", dict(padding=((1, 1), (1, 0.5))), "padding",
     "pair of integers of at least 0", "(1, 0.5)"),
    ("pool_forward", dict(stride=(0, 1)), "stride",
     "pair of integers of at least 1", "(0, 1)"),
    ("conv_backward", dict(stride=(True, 1)), "stride", "integers",
     "(True, 1)"),
    ("conv_backward", dict(dZ=np.ones((2, 3, 6, 4))), "dZ", "(2, 5, 6, 4)",
     "(2, 3, 6, 4)"),
    ("conv_backward", dict(stride=(2, 2)), "dZ",
     '"same" gives ceil(size / stride) outputs', "(2, 5, 6, 4)"),
    ("pool_forward", dict(kernel_shape=(6, 2)), "kernel_shape", "(5, 6)",
     "(6, 2)"),
    ("pool_forward", dict(mode='mean'), "mode", "'max' or 'avg'", "'mean'"),
    ("pool_backward", dict(ties='last', mode='avg'), "ties",
     "'all' or 'first'", "'last'"),
    ("pool_backward", dict(dA=np.ones((2, 5, 6, 3))), "dA", "(2, 3, 5, 3)",
     "(2, 5, 6, 3)"),
]


def assert_rejected(function, arguments, name, error):
    before = {key: np.copy(value) for key, value in arguments.items()
              if isinstance(value, np.ndarray)}
    with pytest.raises(error) as raised:
        FUNCTIONS[function](**arguments)
    assert type(raised.value) is error
    assert str(raised.value).startswith(f"{name}: expected ")
    assert ", got " in str(raised.value)
    for key, value in before.items():
        assert np.array_equal(arguments[key], value)


@pytest.mark.parametrize("function, name, value, error", CALLS, ids=[
    f"{f}, {name} {i}" for i, (f, name, *_) in enumerate(CALLS)])
def test_an_invalid_argument_is_named(function, name, value, error):
    assert_rejected(function, {**RIGHT[function], name: value}, name, error)


@pytest.mark.parametrize("function, change, name", TOO_LARGE)
def test_a_kernel_over_the_padded_image_is_named(function, change, name):
    assert_rejected(function, {**RIGHT[function], **change}, name, ValueError)


@pytest.mark.parametrize("function, change, name, expected, got", MESSAGES)
def test_the_message_says_what_was_expected_and_what_came(
        function, change, name, expected, got):
    with pytest.raises((TypeError, ValueError)) as raised:
        FUNCTIONS[function](**{**RIGHT[function], **change})
    start, end = str(raised.value).split(", got ")
    assert start.startswith(f"{name}: expected ") and expected in start
    assert got in end and "\n" not in end
    assert ("channels)" in start) == ("channels)" in expected)


@pytest.mark.parametrize("stride", [(2**62, 1), (1, 2**62), (2**80, 2**80)])
def test_a_stride_beyond_the_image_gives_one_output(stride):
    def one(size, s, k):
        return 1 if s > 99 else size - k + 1
    h, w = one(5, stride[0], 3), one(6, stride[1], 2)
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


@pytest.mark.parametrize("padding", [
    (2**62, 0), (0, 2**80), (2**40, 2**40), ((2**63, 0), (0, 0)),
    (2**27, 2**27)])
@pytest.mark.parametrize("function", CONVOLUTIONS)
def test_a_padding_that_no_array_can_have_is_named(function, padding):
    assert_rejected(function, {**RIGHT[function], "padding": padding},
                    "padding", ValueError)


def test_the_right_calls_are_right():
    for name, arguments in RIGHT.items():
        FUNCTIONS[name](**arguments)
    assert len(CALLS) + len(TOO_LARGE) >= 100


def test_arrays_that_cannot_be_read_are_named():
    class Device:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("on another device")

    with pytest.raises(TypeError, match="A_prev: .* Device .on another dev"):
        FUNCTIONS["pool_forward"](Device(), (2, 2))
