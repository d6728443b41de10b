"""Properties that hold for every shape, stride, padding and dtype.

The same cases are drawn every time. To draw new ones, and ten times as many:

    python -m pytest tests/test_properties.py --hypothesis-profile="new draws"
"""
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import same_Z
from compare import check, rounding
from conftest import loaded

# The four functions, in blocks of the default size or less: no result may
# depend on it.
functions = st.sampled_from([loaded(), loaded(1), loaded(40), loaded(600)])


@st.composite
def sizes(draw, most):
    """Draw the height and width of images: often small, now and then long."""
    long = st.sampled_from([29, 37, 64, 97])
    h, w = (draw(st.integers(1, most)) for _ in "hw")
    return draw(st.sampled_from([(h, w), (h, w), (h, w), (h, draw(long)),
                                 (draw(long), w)]))


@st.composite
def layouts(draw, array):
    """Draw another layout of the same numbers: a view, perhaps read-only."""
    layout = draw(st.sampled_from(["C", "F", "reversed", "stretched"]))
    if layout == "F":
        array = np.asfortranarray(array)
    elif layout == "reversed":
        array = np.ascontiguousarray(array[..., ::-1])[..., ::-1]
    elif layout == "stretched":
        array = array.repeat(2, axis=1)[:, ::2]
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
    kh, kw = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    side = st.integers(0, 3)
    padding = draw(st.one_of(
        st.sampled_from(["same", "valid"]), st.tuples(side, side),
        st.tuples(st.tuples(side, side), st.tuples(side, side))))
    h, w = draw(sizes(11))
    if padding != "same":
        (top, bottom), (left, right) = sides_of(padding)
        h = max(h, kh - top - bottom, 1)
        w = max(w, kw - left - right, 1)
    m, c_prev, c_new = (draw(st.integers(minimum, most)) for minimum, most in
                        ((minimum_m, 3), (1, 20), (1, 4)))
    A_prev, W, b = draw(arrays((m, h, w, c_prev), (kh, kw, c_prev, c_new),
                               (1, 1, 1, c_new), dtypes=dtypes))
    return A_prev, W, b, padding, stride


@st.composite
def poolings(draw, dtypes=("float64",), minimum_m=0):
    """Draw A_prev, kernel_shape and stride that go together."""
    kernel = draw(sizes(5))
    stride = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    shape = (draw(st.integers(minimum_m, 3)),
             *map(max, draw(sizes(12)), kernel), draw(st.integers(1, 10)))
    A_prev, = draw(arrays(shape, dtypes=dtypes))
    return A_prev, kernel, stride


def sides_of(padding):
    """Return a padding other than same as ((top, bottom), (left, right))."""
    if padding == "valid":
        return (0, 0), (0, 0)
    return tuple((p, p) if isinstance(p, int) else p for p in padding)


def like(array, seed=1, low=-3):
    """Draw whole numbers of an array's shape."""
    return np.random.default_rng(seed).integers(
        low, 4, array.shape).astype(float)


@given(functions, convolutions())
def test_the_backward_pass_passes_the_dot_product_test(f, drawn):
    A_prev, W, b, *rest = drawn
    Z = f.conv_forward(A_prev, W, b, same_Z, *rest)
    dZ, V, U, u = like(Z), like(A_prev, 2), like(W, 3), like(b, 4)
    dA_prev, dW, db = f.conv_backward(dZ, A_prev, W, b, *rest)
    zero = np.zeros_like(b)
    assert (dA_prev * V).sum() == (
        dZ * f.conv_forward(V, W, zero, same_Z, *rest)).sum()
    assert (dW * U).sum() == (
        dZ * f.conv_forward(A_prev, U, zero, same_Z, *rest)).sum()
    assert (db * u).sum() == (
        dZ * f.conv_forward(0 * A_prev, W, u, same_Z, *rest)).sum()


