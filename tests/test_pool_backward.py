"""3-pool_backward.py: masks, finite differences, TensorFlow and itself."""
import naive
import numpy as np
import pytest

from cases import integers
from compare import check, finite_differences, rounding

SHAPES = [   # A_prev, kernel_shape, stride, and why
    pytest.param((2, 6, 6, 3), (2, 2), (2, 2), id="windows side by side"),
    pytest.param((2, 7, 9, 3), (2, 2), (2, 2), id="pixels no window covers"),
    pytest.param((2, 7, 6, 3), (3, 2), (1, 1), id="gradients add up"),
    pytest.param((2, 8, 9, 4), (3, 3), (2, 2), id="overlap under a stride"),
    pytest.param((2, 8, 9, 2), (1, 3), (3, 2), id="two kernels two strides"),
    pytest.param((2, 8, 9, 2), (2, 1), (3, 4),
                 id="stride larger than the kernel"),
    pytest.param((2, 4, 5, 3), (4, 5), (1, 1), id="one window an image"),
    pytest.param((2, 4, 5, 9), (1, 1), (1, 1), id="windows of one pixel"),
    pytest.param((1, 3, 37, 1), (2, 7), (1, 3), id="wide rows"),
]
RULES = [('max', 'all'), ('max', 'first'), ('avg', 'all'), ('avg', 'first')]
every_shape = pytest.mark.parametrize("shape, kernel, stride", SHAPES)
every_rule = pytest.mark.parametrize("mode, ties", RULES)


def draw(rng, shape, kernel, stride, values=3):
    """Draw images full of ties, and a gradient of the pooled ones."""
    A_prev = rng.integers(0, values, shape).astype(float)
    dA, = integers(rng, naive.pool_forward(A_prev, kernel, stride).shape)
    return dA, A_prev


def test_the_tiny_example_by_hand(pool_backward):
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    dA = np.ones((1, 2, 2, 1))
    # The windows' maxima are 4, 5, 7 and 8.
    maximum = pool_backward(dA, A_prev, (2, 2))[0, :, :, 0]
    assert maximum.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 1]]
    average = pool_backward(dA, A_prev, (2, 2), mode='avg')[0, :, :, 0]
    assert (4 * average).tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_all_gives_each_maximum_the_gradient_and_first_only_one(pool_backward):
    A_prev = np.array([[5., 5.], [0., 5.]]).reshape(1, 2, 2, 1)
    dA = np.array(3.).reshape(1, 1, 1, 1)
    everyone = pool_backward(dA, A_prev, (2, 2))
    assert everyone[0, :, :, 0].tolist() == [[3, 3], [0, 3]]
    one = pool_backward(dA, A_prev, (2, 2), ties='first')
    assert one[0, :, :, 0].tolist() == [[3, 0], [0, 0]]


@every_shape
@every_rule
def test_integers_equal_the_definition(functions, shape, kernel, stride, mode,
                                       ties, rng):
    dA, A_prev = draw(rng, shape, kernel, stride)
    options = kernel, stride, mode, ties
    check("pool_backward", str(options), functions.pool_backward(
        dA, A_prev, *options), naive.pool_backward(dA, A_prev, *options),
        # Integers are exact; dA / (kh * kw) and its sums are not.
        rtol=rounding(kernel[0] * kernel[1]) * (mode == 'avg'),
        hint="ties; or windows that overlap must add up")


@every_shape
@pytest.mark.parametrize("mode, ties", [('max', 'first'), ('avg', 'all')])
def test_tensorflow_gives_the_same(pool_backward, shape, kernel, stride, mode,
                                   ties, rng, tf):
    dA, A_prev = draw(rng, shape, kernel, stride)
    X = tf.Variable(A_prev)
    with tf.GradientTape() as tape:
        A = getattr(tf.nn, f"{mode}_pool2d")(X, kernel, stride, "VALID")
    check("pool_backward", f"{mode}, ties {ties}",
          rtol=rounding(kernel[0] * kernel[1]) * (mode == 'avg'),
          ours=pool_backward(dA, A_prev, kernel, stride, mode, ties),
          expected=tape.gradient(A, X, tf.constant(dA)))


