"""3-pool_backward.py against masks, slopes, TensorFlow and itself."""
import numpy as np
import pytest

from cases import integers
from loader import load
from reference import check, pool, slope
from test_pool_forward import every_pool

pool_forward = load("1-pool_forward.py")
pool_backward = load("3-pool_backward.py")


def scattered(dA, A_prev, kernel, stride, share):
    """Carry dA back by the definition; share is a window's portions."""
    (kh, kw), (sh, sw) = kernel, stride
    dA_prev = np.zeros(A_prev.shape)
    for n, y, x, c in np.ndindex(dA.shape):
        window = np.s_[n, y*sh:y*sh + kh, x*sw:x*sw + kw, c]
        dA_prev[window] += dA[n, y, x, c] * share(A_prev[window])
    return dA_prev


def mask(window):
    return window == window.max()


def first(window):
    return (np.arange(window.size) == window.argmax()).reshape(window.shape)


def even(window):
    return np.full(window.shape, 1 / window.size)


RULES = [('max', 'all', mask), ('max', 'first', first), ('avg', 'all', even),
         ('avg', 'first', even)]
every_rule = pytest.mark.parametrize("mode, ties, share", RULES)


def draw(rng, shape, kernel, stride, values=3):
    """Draw images full of ties, and a gradient of the pooled ones."""
    A_prev = rng.integers(0, values, shape).astype(float)
    dA, = integers(rng, pool_forward(A_prev, kernel, stride).shape)
    return dA, A_prev


def test_the_tiny_example_by_hand():
    A_prev = np.arange(9).reshape(1, 3, 3, 1)
    dA = np.ones((1, 2, 2, 1))
    # The windows' maxima are 4, 5, 7 and 8.
    highest = pool_backward(dA, A_prev, (2, 2))[0, :, :, 0]
    assert highest.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 1]]
    average = pool_backward(dA, A_prev, (2, 2), mode='avg')[0, :, :, 0]
    assert (4 * average).tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]


def test_ties_all_pays_each_and_first_only_one():
    A_prev = np.array([[5., 5.], [0., 5.]]).reshape(1, 2, 2, 1)
    dA = np.array(3.).reshape(1, 1, 1, 1)
    everyone = pool_backward(dA, A_prev, (2, 2))
    assert everyone[0, :, :, 0].tolist() == [[3, 3], [0, 3]]
    one = pool_backward(dA, A_prev, (2, 2), ties='first')
    assert one[0, :, :, 0].tolist() == [[3, 0], [0, 0]]


@every_pool
@every_rule
def test_integers_equal_the_definition(shape, kernel, stride, mode, ties,
                                       share, rng):
    dA, A_prev = draw(rng, shape, kernel, stride)
    check("pool_backward", f"{mode}, ties {ties}, {kernel} {stride}",
          pool_backward(dA, A_prev, kernel, stride, mode, ties),
          scattered(dA, A_prev, kernel, stride, share), rtol=1e-15,
          hint="ties; or windows that overlap must add up")


@every_pool
@pytest.mark.parametrize("mode, ties", [('max', 'first'), ('avg', 'all')])
def test_tensorflow_gives_the_same(shape, kernel, stride, mode, ties, rng,
                                   tf):
    dA, A_prev = draw(rng, shape, kernel, stride)
    X = tf.Variable(A_prev)
    with tf.GradientTape() as tape:
        A = getattr(tf.nn, f"{mode}_pool2d")(X, kernel, stride, "VALID")
    check("pool_backward", f"{mode}, ties {ties}", rtol=1e-15,
          ours=pool_backward(dA, A_prev, kernel, stride, mode, ties),
          expected=tape.gradient(A, X, tf.constant(dA)))


@every_pool
@every_rule
def test_gradients_are_slopes(shape, kernel, stride, mode, ties, share, rng):
    # All pixels differ by far more than the step: no maximum changes.
    A_prev = rng.permutation(np.arange(float(np.prod(shape)))).reshape(shape)
    A_prev = A_prev[:1, :, :, :2]
    dA, = integers(rng, pool_forward(A_prev, kernel, stride).shape)
    function = np.max if mode == 'max' else np.mean
    check("pool_backward", mode, rtol=1e-9,
          ours=pool_backward(dA, A_prev, kernel, stride, mode, ties),
          expected=slope(lambda A: (
              pool(A, *kernel, *stride, function) * dA).sum(), A_prev))