@given(functions, convolutions())
def test_a_convolution_is_linear_in_images_and_in_kernels(f, drawn):
    A_prev, W, b, *rest = drawn

    def Z(A_prev, W, b=0 * b):
        return f.conv_forward(A_prev, W, b, same_Z, *rest)

    V, U = like(A_prev), like(W)
    assert (Z(2 * A_prev - V, W) == 2 * Z(A_prev, W) - Z(V, W)).all()
    assert (Z(A_prev, 2 * W - U) == 2 * Z(A_prev, W) - Z(A_prev, U)).all()
    assert (Z(A_prev, W, b) == Z(A_prev, W) + b).all()


@given(functions, convolutions(minimum_m=1), poolings(minimum_m=1))
def test_a_batch_equals_its_images_one_by_one(f, conv, pool):
    A_prev, W, b, *rest = conv
    Z = f.conv_forward(A_prev, W, b, same_Z, *rest)
    dZ = like(Z)
    batch = f.conv_backward(dZ, A_prev, W, b, *rest)
    single = [f.conv_backward(dZ[n:n + 1], A_prev[n:n + 1], W, b, *rest)
              for n in range(len(Z))]
    for n in range(len(Z)):
        assert (Z[n] == f.conv_forward(A_prev[n:n + 1], W, b, same_Z, *rest)
                [0]).all()
        assert (batch[0][n] == single[n][0][0]).all()
    assert (batch[1] == sum(gradients[1] for gradients in single)).all()
    A_prev, *rest = pool
    for mode in ('max', 'avg'):
        A = f.pool_forward(A_prev, *rest, mode)
        dA_prev = f.pool_backward(A, A_prev, *rest, mode)
        for n in range(len(A)):
            one = np.s_[n:n + 1]
            assert (A[one] == f.pool_forward(A_prev[one], *rest, mode)).all()
            assert (dA_prev[one] == f.pool_backward(
                A[one], A_prev[one], *rest, mode)).all()


@given(functions, convolutions(), poolings())
def test_an_image_shifted_by_a_stride_shifts_the_result(f, conv, pool):
    A_prev, W, b, _, (sh, sw) = conv
    wide = np.pad(A_prev, ((0, 0), (sh, 9), (sw, 9), (0, 0)))
    shifted = wide[:, sh:, sw:]
    if shifted.shape[1] >= len(W) and shifted.shape[2] >= W.shape[1]:
        Z = f.conv_forward(wide, W, b, same_Z, "valid", (sh, sw))
        S = f.conv_forward(shifted, W, b, same_Z, "valid", (sh, sw))
        assert (Z[:, 1:, 1:] == S[:, :Z.shape[1] - 1, :Z.shape[2] - 1]).all()
    A_prev, kernel, (sh, sw) = pool
    wide = np.pad(A_prev, ((0, 0), (sh, 0), (sw, 0), (0, 0)))
    for mode in ('max', 'avg'):
        assert (f.pool_forward(wide, kernel, (sh, sw), mode)[:, 1:, 1:]
                == f.pool_forward(A_prev, kernel, (sh, sw), mode)).all()


@given(functions, poolings())
def test_the_maximum_of_minus_A_is_minus_the_minimum_of_A(f, drawn):
    A_prev, (kh, kw), (sh, sw) = drawn
    windows = np.lib.stride_tricks.sliding_window_view(
        A_prev, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]
    assert (f.pool_forward(-A_prev, (kh, kw), (sh, sw))
            == -windows.min(axis=(4, 5))).all()


@given(functions, poolings())
def test_the_sum_of_the_gradient_is_kept(f, drawn):
    A_prev, *rest = drawn
    dA = like(f.pool_forward(A_prev, *rest))
    assert f.pool_backward(dA, A_prev, *rest, 'max', 'first').sum() == dA.sum()
    average = f.pool_backward(dA, A_prev, *rest, 'avg')
    close = rounding(A_prev.size) * np.abs(dA).sum()
    assert abs(average.sum() - dA.sum()) <= close


