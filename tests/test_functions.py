"""Functions 0 to 3 against their definition, Keras and finite differences.

Ten times as many drawn calls: pytest --hypothesis-profile="new draws".
"""
from concurrent.futures import ThreadPoolExecutor

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common import same_Z
from conftest import assert_close, integers, loaded, table

OURS = loaded()
# Small enough to nudge each number; many more are drawn in test_functions.py.
CONVOLUTIONS = table("A_prev, W, padding, stride", """
1x4x4x1 3x3x1x2 valid 1x1 windows that overlap
2x4x5x3 2x3x3x4 valid 1x1 channels and kernels
2x7x4x2 2x1x2x3 valid 3x2 a remainder, between windows
2x5x4x2 4x3x2x3 same 1x1 same, even height
2x5x6x2 3x1x2x3 same 2x3 same, a stride for each axis
2x2x3x2 3x4x2x3 same 1x1 same, image under the kernel
2x4x5x2 3x3x2x3 2x1 2x1 padding (ph, pw)
2x4x5x2 3x3x2x3 0+2x3+1 1x2 padding of sides
""")
POOLINGS = table("shape, kernel, stride", """
2x4x6x3 2x2 2x2 windows side by side
2x5x6x2 3x2 1x1 windows overlap
2x6x7x2 1x3 3x2 a stride for each axis
2x4x5x3 4x5 1x1 one window an image
""")


def finite_differences(loss, A, step=1e-2):
    """Return the gradient of loss: nudge each number up and down by a step.

    The error of a central difference grows with the third derivative, which
    a linear function does not have: a large step costs no accuracy.
    """
    A, gradient = A.copy(), np.zeros(A.shape)
    for index in np.ndindex(A.shape):
        value = A[index]
        A[index] = value + step
        above = loss(A)
        A[index] = value - step
        gradient[index] = (above - loss(A)) / (2 * step)
        A[index] = value
    return gradient


@CONVOLUTIONS
def test_gradients_are_finite_differences(A_prev, W, padding, stride, rng):
    arrays = [rng.standard_normal(shape) for shape in (A_prev, W, W[-1])]
    options = padding, stride
    dZ = rng.standard_normal(naive.conv_forward(
        *arrays, same_Z, *options).shape)
    for i, gradient in enumerate(OURS.conv_backward(dZ, *arrays, *options)):
        def loss(array):
            nudged = [*arrays[:i], array, *arrays[i + 1:]]
            return (naive.conv_forward(*nudged, same_Z, *options) * dZ).sum()

        assert_close(("dA_prev", "dW", "db")[i], gradient.reshape(
            arrays[i].shape), finite_differences(loss, arrays[i]), 1e-9)


@POOLINGS
@pytest.mark.parametrize("mode, ties", [('max', 'first'), ('avg', 'all')])
def test_gradients_of_poolings_are_finite_differences(
        shape, kernel, stride, mode, ties, rng):
    # All pixels differ by far more than the step: no maximum changes.
    A_prev = rng.permutation(np.arange(float(np.prod(shape)))).reshape(shape)
    dA, = integers(rng, naive.pool_forward(A_prev, kernel, stride).shape)

    def loss(A_prev):
        return (naive.pool_forward(A_prev, kernel, stride, mode) * dA).sum()

    assert_close(mode, OURS.pool_backward(
        dA, A_prev, kernel, stride, mode, ties), finite_differences(
            loss, A_prev), 1e-9)


# Drawn calls, in blocks of the default size or less: no result depends on it

LONG = st.sampled_from([29, 37, 64, 97])
functions = st.sampled_from([OURS, loaded(1), loaded(40), loaded(4000)])


def pairs(most):
    """Draw the sizes of a kernel or stride: (1, 1) is often another path."""
    return st.just((1, 1)) | st.tuples(*[st.integers(1, most)] * 2)


@st.composite
def beyond(draw, stride):
    """Draw a stride far beyond any image instead, now and then."""
    return tuple(draw(st.sampled_from([size] * 18 + [2**62, 2**80]))
                 for size in stride)


def sizes(most):
    """Draw the height and width of images: often small, now and then long."""
    few = st.integers(1, most)
    return st.tuples(few, few) | st.tuples(few, LONG) | st.tuples(LONG, few)


@st.composite
def layouts(draw, array):
    """Draw another layout of the same numbers: a view, perhaps read-only."""
    change = draw(st.sampled_from([
        np.ascontiguousarray, np.asfortranarray,
        lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1],
        lambda a: a.repeat(2, axis=1)[:, ::2]]))
    array = change(array)
    array.flags.writeable = draw(st.booleans())
    return array


