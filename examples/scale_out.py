#!/usr/bin/env python3
"""Beyond one machine: the functions on engines that spread work.

    python examples/scale_out.py dask           blocks of a large batch
    python examples/scale_out.py tensorflow     several devices

Each prints that the result equals the one of a single call.
"""
import argparse
import os
import sys

import numpy as np

from common import load, same_Z


def with_dask(scheduler):
    """Convolve a batch block by block, and sum its gradient as a tree."""
    import dask
    import dask.array as da
    conv_forward = load("0-conv_forward.py")
    conv_backward = load("2-conv_backward.py")
    if scheduler:       # workers must find this folder and the modules
        from dask.distributed import Client
        Client(scheduler)
    else:
        dask.config.set(scheduler="threads")
    images = np.random.default_rng(0).standard_normal((100, 28, 28, 1))
    W, b = np.ones((5, 5, 1, 6)), np.zeros(6)
    A_prev = da.from_array(images, chunks=(30, -1, -1, -1))

    Z = A_prev.map_blocks(lambda A: conv_forward(A, W, b, same_Z),
                          chunks=(A_prev.chunks[0], 28, 28, 6), dtype=float)
    parts = da.map_blocks(lambda dZ, A: conv_backward(dZ, A, W, b)[1][None],
                          Z, A_prev, new_axis=4, dtype=float,
                          chunks=((1,) * A_prev.numblocks[0], *W.shape))
    dW = parts.sum(axis=0, split_every=2)       # a tree of sums

    whole = conv_forward(images, W, b, same_Z)
    expected = conv_backward(whole, images, W, b)[1]
    yield "conv_forward", Z.compute(), whole, 1e-12
    yield "dW of conv_backward", dW.compute(), expected, 1e-12


def with_tensorflow():
    """Train LeNet-5 on one device, and on all at once."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
    devices = tf.config.list_physical_devices("GPU")
    if len(devices) < 2:    # one processor as two devices
        cpu, = tf.config.list_physical_devices("CPU")[:1]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        devices = ["CPU:0", "CPU:1"]
    else:
        devices = None
    lenet5 = load("5-lenet5.py")
    images = np.random.default_rng(0).random((64, 28, 28, 1), np.float32)
    labels = np.eye(10)[np.arange(64) % 10]

    def trained():
        model = lenet5(tf.keras.Input(shape=(28, 28, 1)))
        model.fit(images, labels, 16, shuffle=False, verbose=0)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    one = trained()
    strategy = tf.distribute.MirroredStrategy(devices)
    with strategy.scope():
        many = trained()
    yield (f"weights on {strategy.num_replicas_in_sync} devices", many, one,
           1e-4)


def main(argv=None):
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=("dask", "tensorflow"))
    parser.add_argument("--scheduler", metavar="ADDRESS", help=(
        "of a running dask.distributed cluster (default: threads here)"))
    args, status = parser.parse_args(argv), 0
    try:
        results = list(with_dask(args.scheduler) if args.engine == "dask"
                       else with_tensorflow())
    except ImportError as error:
        print(f"scale_out.py: {args.engine} is not installed ({error})",
              file=sys.stderr)
        return 2
    except OSError as error:
        print(f"scale_out.py: --scheduler {args.scheduler}: no cluster there "
              f"({error})", file=sys.stderr)
        return 2
    for name, ours, expected, tolerance in results:
        apart = np.abs(ours - expected).max() / np.abs(expected).max()
        equal = apart <= tolerance
        print(f"{name}: {'equal to' if equal else 'DIFFERENT from'} one "
              f"machine's, relative difference {apart:.1e}")
        status |= not equal
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
