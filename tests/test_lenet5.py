"""5-lenet5.py: the network that was asked for, and that it learns."""
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


def test_layers_in_order_with_their_shapes_and_options(model):
    layers = [(type(layer).__name__, tuple(layer.output.shape)[1:])
              for layer in model.layers[1:]]
    assert layers == [
        ("Conv2D", (28, 28, 6)), ("MaxPooling2D", (14, 14, 6)),
        ("Conv2D", (10, 10, 16)), ("MaxPooling2D", (5, 5, 16)),
        ("Flatten", (400,)), ("Dense", (120,)), ("Dense", (84,)),
        ("Dense", (10,))]
    assert model.count_params() == 61706
    configs = [layer.get_config() for layer in model.layers[1:]]
    for option, expected in {
            "kernel_size": [(5, 5)] * 2, "pool_size": [(2, 2)] * 2,
            "padding": ["same", "valid", "valid", "valid"],
            "strides": [(1, 1), (2, 2)] * 2,
            "activation": ["relu"] * 4 + ["softmax"]}.items():
        assert expected == [c[option] for c in configs if option in c]


def test_initial_weights_are_he_normal_of_seed_0(model, K):
    weights = model.get_weights()
    for kernel, bias in zip(weights[::2], weights[1::2]):
        expected = K.initializers.he_normal(seed=0)(kernel.shape)
        assert (kernel == np.asarray(expected)).all()
        assert not bias.any()


def test_compiled_with_adam_cross_entropy_and_accuracy(model, K):
    assert isinstance(model.optimizer, K.optimizers.Adam)
    ours = model.optimizer.get_config()
    default = K.optimizers.Adam().get_config()
    assert {**ours, "name": ""} == {**default, "name": ""}
    assert model.loss == "categorical_crossentropy"
    figures = model.evaluate(np.zeros((2, 28, 28, 1)), np.eye(10)[:2],
                             verbose=0, return_dict=True)
    assert set(figures) == {"loss", "accuracy"}


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
        _, right = model.evaluate(white * x_test, np.eye(10)[y_test],
                                  verbose=0)
    finally:
        K.mixed_precision.set_global_policy(before)
    assert model.layers[-1].compute_dtype == last and right >= 0.8