@st.composite
def arrays(draw, *shapes, dtypes=("float64",)):
    """Draw small whole numbers: exact in every dtype that is drawn."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    low = 0 if "uint8" in dtypes else -3
    return [draw(layouts(rng.integers(low, 4, shape).astype(
        draw(st.sampled_from(dtypes))))) for shape in shapes]


@st.composite
def convolutions(draw, dtypes=("float64",), minimum_m=0):
    """Draw A_prev, W, b, padding and stride that go together."""
    (kh, kw), (sh, sw), (h, w) = map(draw, (pairs(7), pairs(4), sizes(11)))
    if draw(st.booleans()):     # several outputs of a row may be one
        kw, w, sw = max(kw, 3), draw(LONG), min(sw, 2)
    side = st.integers(0, 3)
    padding = draw(st.one_of(
        st.sampled_from(["same", "valid"]), st.tuples(side, side),
        st.tuples(st.tuples(side, side), st.tuples(side, side))))
    if padding != "same":
        (top, bottom), (left, right) = naive.sides(padding, 0, 0, 0)
        h = max(h, kh - top - bottom, 1)
        w = max(w, kw - left - right, 1)
    m, c_new = draw(st.integers(minimum_m, 3)), draw(st.integers(1, 4))
    c_prev = draw(st.integers(1, 20))
    shapes = (m, h, w, c_prev), (kh, kw, c_prev, c_new), (1, 1, 1, c_new)
    return *draw(arrays(*shapes, dtypes=dtypes)), padding, (sh, sw)


@st.composite
def poolings(draw, dtypes=("float64",), minimum_m=0):
    """Draw A_prev, kernel_shape and stride that go together."""
    kernel, stride = draw(pairs(5) | sizes(5)), draw(pairs(4))
    shape = (draw(st.integers(minimum_m, 3)),
             *map(max, draw(sizes(12)), kernel), draw(st.integers(1, 10)))
    return *draw(arrays(shape, dtypes=dtypes)), kernel, stride


@st.composite
def calls(draw, dtypes):
    """Draw a call: (function, arrays, the rest)."""
    name = draw(st.sampled_from(sorted(vars(OURS))))
    if name[:4] == "conv":
        *inputs, padding, stride = draw(convolutions(dtypes))
        rest = forward = same_Z, padding, draw(beyond(stride))
    else:
        *inputs, kernel, stride = draw(poolings(dtypes))
        mode = draw(st.sampled_from(['max', 'avg']))
        rest = forward = kernel, draw(beyond(stride)), mode
    if "backward" in name:
        dZ = getattr(OURS, name.replace("back", "for"))(*inputs, *forward)
        inputs = draw(arrays(dZ.shape, dtypes=dtypes)) + inputs
        rest = forward[1:] if name[:4] == "conv" else (
            *forward, draw(st.sampled_from(["all", "first"])))
    return name, inputs, rest


def rounding(products, dtype=float):
    """Return how far two sums of so many products may differ, relatively.

    Each product and each addition rounds by at most eps / 2, in any order.
    """
    return products * float(np.finfo(dtype).eps)


def like(array, seed=1):
    """Draw whole numbers of an array's shape."""
    return integers(np.random.default_rng(seed), array.shape)[0]


@given(functions, convolutions())
def test_the_backward_pass_passes_the_dot_product_test(f, drawn):
    # A convolution is linear: sum(dA_prev * V) == sum(dZ * conv(V)) for any
    # V, on whole numbers exactly. Likewise dW and db.
    A_prev, W, b, *rest = drawn
    Z = f.conv_forward(A_prev, W, b, same_Z, *rest)
    dZ, V, U, u = like(Z), like(A_prev, 2), like(W, 3), like(b, 4)
    dA_prev, dW, db = f.conv_backward(dZ, A_prev, W, b, *rest)
    for gradient, direction, arrays in (
            (dA_prev, V, (V, W, 0 * b)), (dW, U, (A_prev, U, 0 * b)),
            (db, u, (0 * A_prev, W, u))):
        assert (gradient * direction).sum() == (
            dZ * f.conv_forward(*arrays, same_Z, *rest)).sum()


ANY = ("float32", "float64", "float16", "uint8", "int64", "bool", ">f4",
       ">i2")
more, often, most = (settings(
    max_examples=n * settings.default.max_examples) for n in (4, 10, 20))


def results(f, name, inputs, rest):
    """Return what a call gives, as a tuple; f: ours, or naive."""
    found = getattr(f, name)(*inputs, *rest)
    return found if isinstance(found, tuple) else (found,)