@given(functions, poolings())
def test_ties_all_is_the_mask_and_first_is_a_part_of_it(f, drawn):
    A_prev, *rest = drawn
    dA = np.ones(f.pool_forward(A_prev, *rest).shape)
    everyone = f.pool_backward(dA, A_prev, *rest)
    first = f.pool_backward(dA, A_prev, *rest, ties='first')
    assert (first <= everyone).all() and ((first > 0) <= (everyone > 0)).all()


ANY = ("float32", "float64", "float16", "uint8", "int64", "bool", ">f4",
       ">i2")


@given(functions, convolutions(dtypes=ANY), poolings(dtypes=ANY))
def test_dtypes_are_kept_and_inputs_untouched(f, conv, pool):
    A_prev, W, b, *rest = conv
    before = [a.tobytes() for a in (A_prev, W, b)]
    dtype = np.result_type(*(a.dtype if a.dtype.kind == "f" else "float64"
                             for a in (A_prev, W, b))).newbyteorder("=")
    Z = f.conv_forward(A_prev, W, b, same_Z, *rest)
    exact = f.conv_forward(*(a.astype(float) for a in (A_prev, W, b)), same_Z,
                           *rest)
    assert Z.dtype == dtype and (Z == exact.astype(dtype)).all()
    gradients = f.conv_backward(np.ones_like(Z), A_prev, W, b, *rest)
    assert all(g.dtype == dtype and g.flags.c_contiguous for g in gradients)
    assert [g.shape for g in gradients] == [A_prev.shape, W.shape,
                                            (1, 1, 1, W.shape[-1])]
    assert [a.tobytes() for a in (A_prev, W, b)] == before
    A_prev, *rest = pool
    before = A_prev.tobytes()
    dtype = A_prev.dtype if A_prev.dtype.kind == "f" else np.dtype(float)
    dtype = dtype.newbyteorder("=")
    for mode in ('max', 'avg'):
        A = f.pool_forward(A_prev, *rest, mode)
        dA_prev = f.pool_backward(A, A_prev, *rest, mode)
        assert A.dtype == dA_prev.dtype == dtype
        assert A.flags.c_contiguous and dA_prev.flags.c_contiguous
        assert dA_prev.shape == A_prev.shape
    assert A_prev.tobytes() == before


@given(functions, convolutions(dtypes=("float32", "float64")))
def test_the_same_call_gives_the_same_bits_from_eight_threads(f, drawn):
    A_prev, W, b, *rest = drawn
    A_prev, W = np.sin(A_prev + 0.1), np.cos(W + 0.1)

    def call(_):
        Z = f.conv_forward(A_prev, W, b, same_Z, *rest)
        return [result.tobytes() for result in
                (Z, *f.conv_backward(Z, A_prev, W, b, *rest),
                 f.pool_forward(A_prev, (1, 1)),
                 f.pool_backward(A_prev, A_prev, (1, 1)))]

    expected = call(0)
    assert call(0) == expected
    with ThreadPoolExecutor(8) as pool:
        assert all(bits == expected for bits in pool.map(call, range(8)))


def test_large_calls_too_give_the_same_bits_from_eight_threads(rng):
    f = loaded()
    A_prev = rng.standard_normal((4, 40, 40, 16), dtype=np.float32)
    W = rng.standard_normal((3, 3, 16, 16), dtype=np.float32)

    def call(_):
        Z = f.conv_forward(A_prev, W, W[0, 0, 0], same_Z)
        dZ = f.pool_backward(f.pool_forward(Z, (2, 2)), Z, (2, 2))
        return [r.tobytes() for r in
                (Z, dZ, *f.conv_backward(dZ, A_prev, W, W[0, 0, 0]))]

    expected = call(0)
    with ThreadPoolExecutor(8) as pool:
        assert all(bits == expected for bits in pool.map(call, range(16)))


