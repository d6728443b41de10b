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
    assert tuple(model.input.shape) == (None, 28, 28, 1)
    configs = [layer.get_config() for layer in model.layers[1:]]
    assert [(c["kernel_size"], c["padding"]) for c in configs
            if "kernel_size" in c] == [((5, 5), "same"), ((5, 5), "valid")]
    assert [(c["pool_size"], c["strides"]) for c in configs
            if "pool_size" in c] == [((2, 2), (2, 2))] * 2
    assert [c["activation"] for c in configs if "activation" in c] == (
        ["relu"] * 4 + ["softmax"])
    assert model.count_params() == 61706 == (
        5*5*1*6 + 6 + 5*5*6*16 + 16 + 400*120 + 120 + 120*84 + 84 + 84*10 + 10)


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


def test_two_builds_are_equal(model, K, lenet5):
    again = lenet5(K.Input(shape=(28, 28, 1)))
    for ours, theirs in zip(model.get_weights(), again.get_weights()):
        assert (ours == theirs).all()


def test_learns_digits(model, tf):
    tf.keras.utils.set_random_seed(0)
    x, y, x_test, y_test = load_data("digits")
    model.fit(x, np.eye(10)[y], 32, epochs=8, verbose=0)
    assert model.evaluate(x_test, np.eye(10)[y_test], verbose=0)[1] >= 0.95


def test_saved_and_loaded_it_predicts_the_same(model, K, rng, tmp_path):
    images = rng.random((3, 28, 28, 1), dtype=np.float32)
    model.train_on_batch(images, np.eye(10)[:3])
    model.save(tmp_path / "lenet5.keras")
    again = K.models.load_model(tmp_path / "lenet5.keras")
    assert (model.predict(images, verbose=0)
            == again.predict(images, verbose=0)).all()


def test_what_is_not_a_keras_tensor_is_rejected(lenet5):
    for wrong in (None, (28, 28, 1), np.zeros((1, 28, 28, 1))):
        with pytest.raises(TypeError, match="X: expected K.Input.* got "):
            lenet5(wrong)


@pytest.mark.parametrize("options, kind", [
    (dict(dtype=dtype), f"dtype {dtype}") for dtype in
    ("uint8", "int32", "bool", "string", "complex64")] + [
    (dict(sparse=True), "sparse|SparseKerasTensor"),
    (dict(ragged=True), "ragged|RaggedKerasTensor")])
def test_images_that_are_not_dense_floats_are_rejected(options, kind, K,
                                                       lenet5):
    try:
        X = K.Input(shape=(28, 28, 1), **options)
    except (TypeError, ValueError) as error:
        pytest.skip(f"this Keras has no such input: {error}")
    with pytest.raises(TypeError, match=f"X: expected K.Input.*({kind})"):
        lenet5(X)


@pytest.mark.parametrize("shape", [
    (28, 28), (11, 28, 1), (28, 11, 1), (None, None, 1), (28, 28, None),
    (28, 28, 0), (28, 28, 1, 1)])
def test_images_it_cannot_read_are_rejected(shape, K, lenet5):
    with pytest.raises(ValueError, match="X: expected K.Input.*got shape"):
        lenet5(K.Input(shape=shape))


def test_the_smallest_image_goes_through(K, lenet5):
    model = lenet5(K.Input(shape=(12, 12, 1)))
    assert model.layers[4].output.shape[1:] == (1, 1, 16)


def test_a_layer_before_it_stays_in_the_model(K, lenet5, rng):
    pixels = K.Input(shape=(28, 28, 1))
    model = lenet5(K.layers.Rescaling(1 / 255)(pixels))
    images = rng.random((2, 28, 28, 1), dtype=np.float32)
    plain = lenet5(K.Input(shape=(28, 28, 1)))
    assert model.count_params() == 61706
    assert np.allclose(model.predict(255 * images, verbose=0),
                       plain.predict(images, verbose=0), atol=1e-6)


def test_channels_come_last_whatever_keras_json_says(K, lenet5):
    before = K.backend.image_data_format()
    K.backend.set_image_data_format("channels_first")
    try:
        model = lenet5(K.Input(shape=(28, 28, 1)))
        assert model.count_params() == 61706
        assert lenet5(K.Input(shape=(32, 32, 20))).count_params() == (
            61706 + 5*5*19*6 + (36 - 25) * 16 * 120)
    finally:
        K.backend.set_image_data_format(before)


@pytest.mark.parametrize("policy, last, white", [
    ("mixed_float16", "float32", 255), ("float64", "float64", 1),
    pytest.param("mixed_bfloat16", "float32", 255, marks=pytest.mark.slow)])
def test_it_learns_under_any_dtype_policy(policy, last, white, K, lenet5):
    before = K.mixed_precision.global_policy()
    K.mixed_precision.set_global_policy(policy)
    try:
        model = lenet5(K.Input(shape=(28, 28, 1)))
        assert model.layers[-1].compute_dtype == last
        x, y, *_ = load_data("digits")
        run = model.fit(white * x[:640], np.eye(10)[y[:640]], 32, epochs=4,
                        verbose=0)
        assert run.history["loss"][-1] < run.history["loss"][0] / 2
    finally:
        K.mixed_precision.set_global_policy(before)