def exact(name, inputs, rest, dtype=float):
    """Return what the definition gives, rounded once."""
    with np.errstate(all="ignore"):     # ours has to do so itself
        return [result.astype(dtype) for result in results(
            naive, name, [array.astype(float) for array in inputs], rest)]


@often
@given(functions, calls(ANY) | calls(("float32", "float64")))
def test_any_dtype_and_layout_gives_what_the_definition_gives(f, call):
    name, inputs, rest = call
    before = [array.tobytes() for array in inputs]
    ours = results(f, *call)
    assert [array.tobytes() for array in inputs] == before
    dtype = np.result_type(*(a.dtype if a.dtype.kind == "f" else "float64"
                             for a in inputs)).newbyteorder("=")
    for result, expected in zip(ours, exact(*call, dtype)):
        assert_close(name, result, expected, rounding(
            np.prod(rest[0]), dtype) if "avg" in rest else 0.0)
        assert result.dtype == dtype and result.flags.c_contiguous
        assert result.flags.writeable
        assert not any(np.shares_memory(result, array) for array in inputs)


@more
@given(functions, calls(("float16",)))
def test_float16_is_rounded_once(f, call):
    # From 2048 on float16 has no odd numbers: sums on the way would err.
    name, (first, *others), rest = call
    inputs = [abs(first) * np.float16(683), *map(abs, others)]
    for ours, expected in zip(results(f, name, inputs, rest),
                              exact(name, inputs, rest, "f2")):
        np.testing.assert_allclose(ours, expected, 1e-3 * ("avg" in rest))


@most
@given(functions, calls(("float16",)) | calls(("float32",)))
def test_what_overflows_does_not_warn(f, call):
    name, inputs, rest = call       # a warning is an error here
    results(f, name, [np.full_like(array, np.finfo(array.dtype).max)
                      for array in inputs], rest)