@every_shape
@pytest.mark.parametrize("mode, ties", RULES[1:3])
def test_gradients_are_finite_differences(pool_backward, shape, kernel,
                                          stride, mode, ties, rng):
    # All pixels differ by far more than the step: no maximum changes.
    A_prev = rng.permutation(np.arange(float(np.prod(shape)))).reshape(shape)
    A_prev = A_prev[:1, :, :, :2]
    dA, = integers(rng, naive.pool_forward(A_prev, kernel, stride).shape)

    def loss(A_prev):
        return (naive.pool_forward(A_prev, kernel, stride, mode) * dA).sum()

    check("pool_backward", mode, rtol=1e-9,
          ours=pool_backward(dA, A_prev, kernel, stride, mode, ties),
          expected=finite_differences(loss, A_prev))


@every_shape
def test_first_and_avg_keep_the_sum_of_the_gradient(
        pool_backward, shape, kernel, stride, rng):
    dA, A_prev = draw(rng, shape, kernel, stride, values=2)
    first = pool_backward(dA, A_prev, kernel, stride, ties='first')
    assert first.sum() == dA.sum()
    average = pool_backward(dA, A_prev, kernel, stride, 'avg')
    assert np.isclose(average.sum(), dA.sum(), rtol=1e-12)


@pytest.mark.parametrize("mode", ['max', 'avg'])
@pytest.mark.parametrize("stride", [(2, 2), (1, 1)])
def test_no_zero_is_printed_with_a_minus(pool_backward, stride, mode):
    A_prev = np.arange(25.0).reshape(1, 5, 5, 1)
    dA = np.full(naive.pool_forward(A_prev, (2, 2), stride).shape, -1.0)
    dA[0, 0, 0, 0] = -0.0
    dA_prev = pool_backward(dA, A_prev, (2, 2), stride, mode)
    assert not np.signbit(dA_prev[dA_prev == 0]).any()


def test_the_gradient_is_exact_beside_infinities(pool_backward):
    A_prev = np.array([[-np.inf, 1.], [0., -np.inf]]).reshape(1, 2, 2, 1)
    dA = np.array(np.inf).reshape(1, 1, 1, 1)
    dA_prev = pool_backward(dA, A_prev, (2, 2))[0, :, :, 0]
    assert dA_prev.tolist() == [[0, np.inf], [0, 0]]
    # One gradient is infinite, the other is not.
    A_prev = np.array([[1., 2., 4., 3.]]).reshape(1, 1, 4, 1)
    dA = np.array([np.inf, 5]).reshape(1, 1, 2, 1)
    dA_prev = pool_backward(dA, A_prev, (1, 2), (1, 2))
    assert dA_prev.ravel().tolist() == [0, np.inf, 5, 0]


@pytest.mark.parametrize("dtypes, expected", [
    (("float32", "float32"), "float32"), (("float32", "float64"), "float64"),
    (("float32", "int8"), "float64"), (("bool", "uint8"), "float64"),
    (("float16", "float16"), "float16"), ((">f4", ">f4"), "float32"),
    ((">f2", ">f2"), "float16"), ((">f8", ">i2"), "float64")])
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_dtypes_are_promoted_and_byte_order_never_matters(
        pool_backward, dtypes, expected, mode, rng):
    dA, A_prev = draw(rng, (2, 6, 5, 2), (3, 2), (1, 2), values=2)
    dA = abs(dA) % 2 * 6        # exact in every dtype, but for bool
    dA, A_prev = dA.astype(dtypes[0]), A_prev.astype(dtypes[1])
    dA_prev = pool_backward(dA, A_prev, (3, 2), (1, 2), mode)
    assert dA_prev.dtype == expected and dA_prev.dtype.isnative
    check("pool_backward", str(dtypes), dA_prev, naive.pool_backward(
        dA.astype(float), A_prev.astype(float), (3, 2), (1, 2), mode),
        rtol=rounding(6, expected) * (mode == 'avg'))


@every_rule
def test_inputs_stay_and_results_are_new(pool_backward, mode, ties, rng):
    dA, A_prev = draw(rng, (2, 4, 4, 3), (1, 1), (1, 1))
    before = dA.tobytes(), A_prev.tobytes()
    dA.flags.writeable = A_prev.flags.writeable = False
    result = pool_backward(dA, A_prev, (1, 1), (1, 1), mode, ties)
    assert result.flags.c_contiguous and result.flags.writeable
    result[...] = 7
    assert (dA.tobytes(), A_prev.tobytes()) == before


