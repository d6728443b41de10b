"""What all four functions promise: dtypes, layouts, NaN, no warnings."""
from functools import partial

import naive
import numpy as np
import pytest

from cases import integers
from common import same_Z

SHAPES = dict(A_prev=(2, 5, 4, 2), W=(3, 2, 2, 3), b=(3,), dZ=(2, 5, 4, 3),
              dA=(2, 4, 3, 2))
CALLS = {   # the function, its arrays, and what follows them
    "conv_forward": ("conv_forward", ("A_prev", "W", "b"), (same_Z,)),
    "conv_backward": ("conv_backward", ("dZ", "A_prev", "W", "b"), ()),
    **{f"pool_forward {mode}": ("pool_forward", ("A_prev",), (
        (2, 2), (1, 1), mode)) for mode in ('max', 'avg')},
    **{f"pool_backward {mode}": ("pool_backward", ("dA", "A_prev"), (
        (2, 2), (1, 1), mode)) for mode in ('max', 'avg')},
}
every_call = pytest.mark.parametrize("call", CALLS)
ENDINGS = [     # of the arrays, in turn, and of the results
    (("float32",) * 4, "float32"), (("float64",) * 4, "float64"),
    (("float16",) * 4, "float16"), (("float32", "float64"), "float64"),
    (("float32", "int8"), "float64"), (("uint8", "bool"), "float64"),
    (("float16", "float32"), "float32"), ((">f4",) * 4, "float32"),
    ((">f2", ">f2"), "float16"), ((">i2", ">f8"), "float64")]


def results(functions, call, arrays):
    """Return the results of a call as a tuple; functions: ours, or naive."""
    function, _, rest = CALLS[call]
    found = getattr(functions, function)(*arrays, *rest)
    return found if isinstance(found, tuple) else (found,)


def draw(rng, call):
    return integers(rng, *(SHAPES[name] for name in CALLS[call][1]))


def equal(ours, expected):
    return all(a.shape == b.shape and (a == b).all()
               for a, b in zip(ours, expected))


@every_call
@pytest.mark.parametrize("dtypes, expected", ENDINGS)
def test_dtypes_are_promoted(functions, call, dtypes, expected, rng):
    arrays = [np.abs(array) % 2 * 4 for array in draw(rng, call)]
    arrays = [array.astype(dtypes[i % len(dtypes)])
              for i, array in enumerate(arrays)]
    exact = results(naive, call, [array.astype(float) for array in arrays])
    dtype = np.dtype(expected)
    if len(arrays) == 1 and len(set(dtypes)) > 1:       # a pooling of one
        dtype = np.result_type(arrays[0].dtype.newbyteorder("="), "f2") if (
            arrays[0].dtype.kind == "f") else np.dtype(float)
    ours = results(functions, call, arrays)
    assert all(a.dtype == dtype and a.dtype.isnative for a in ours)
    assert equal(ours, [a.astype(dtype) for a in exact])


