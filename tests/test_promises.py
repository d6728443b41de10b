"""What all four functions promise: dtypes, layouts, NaN, no warnings."""
import naive
import numpy as np
import pytest

from cases import integers
from common import same_Z
from conftest import loaded

CALLS = {   # the shapes of the arrays, in turn, and what follows them
    "conv_forward": (dict(A_prev=(2, 5, 4, 2), W=(3, 2, 2, 3), b=(3,)),
                     (same_Z,)),
    "conv_forward, one pixel": (dict(A_prev=(2, 3, 3, 4), W=(1, 1, 4, 4),
                                     b=(4,)), (same_Z,)),
    "conv_backward": (dict(dZ=(2, 5, 4, 3), A_prev=(2, 5, 4, 2),
                           W=(3, 2, 2, 3), b=(3,)), ()),
    "conv_backward, one pixel": (dict(dZ=(2, 3, 3, 4), A_prev=(2, 3, 3, 4),
                                      W=(1, 1, 4, 4), b=(4,)), ()),
    **{f"pool_forward, {mode}": (dict(A_prev=(2, 5, 4, 2)), (
        (2, 2), (1, 1), mode)) for mode in ('max', 'avg')},
    **{f"pool_backward, {mode}": (dict(dA=(2, 4, 3, 2), A_prev=(2, 5, 4, 2)), (
        (2, 2), (1, 1), mode)) for mode in ('max', 'avg')},
    "pool_forward, one pixel": (dict(A_prev=(2, 5, 4, 2)), ((1, 1),)),
    "pool_backward, one pixel": (dict(dA=(2, 5, 4, 2), A_prev=(2, 5, 4, 2)),
                                 ((1, 1),)),
}
every_call = pytest.mark.parametrize("call", CALLS)


def results(functions, call, arrays, rest=None):
    """Return the results of a call as a tuple; functions: ours, or naive."""
    function = getattr(functions, call.partition(",")[0])
    found = function(*arrays, *(CALLS[call][1] if rest is None else rest))
    return found if isinstance(found, tuple) else (found,)


def draw(rng, call):
    return integers(rng, *CALLS[call][0].values())


def equal(ours, expected):
    return len(ours) == len(expected) and all(
        a.shape == b.shape and (a == b).all() for a, b in zip(ours, expected))


@pytest.mark.filterwarnings("error")
@every_call
@pytest.mark.parametrize("dtype, large", [("f4", 3e38), ("f2", 6e4)])
def test_what_overflows_does_not_warn(functions, call, dtype, large):
    arrays = [np.full(shape, large, dtype)
              for shape in CALLS[call][0].values()]
    overflow = "conv" in call or call == "pool_backward, max" or (
        call == "pool_forward, avg" and dtype == "f4")
    for result in results(functions, call, arrays):
        assert np.isinf(result).any() == overflow and result.dtype == dtype


@every_call
def test_float16_is_rounded_once(functions, call, rng):
    # From 2048 on float16 has no odd numbers: sums on the way would err.
    arrays = [rng.integers(0, 2, array.shape) for array in draw(rng, call)]
    arrays[0] = rng.integers(0, 2049, arrays[0].shape)
    ours = results(functions, call, [array.astype("f2") for array in arrays])
    exact = results(naive, call, arrays)
    assert equal(ours, [array.astype("f2") for array in exact])


def test_dW_of_neighbours_is_rounded_once(functions):
    dZ, A_prev, W = (np.ones(shape, "f2") for shape in (
        (45, 47, 7, 1), (45, 47, 8, 1), (1, 2, 1, 1)))
    _, dW, db = functions.conv_backward(dZ, A_prev, W, W[0, 0, 0], "valid")
    assert (dW == np.float16(dZ.size)).all() and db == np.float16(dZ.size)


@pytest.mark.parametrize("where", ["A_prev", "last column", "W", "dZ"])
@pytest.mark.parametrize("bad", [(np.nan, np.inf), (-np.inf, np.inf)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
def test_what_is_not_finite_stays_in_the_windows_that_hold_it(where, bad,
                                                              stride, rng):
    # Of 37 outputs of a row several are computed as one, with wide kernels
    # and rows that hold zeros: these must not be multiplied with infinity.
    A_prev, W, b = integers(rng, (3, 4, 37*stride[1] + 3, 2), (2, 4, 2, 3),
                            (3,))
    options = "valid", stride
    Z_shape = naive.conv_forward(A_prev, W, b, same_Z, *options).shape
    dZ, = integers(rng, Z_shape)
    array, x = {"A_prev": (A_prev, 1), "last column": (A_prev, -1),
                "W": (W, 1), "dZ": (dZ, 1)}[where]
    array[-1, 1, x, 0], array[0, 0, x, 0] = bad
    for call, *arguments in (
            ("conv_forward", [A_prev, W, b], (same_Z, *options)),
            ("conv_backward", [dZ, A_prev, W, b], options)):
        with np.errstate(invalid="ignore"):     # ours has to do so itself
            exact = results(naive, call, *arguments)
        for array, expected in zip(results(loaded(2000), call, *arguments),
                                   exact):
            np.testing.assert_array_equal(array, expected)
            assert array.flags.c_contiguous