def test_lists_and_odd_views_are_accepted(pool_backward, rng):
    dA, A_prev = draw(rng, (2, 4, 5, 2), (2, 2), (1, 2))
    expected = pool_backward(dA, A_prev, (2, 2), (1, 2))
    for change in (np.ndarray.tolist, lambda a: a.T.copy().T):
        result = pool_backward(change(dA), change(A_prev), [2, 2], (1, 2))
        assert (result == expected).all()


def test_no_images_give_an_empty_result(pool_backward):
    dA_prev = pool_backward(np.zeros((0, 2, 2, 2), np.float32),
                            np.zeros((0, 5, 4, 2), np.float32), (2, 2), (2, 2))
    assert dA_prev.shape == (0, 5, 4, 2) and dA_prev.dtype == np.float32


@every_rule
def test_a_window_with_NaN_passes_no_gradient_to_a_maximum(pool_backward,
                                                           mode, ties):
    A_prev = np.array([[np.nan, 1, 2, 3.]]).reshape(1, 1, 4, 1)
    dA = np.array([8., 4.]).reshape(1, 1, 2, 1)
    dA_prev = pool_backward(dA, A_prev, (1, 2), (1, 2), mode, ties).ravel()
    assert dA_prev.tolist() == ([0, 0, 0, 4] if mode == 'max'
                                else [4, 4, 2, 2])


@pytest.mark.parametrize("shape, kernel, stride", [
    ((1, 4, 64, 1024), (2, 3), (2, 1)), ((1, 1, 40000, 1), (1, 3), (1, 1))])
def test_no_gradient_is_lost_in_long_rows(pool_backward, shape, kernel,
                                          stride):
    dA = np.ones(pooled_shape(shape, kernel, stride))
    dA_prev = pool_backward(dA, np.zeros(shape), kernel, stride, 'avg')
    assert np.isclose(dA_prev.sum(), dA.sum(), rtol=1e-12)


def pooled_shape(shape, kernel, stride):
    m, h, w, c = shape
    return (m, (h - kernel[0]) // stride[0] + 1,
            (w - kernel[1]) // stride[1] + 1, c)


def test_float16_gradients_are_rounded_once(pool_backward):
    # Each of 2049 windows adds 1 to the pixel; 2048 + 1 is 2048 in float16.
    A_prev = np.ones((1, 1, 4097, 1), "f2")
    dA_prev = pool_backward(np.ones((1, 1, 2049, 1), "f2"), A_prev, (1, 2049))
    assert dA_prev.dtype == np.float16
    assert dA_prev[0, 0, 2047:2050, 0].tolist() == [2048, 2048, 2048]
    assert dA_prev[0, 0, 2047 - 3, 0] == np.float16(2045)
    many = pool_backward(np.ones((1, 1, 4099, 1), "f2"),
                         np.ones((1, 1, 8197, 1), "f2"), (1, 4099))
    assert many[0, 0, 4098, 0] == np.float16(4099)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype, large", [("f4", 3e38), ("f2", 6e4)])
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_what_overflows_does_not_warn(pool_backward, dtype, large, mode):
    dA = np.full((1, 5, 5, 1), large, dtype)
    A_prev = np.zeros((1, 6, 6, 1), dtype)
    dA_prev = pool_backward(3 * (dA / 3), A_prev, (2, 2), mode=mode)
    assert np.isinf(dA_prev[0, 2, 2, 0]) == (mode == 'max')


@pytest.mark.parametrize("kernel, stride", [((4, 3), (1, 2)), ((2, 2), (2, 2)),
                                            ((2, 3), (3, 1))])
@pytest.mark.parametrize("mode", ['max', 'avg'])
def test_float16_is_rounded_once_where_blocks_meet(functions, kernel, stride,
                                                   mode, rng):
    # Sums of 2048 and small numbers are no float16 on the way.
    A_prev = rng.integers(0, 2, (2, 9, 8, 2)).astype("f2")
    dA = rng.choice([0.5, 1, 3, 2048], pooled_shape(
        A_prev.shape, kernel, stride)).astype("f2")
    options = kernel, stride, mode
    ours = functions.pool_backward(dA, A_prev, *options)
    exact = functions.pool_backward(dA.astype("f4"), A_prev.astype("f4"),
                                    *options)
    assert (ours == exact.astype("f2")).all()