@every_pool
def test_first_and_avg_keep_the_sum_of_the_gradient(shape, kernel, stride,
                                                    rng):
    dA, A_prev = draw(rng, shape, kernel, stride, values=2)
    first = pool_backward(dA, A_prev, kernel, stride, ties='first')
    assert first.sum() == dA.sum()
    average = pool_backward(dA, A_prev, kernel, stride, 'avg')
    assert np.isclose(average.sum(), dA.sum(), rtol=1e-12)


@pytest.mark.parametrize("mode", ['max', 'avg'])
@pytest.mark.parametrize("stride", [(2, 2), (1, 1)])
def test_no_zero_is_printed_with_a_minus(stride, mode):
    A_prev = np.arange(25.0).reshape(1, 5, 5, 1)
    dA = np.full(pool_forward(A_prev, (2, 2), stride).shape, -1.0)
    dA[0, 0, 0, 0] = -0.0
    dA_prev = pool_backward(dA, A_prev, (2, 2), stride, mode)
    assert not np.signbit(dA_prev[dA_prev == 0]).any()


def test_the_gradient_is_exact_beside_infinities():
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
    (("float32", "float32"), "float32"), (("float64", "float64"), "float64"),
    (("float32", "float64"), "float64"), (("float32", "int8"), "float64"),
    (("bool", "uint8"), "float64"), (("float16", "float16"), "float16")])
@every_rule
def test_dtypes_are_promoted(dtypes, expected, mode, ties, share):
    dA_prev = pool_backward(np.ones((1, 1, 1, 1), dtypes[0]),
                            np.ones((1, 2, 2, 1), dtypes[1]), (2, 2),
                            mode=mode, ties=ties)
    assert dA_prev.dtype == expected
    assert (dA_prev[0, :, :, 0] == share(np.ones((2, 2)))).all()


@every_rule
def test_inputs_stay_and_results_are_new(mode, ties, share, rng):
    dA, A_prev = draw(rng, (2, 4, 4, 3), (1, 1), (1, 1))
    before = dA.tobytes(), A_prev.tobytes()
    dA.flags.writeable = A_prev.flags.writeable = False
    result = pool_backward(dA, A_prev, (1, 1), (1, 1), mode, ties)
    assert result.flags.c_contiguous and result.flags.writeable
    result[...] = 7
    assert (dA.tobytes(), A_prev.tobytes()) == before


def test_lists_and_odd_views_are_accepted(rng):
    dA, A_prev = draw(rng, (2, 4, 5, 2), (2, 2), (1, 2))
    expected = pool_backward(dA, A_prev, (2, 2), (1, 2))
    for change in (np.ndarray.tolist, lambda a: a.T.copy().T):
        result = pool_backward(change(dA), change(A_prev), [2, 2], (1, 2))
        assert (result == expected).all()


def test_no_images_give_an_empty_result():
    dA_prev = pool_backward(np.zeros((0, 2, 2, 2), np.float32),
                            np.zeros((0, 5, 4, 2), np.float32), (2, 2), (2, 2))
    assert dA_prev.shape == (0, 5, 4, 2) and dA_prev.dtype == np.float32


RIGHT = dict(dA=np.ones((2, 4, 5, 3)), A_prev=np.ones((2, 5, 6, 3)),
             kernel_shape=(2, 2))


@pytest.mark.parametrize("wrong, error, message", [
    (dict(dA=np.ones((2, 5, 6, 3))), ValueError,
     r"dA: expected the forward pass's shape \(2, 4, 5, 3\), "
     r"got shape \(2, 5, 6, 3\)"),
    (dict(dA={}), TypeError, "dA: expected a real numeric array, got dict"),
    (dict(A_prev=np.ones((2, 5, 6, 3, 1))), ValueError, "A_prev: expected 4"),
    (dict(A_prev=np.ones((2, 5, 6, 3), object)), TypeError, "A_prev: "),
    (dict(kernel_shape=(2, 7)), ValueError,
     r"kernel_shape: expected a kernel within A_prev's \(5, 6\), "
     r"got \(2, 7\)"),
    (dict(kernel_shape=(2, 0)), ValueError, r"kernel_shape: .* \(2, 0\)"),
    (dict(kernel_shape=(2, "2")), TypeError, "kernel_shape: "),
    (dict(stride=(2, 2.0)), TypeError, "stride: "),
    (dict(stride=(-1, 1)), ValueError, r"stride: .* got \(-1, 1\)"),
    (dict(mode='sum'), ValueError, "mode: expected 'max' or 'avg'"),
    (dict(ties='last'), ValueError,
     "ties: expected 'all' or 'first', got 'last'"),
    (dict(ties='last', mode='avg'), ValueError, "ties: "),
])
def test_what_is_wrong_is_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        pool_backward(**{**RIGHT, **wrong})