@pytest.mark.parametrize("where", ["A_prev", "last column", "W", "dZ"])
@pytest.mark.parametrize("bad", [(np.nan, np.inf), (-np.inf, np.inf)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
def test_what_is_not_finite_stays_in_the_windows_that_hold_it(where, bad,
                                                              stride, rng):
    # Of 37 outputs of a row several are computed as one, with wide kernels
    # and rows that hold zeros: these must not be multiplied with infinity.
    A_prev, W, b = integers(rng, (3, 4, 37*stride[1] + 3, 2), (2, 4, 2, 3),
                            (3,))
    dZ, = integers(rng, naive.conv_forward(A_prev, W, b, same_Z, "valid",
                                           stride).shape)
    array, x = {"A_prev": (A_prev, 1), "last column": (A_prev, -1),
                "W": (W, 1), "dZ": (dZ, 1)}[where]
    array[-1, 1, x, 0], array[0, 0, x, 0] = bad
    for call in (("conv_forward", [A_prev, W, b], (same_Z, "valid", stride)),
                 ("conv_backward", [dZ, A_prev, W, b], ("valid", stride))):
        for ours, expected in zip(results(loaded(2000), *call), exact(*call)):
            np.testing.assert_array_equal(ours, expected)


@more
@given(functions, calls(("float64",)).filter(lambda call: "pool" in call[0]),
       st.integers(0, 2**32))
def test_poolings_do_as_the_definition_where_numbers_are_not_finite(f, call,
                                                                    seed):
    (name, inputs, rest), rng = call, np.random.default_rng(seed)
    inputs = [np.where(rng.random(array.shape) < 0.2, rng.choice(
        [np.nan, np.inf, -np.inf, -0.0], array.shape), array)
        for array in inputs]
    ours, = results(f, name, inputs, rest)
    np.testing.assert_allclose(ours, *exact(name, inputs, rest), 0, 1e-10)
    # The definition adds to 0.0: it never prints -0.
    assert name == "pool_forward" or not np.signbit(ours[ours == 0]).any()


@given(functions, convolutions(dtypes=("float32", "float64")))
def test_the_same_call_gives_the_same_bits_from_eight_threads(f, drawn):
    A_prev, W, b, *rest = drawn
    A_prev, W = np.sin(A_prev + 0.1), np.cos(W + 0.1)

    def call(_):
        Z = f.conv_forward(A_prev, W, b, same_Z, *rest)
        return [result.tobytes() for result in
                (Z, *f.conv_backward(Z, A_prev, W, b, *rest))]

    expected = call(0)
    with ThreadPoolExecutor(8) as pool:
        assert all(bits == expected for bits in pool.map(call, range(8)))


@given(functions, convolutions(minimum_m=1), poolings(minimum_m=1))
def test_keras_layers_agree_on_the_same_draws(tf, f, drawn, pool):
    A_prev, W, b, padding, stride = drawn
    around, word, layers = [(0, 0), (0, 0)], "same", tf.keras.layers
    if padding != "same":
        around, word = naive.sides(padding, 0, 0, 0), "valid"
    layer = layers.Conv2D(
        W.shape[3], W.shape[:2], stride, word, dtype="float64",
        kernel_initializer=lambda *_, **__: W,
        bias_initializer=lambda *_, **__: b.ravel())
    X = tf.Variable(A_prev)
    with tf.GradientTape() as tape:
        Z = layer(tf.pad(X, ((0, 0), *around, (0, 0))))
    ours = f.conv_forward(A_prev, W, b, same_Z, padding, stride)
    assert_close("conv_forward", ours, Z)
    for name, gradient, expected in zip(
            ("dA_prev", "dW", "db"), f.conv_backward(
                like(ours), A_prev, W, b, padding, stride), tape.gradient(
                Z, (X, *layer.trainable_variables), tf.constant(like(ours)))):
        assert_close(name, gradient.reshape(expected.shape), expected)
    A_prev, kernel, stride = pool
    X, close = tf.Variable(A_prev), rounding(kernel[0] * kernel[1])
    for mode, layer in (('max', layers.MaxPooling2D),
                        ('avg', layers.AveragePooling2D)):
        with tf.GradientTape() as tape:
            A = layer(kernel, stride, dtype="float64")(X)
        ours = f.pool_forward(A_prev, kernel, stride, mode)
        assert_close(mode, ours, A, close)
        assert_close(mode, f.pool_backward(
            ours, A_prev, kernel, stride, mode, 'first'), tape.gradient(
                A, X, tf.constant(ours)), close)


def test_activation_gets_all_of_Z_once():
    seen = []
    A = OURS.conv_forward(*[np.ones(shape).tolist() for shape in (
        (2, 3, 3, 1), (3, 3, 1, 1))], [-5.0],
                     lambda Z: seen.append(Z) or np.maximum(Z, 0))
    assert [Z.shape for Z in seen] == [(2, 3, 3, 1)]
    assert A[0, :, :, 0].tolist() == [[0, 1, 0], [1, 4, 1], [0, 1, 0]]


@pytest.mark.parametrize("size", [3, 300], ids=["small", "neighbours"])
def test_warnings_of_the_activation_reach_the_user(size):
    A_prev, W = np.full((1, size, size, 1), 999.0), np.ones((2, 2, 1, 1))
    with pytest.warns(RuntimeWarning, match="overflow"):
        OURS.conv_forward(A_prev, W, [0], np.exp)


def test_padding_in_any_form_is_the_same_padding(rng):
    A_prev, W, b = integers(rng, (2, 5, 6, 2), (3, 3, 2, 3), (3,))
    results = [OURS.conv_forward(A_prev, W, b, same_Z, padding) for padding in
               ("same", (1, 1), [1, 1], ((1, 1), (1, 1)), np.array([1, 1]),
                np.ones((2, 2), int), (np.int64(1), np.int8(1)),
                [np.array([1, 1]), (1, 1)])]
    assert all((result == results[0]).all() for result in results)


@pytest.mark.parametrize("size", [1, 3], ids=["one pixel", "neighbours"])
def test_db_in_float32_does_not_drift(size):
    # Added one after the other, 262,144 equal numbers err by 4e-4.
    dZ = np.full((64, 64, 64, 6), 0.1, np.float32)
    A_prev, W = np.ones((64, 64, 64, 1)), np.ones((size, size, 1, 6))
    _, _, db = OURS.conv_backward(dZ, A_prev.astype("f4"), W.astype("f4"),
                                  np.zeros(6, np.float32))
    exact = dZ[..., 0].sum(dtype=float)
    assert np.abs(db / exact - 1).max() < 1e-5


@pytest.mark.parametrize("block, kw", [(24, 1), (24, 2), (2000, 2), (None, 2)])
def test_dW_in_float16_is_rounded_once(block, kw):
    dZ, A_prev, W = (np.ones(shape, "f2") for shape in (
        (45, 47, 7, 1), (45, 47, 6 + kw, 1), (1, kw, 1, 1)))
    _, dW, db = loaded(block).conv_backward(dZ, A_prev, W, W[0, 0, 0], "valid")
    assert (dW == np.float16(dZ.size)).all() and db == np.float16(dZ.size)