@every_call
def test_inputs_stay_and_results_are_new(functions, call, rng):
    arrays = draw(rng, call)
    before = [array.tobytes() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    for result in results(functions, call, arrays):
        assert result.flags.c_contiguous and result.flags.writeable
        assert not any(np.shares_memory(result, array) for array in arrays)
        result[...] = 7
    assert [array.tobytes() for array in arrays] == before


@pytest.mark.parametrize("call", ["conv_forward", "conv_backward"])
def test_a_kernel_of_one_pixel_shares_no_memory(functions, call, rng):
    A_prev, W, b = integers(rng, (2, 3, 3, 4), (1, 1, 4, 4), (4,))
    arrays = [A_prev, A_prev.copy(), W, b][call == "conv_forward":]
    before = [array.tobytes() for array in arrays]
    for result in results(functions, call, arrays):
        assert not any(np.shares_memory(result, array) for array in arrays)
    assert [array.tobytes() for array in arrays] == before


@every_call
@pytest.mark.parametrize("change", [
    np.ndarray.tolist, np.asfortranarray, lambda a: a.T.copy().T,
    lambda a: a[::-1].copy()[::-1], lambda a: a.repeat(2, axis=0)[::2],
    lambda a: a.astype(">f8")],
    ids=["lists", "F", "transposed", "reversed", "stretched", "big endian"])
def test_layouts_never_matter(functions, call, change, rng):
    arrays = draw(rng, call)
    assert equal(results(functions, call, [change(a) for a in arrays]),
                 results(naive, call, arrays))


@every_call
def test_no_images_give_empty_results_and_zero_gradients(functions, call):
    arrays = [np.ones(SHAPES[name], np.float32) for name in CALLS[call][1]]
    arrays = [array if name in ("W", "b") else array[:0]
              for array, name in zip(arrays, CALLS[call][1])]
    ours = results(functions, call, arrays)
    assert equal(ours, results(naive, call, arrays))
    assert all(a.dtype == np.float32 and not a.any() for a in ours)


@pytest.mark.filterwarnings("error")
@every_call
@pytest.mark.parametrize("dtype, large", [("f4", 3e38), ("f2", 6e4)])
def test_what_overflows_does_not_warn(functions, call, dtype, large):
    arrays = [np.full(SHAPES[name], large, dtype) for name in CALLS[call][1]]
    overflow = call in ("conv_forward", "conv_backward",
                        "pool_backward max") or (
        call == "pool_forward avg" and dtype == "f4")
    for result in results(functions, call, arrays):
        assert np.isinf(result).any() == overflow and result.dtype == dtype


def test_float16_is_rounded_once(functions):
    # In float16, 2048 + 1 is 2048: sums of ones would stop there.
    ones = partial(np.ones, dtype="f2")
    Z = functions.conv_forward(ones((1, 64, 64, 1)), ones((64, 64, 1, 1)),
                               np.array([3], "f2"), same_Z, "valid")
    assert Z.dtype == np.float16 and Z.item() == np.float16(64 * 64 + 3)
    dA_prev, dW, db = functions.conv_backward(
        ones((30, 20, 20, 1)), ones((30, 20, 20, 1)), ones((1, 1, 1, 1)),
        ones(1))
    assert dA_prev.dtype == dW.dtype == db.dtype == np.float16
    assert dW.item() == db.item() == 30 * 20 * 20 and (dA_prev == 1).all()
    dA_prev = functions.pool_backward(ones((1, 1, 4099, 1)),
                                      ones((1, 1, 8197, 1)), (1, 4099))
    assert dA_prev[0, 0, 4098, 0] == np.float16(4099)


@pytest.mark.parametrize("kernel, stride", [((4, 3), (1, 2)),
                                            ((2, 3), (3, 1))])
def test_float16_is_rounded_once_where_windows_and_blocks_meet(
        functions, kernel, stride, rng):
    # Sums of 2048 and small numbers are no float16 on the way.
    A_prev = rng.integers(0, 2, (2, 9, 8, 2)).astype("f2")
    dA = naive.pool_forward(A_prev, kernel, stride)
    dA = rng.choice([1, 3, 2048], dA.shape).astype("f2")
    ours = functions.pool_backward(dA, A_prev, kernel, stride)
    assert equal([ours], [naive.pool_backward(
        dA, A_prev, kernel, stride).astype("f2")])


def test_dW_of_neighbours_is_rounded_once(functions):
    ones = partial(np.ones, dtype="f2")
    _, dW, db = functions.conv_backward(
        ones((45, 47, 7, 1)), ones((45, 47, 8, 1)), ones((1, 2, 1, 1)),
        ones(1), "valid")
    total = np.float16(45 * 47 * 7)
    assert (dW == total).all() and (db == total).all()


# Not finite. In rows so long, several outputs are computed as one, with wide
# kernels that hold zeros: zero times infinity must not reach the results.
BAD = {"NaN and infinity": (np.nan, np.inf), "infinity": (-np.inf, np.inf)}


@pytest.mark.filterwarnings("ignore:invalid value")     # inf - inf in naive
@pytest.mark.parametrize("where", ["A_prev", "W", "dZ"])
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_finite_stays_in_the_windows_that_hold_it(
        functions, where, bad, stride, dtype, rng):
    A_prev, W, b = integers(rng, (9, 5, 146, 2), (2, 4, 2, 3), (3,))
    options = "valid", stride
    dZ, = integers(rng, naive.conv_forward(A_prev, W, b, same_Z,
                                           *options).shape)
    array = dict(A_prev=A_prev, W=W, dZ=dZ)[where]
    array[-1, 1, 1, 0], array[0, 0, 1, 0] = BAD[bad]
    arrays = [a.astype(dtype) for a in (dZ, A_prev, W, b)]
    if where != "dZ":
        Z = functions.conv_forward(*arrays[1:], same_Z, *options)
        np.testing.assert_array_equal(Z, naive.conv_forward(
            A_prev, W, b, same_Z, *options))
    for ours, exact in zip(functions.conv_backward(*arrays, *options),
                           naive.conv_backward(dZ, A_prev, W, b, *options)):
        np.testing.assert_array_equal(ours, exact)


def test_infinity_does_not_meet_zeros_that_no_user_sees(functions):
    # 37 outputs of a row are no multiple of the number computed as one; the
    # zeros that fill up the last must not be multiplied with infinity.
    A_prev, W = np.ones((99, 3, 113, 1)), np.ones((2, 4, 1, 2))
    A_prev[0, :, 112] = np.inf      # no window covers this column
    dZ, b = np.ones((99, 2, 37, 2)), np.zeros(2)
    options = "valid", (1, 3)
    Z = functions.conv_forward(A_prev, W, b, same_Z, *options)
    assert (Z == 8).all()
    for ours, exact in zip(functions.conv_backward(dZ, A_prev, W, b, *options),
                           naive.conv_backward(dZ, A_prev, W, b, *options)):
        np.testing.assert_array_equal(ours, exact)
