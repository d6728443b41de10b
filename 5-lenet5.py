#!/usr/bin/env python3
"""LeNet-5, the network that learned to read handwriting, in Keras."""
from tensorflow import keras as K


def lenet5(X):
    """Build and compile a LeNet-5, with ReLU and max pooling.

    Parameters
    ----------
    X : K.Input of shape (m, 28, 28, 1)
        Images, real floating-point numbers: K.Input(shape=(28, 28, 1)).
        Larger images and more channels work too, with more parameters. If X
        is the output of another layer, the model begins at that one's input.

    Returns
    -------
    model : K.Model
        Maps images to 10 probabilities with 61,706 parameters, each kernel
        drawn by he_normal(seed=0). Compiled with Adam, categorical
        cross-entropy (labels are one-hot) and accuracy. The last layer
        computes in float32 at least, whatever Keras' dtype policy.

    Raises
    ------
    TypeError
        X is not a Keras tensor, or sparse, ragged or not of floats.
    ValueError
        X is not a batch of images with at least one channel, or these are
        smaller than 12 x 12 pixels or of open size.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning
    applied to document recognition", Proc. IEEE 86.

    Examples
    --------
    >>> model = lenet5(K.Input(shape=(28, 28, 1)))
    >>> model.count_params()
    61706
    """
    expected = "X: expected K.Input(shape=(28, 28, 1)), got"
    if type(X) is not type(K.Input(shape=(1,))):
        raise TypeError(f"{expected} {type(X).__name__}")
    spec = type(getattr(X, "type_spec", None)).__name__     # of Keras 2
    for kind in ("sparse", "ragged"):
        if getattr(X, kind, False) or spec.lower().startswith(kind):
            raise TypeError(f"{expected} a {kind} tensor")
    dtype = getattr(X.dtype, "name", X.dtype)
    if dtype not in ("float16", "bfloat16", "float32", "float64"):
        raise TypeError(f"{expected} dtype {dtype}")
    shape = tuple(X.shape)
    if len(shape) != 4 or None in shape[1:] or (
            min(shape[1:3]) < 12 or shape[3] < 1):
        raise ValueError(f"{expected} shape {shape}")

    layers = K.layers
    nhwc = {"data_format": "channels_last"}     # whatever keras.json says
    relu = {"activation": "relu",
            "kernel_initializer": K.initializers.he_normal(seed=0)}
    # Probabilities in float16 do not learn: compute them in float32 at least.
    policy = K.mixed_precision.global_policy().compute_dtype
    softmax = {**relu, "activation": "softmax",
               "dtype": policy if policy == "float64" else "float32"}

    Y = layers.Conv2D(6, 5, padding="same", **nhwc, **relu)(X)    # 28, 28, 6
    Y = layers.MaxPooling2D(2, strides=2, **nhwc)(Y)              # 14, 14, 6
    Y = layers.Conv2D(16, 5, padding="valid", **nhwc, **relu)(Y)  # 10, 10, 16
    Y = layers.MaxPooling2D(2, strides=2, **nhwc)(Y)              # 5, 5, 16
    Y = layers.Flatten(**nhwc)(Y)                                 # 400
    Y = layers.Dense(120, **relu)(Y)                              # 120
    Y = layers.Dense(84, **relu)(Y)                               # 84
    Y = layers.Dense(10, **softmax)(Y)                            # 10

    inputs = K.utils.get_source_inputs(X)
    model = K.Model(inputs[0] if len(inputs) == 1 else inputs, Y)
    model.compile(optimizer=K.optimizers.Adam(),
                  loss="categorical_crossentropy", metrics=["accuracy"])
    return model