@given(functions, convolutions(minimum_m=1), poolings(minimum_m=1))
def test_tensorflow_agrees_on_the_same_draws(tf, f, drawn, pool):
    A_prev, W, b, padding, stride = drawn
    around, word = [(0, 0), (0, 0)], "SAME"
    if padding != "same":
        around, word = sides_of(padding), "VALID"
    X, w = tf.Variable(A_prev), tf.Variable(W)
    with tf.GradientTape() as tape:
        Z = tf.nn.conv2d(tf.pad(X, ((0, 0), *around, (0, 0))), w, stride,
                         word) + b
    ours = f.conv_forward(A_prev, W, b, same_Z, padding, stride)
    check("conv_forward", str(drawn[3:]), ours, Z)
    dZ = like(ours)
    dX, dw = tape.gradient(Z, (X, w), tf.constant(dZ))
    dA_prev, dW, _ = f.conv_backward(dZ, A_prev, W, b, padding, stride)
    check("conv_backward dA_prev", str(drawn[3:]), dA_prev, dX)
    check("conv_backward dW", str(drawn[3:]), dW, dw)
    A_prev, kernel, stride = pool
    X, close = tf.Variable(A_prev), rounding(kernel[0] * kernel[1])
    for mode, function in (('max', tf.nn.max_pool2d),
                           ('avg', tf.nn.avg_pool2d)):
        with tf.GradientTape() as tape:
            A = function(X, kernel, stride, "VALID")
        ours = f.pool_forward(A_prev, kernel, stride, mode)
        check("pool_forward", mode, ours, A, close)
        check("pool_backward", mode, rtol=close, expected=tape.gradient(
            A, X, tf.constant(ours)), ours=f.pool_backward(
                ours, A_prev, kernel, stride, mode, 'first'))


@given(functions, convolutions(minimum_m=1), poolings(minimum_m=1))
def test_pytorch_agrees_on_the_same_draws(f, conv, pool):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def nchw(array):
        return torch.from_numpy(np.moveaxis(array, -1, 1).copy()
                                ).requires_grad_()

    def nhwc(tensor):
        return np.moveaxis(tensor.detach().numpy(), 1, -1)

    A_prev, W, b, padding, stride = conv
    padding = (1, 2) if padding == "same" else padding
    if A_prev.shape[1] + 2 >= len(W) and A_prev.shape[2] + 4 >= W.shape[1]:
        (top, bottom), (left, right) = sides_of(padding)
        X = nchw(A_prev)
        v = torch.from_numpy(W.transpose(3, 2, 0, 1).copy()).requires_grad_()
        Z = torch.nn.functional.conv2d(
            torch.nn.functional.pad(X, (left, right, top, bottom)), v,
            torch.from_numpy(b.ravel().copy()), stride)
        ours = f.conv_forward(A_prev, W, b, same_Z, padding, stride)
        check("conv_forward", "PyTorch", ours, nhwc(Z))
        Z.backward(torch.from_numpy(np.moveaxis(ours, -1, 1).copy()))
        dA_prev, dW, _ = f.conv_backward(ours, A_prev, W, b, padding, stride)
        check("conv_backward", "PyTorch", dA_prev, nhwc(X.grad))
        check("conv_backward", "PyTorch", dW,
              v.grad.numpy().transpose(2, 3, 1, 0))
    A_prev, kernel, stride = pool
    X = nchw(A_prev)
    A = torch.nn.functional.max_pool2d(X, kernel, stride)
    ours = f.pool_forward(A_prev, kernel, stride)
    check("pool_forward", "PyTorch", ours, nhwc(A))
    A.backward(torch.from_numpy(np.moveaxis(ours, -1, 1).copy()))
    check("pool_backward", "PyTorch", nhwc(X.grad), f.pool_backward(
        ours, A_prev, kernel, stride, ties='first'))
