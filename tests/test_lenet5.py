"""5-lenet5.py: what it takes, how it begins, and that it learns.

Its layers and Adam are those of lenet5_numpy.py: test_lockstep.py; its loss:
test_train.py.
"""
import numpy as np
import pytest

from common import load
from training.data import load_data


@pytest.fixture
def K(tf):
    return tf.keras


@pytest.fixture
def lenet5(K):
    return load("5-lenet5.py")


@pytest.fixture
def model(K, lenet5):
    return lenet5(K.Input(shape=(28, 28, 1)))


def test_initial_weights_are_he_normal_of_seed_0(model, K):
    weights = model.get_weights()
    for kernel, bias in zip(weights[::2], weights[1::2]):
        expected = K.initializers.he_normal(seed=0)(kernel.shape)
        assert (kernel == np.asarray(expected)).all()
        assert not bias.any()


@pytest.mark.parametrize("error, told, X", [
    *((TypeError, " got ", X) for X in (
        None, (28, 28, 1), np.zeros((1, 28, 28, 1)))),
    *((TypeError, f"dtype {dtype}", {"dtype": dtype}) for dtype in (
        "uint8", "int32", "bool", "string", "complex64")),
    (TypeError, "sparse|SparseKerasTensor", {"sparse": True}),
    (TypeError, "ragged|RaggedKerasTensor", {"ragged": True}),
    *((ValueError, "got shape", shape) for shape in (
        (28, 28), (11, 28, 1), (28, 11, 1), (None, None, 1), (28, 28, None),
        (28, 28, 0), (28, 28, 1, 1)))], ids=str)
def test_what_it_cannot_read_is_rejected(error, told, X, K, lenet5):
    if error is ValueError:
        X = K.Input(shape=X)
    elif isinstance(X, dict):
        try:
            X = K.Input(shape=(28, 28, 1), **X)
        except (TypeError, ValueError) as reason:
            pytest.skip(f"this Keras has no such input: {reason}")
    with pytest.raises(error, match=f"X: expected K.Input.*({told})"):
        lenet5(X)


def test_a_layer_before_it_stays_in_the_model(K, lenet5, model, rng):
    pixels = K.Input(shape=(28, 28, 1))
    scaled = lenet5(K.layers.Rescaling(1 / 255)(pixels))
    images = rng.random((2, 28, 28, 1), dtype=np.float32)
    assert np.allclose(scaled(255 * images), model(images), atol=1e-6)


@pytest.mark.parametrize("shape, dtype", [
    ((12, 12, 1), "float64"), ((28, 28, 1), "float16"),
    ((32, 32, 20), "bfloat16")])
def test_channels_come_last_whatever_keras_json_says(shape, dtype, K, lenet5,
                                                     rng):
    images, found = rng.random((2, *shape), dtype=np.float32), []
    before = K.backend.image_data_format()
    try:
        for order in "channels_last", "channels_first":
            K.backend.set_image_data_format(order)
            found.append(lenet5(K.Input(shape=shape, dtype=dtype))(images))
    finally:
        K.backend.set_image_data_format(before)
    assert np.allclose(*found)


@pytest.mark.parametrize("policy, last, white", [
    ("float32", "float32", 1), ("mixed_float16", "float32", 255),
    ("float64", "float64", 1),
    pytest.param("mixed_bfloat16", "float32", 255, marks=pytest.mark.slow)])
def test_it_learns_under_any_dtype_policy(policy, last, white, K, lenet5):
    x, y, x_test, y_test = load_data("digits", limit=640)
    before = K.mixed_precision.global_policy()
    K.utils.set_random_seed(0)
    K.mixed_precision.set_global_policy(policy)
    try:
        model = lenet5(K.Input(shape=(28, 28, 1)))
        model.fit(white * x, np.eye(10)[y], 32, epochs=4, verbose=0)
        told = model.evaluate(white * x_test, np.eye(10)[y_test],
                              verbose=0, return_dict=True)
        read = model.predict(white * x_test, verbose=0).argmax(axis=1)
    finally:
        K.mixed_precision.set_global_policy(before)
    assert model.layers[-1].compute_dtype == last
    assert set(told) == {"loss", "accuracy"}
    assert told["accuracy"] == pytest.approx((read == y_test).mean(), abs=0.01)
    assert told["accuracy"] >= 0.8
