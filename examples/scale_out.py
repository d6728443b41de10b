#!/usr/bin/env python3
"""Beyond one machine: the functions on engines that spread work.

    python examples/scale_out.py dask           blocks of a batch, in threads
    python examples/scale_out.py tensorflow     a model on several devices

Each compares its result with that of a single call. Dask spreads the blocks
over machines as well: start a scheduler once and a worker on each machine, or
two workers on this one, from any folder, and pass the scheduler's address:

    dask scheduler
    dask worker tcp://127.0.0.1:8786
    python examples/scale_out.py dask --scheduler tcp://127.0.0.1:8786

Workers need the same Python, NumPy and Dask, and no file of this repository:
the functions travel to them by value.

What a thousand machines cost, on paper. Measured on an AMD EPYC with two
cores: LeNet-5 of lenet5_numpy.py takes 0.5 ms per image, forward and backward
on one core in float32; a scheduler with two workers takes 2.6 ms per task.

- An image is 28 * 28 float32, 3,136 bytes. Those that the client holds cross
  the network twice, to the scheduler and to a worker (6,300 bytes measured).
  At 2,000 images per second a core needs 6 MB/s, 5 % of a link of 1 Gbit/s.
  If each machine reads images of its own, none is moved.
- A gradient is 61,706 float32, 246,824 bytes, whatever the batch. A link of
  1 Gbit/s needs 2 ms for it, in which a core computes 4 images.
- A thousand gradients, summed in pairs, are 10 levels up, and the new weights
  10 levels down: 20 * 2 ms = 40 ms per step, as long as 80 images. With fewer
  images per machine and step the network limits, even if its latency is 0.
- One scheduler for a step of 1,000 gradients and 999 sums: 2,000 tasks * 2.6
  ms = 5.2 s, as long as 10,000 images. It limits long before the network, so
  to train, machines sum among themselves (all-reduce), as TensorFlow does.
"""
import argparse
import asyncio
import os
import sys

# (common comes first: it says so where NumPy is missing.)
from common import Parser, UserError, load, require
import numpy as np
from training.output import finished, say

PACKAGES = {"dask": ["dask.array", "distributed"],
            "tensorflow": ["tensorflow"]}
INSTALL = {"dask": "'dask[array,distributed]'", "tensorflow": "tensorflow"}
CONNECT = 10        # seconds, at most, until a scheduler has answered


def in_blocks(images, W, b):
    """Return Z and dW as Dask arrays: block by block, dW summed as a tree."""
    import dask.array as da
    conv_forward = load("0-conv_forward.py")
    conv_backward = load("2-conv_backward.py")

    # Functions that are defined in here, or loaded by filename, are pickled
    # by value: a worker could not import them.
    def Z_of(A_prev):
        return conv_forward(A_prev, W, b, lambda Z: Z)

    def dW_of(dZ, A_prev):
        return conv_backward(dZ, A_prev, W, b)[1][None]

    A_prev = da.from_array(images, chunks=(30, -1, -1, -1))
    Z = A_prev.map_blocks(Z_of, dtype=float, chunks=(
        A_prev.chunks[0], *A_prev.chunks[1:3], W.shape[3]))
    parts = da.map_blocks(dW_of, Z, A_prev, new_axis=4, dtype=float,
                          chunks=((1,) * A_prev.numblocks[0], *W.shape))
    return Z, parts.sum(axis=0, split_every=2)


async def on_cluster(arrays, address, seconds):
    """Compute Dask arrays on the workers of a scheduler."""
    from distributed import Client

    async def results():
        await client.wait_for_workers(1)
        return await client.gather(client.compute(arrays))

    connect = min(CONNECT, seconds)
    client = Client(address, asynchronous=True, timeout=connect)
    try:
        try:
            await asyncio.wait_for(client, connect)
        except Exception as error:
            reason = str(error) or f"no answer after {connect:g} s"
            raise UserError(
                f"--scheduler: expected the address of a running scheduler, "
                f"such as tcp://127.0.0.1:8786, got {address!r} ({reason})")
        try:
            return await asyncio.wait_for(results(), seconds)
        except asyncio.TimeoutError:
            raise UserError(f"--timeout: no result within {seconds:g} s; is "
                            f"a worker connected to {address}?")
        except Exception as error:
            raise UserError(f"--scheduler {address}: its workers failed "
                            f"({type(error).__name__}: {error})")
    finally:
        await client.close()


def with_dask(address, seconds):
    """Convolve a batch block by block, and sum its gradient as a tree."""
    import dask
    images = np.random.default_rng(0).standard_normal((100, 28, 28, 1))
    W, b = np.ones((5, 5, 1, 6)), np.zeros(6)
    arrays = in_blocks(images, W, b)
    if address is None:
        Z, dW = dask.compute(*arrays, scheduler="threads")
    else:
        dask.config.set({"logging.distributed": "critical"})
        Z, dW = asyncio.run(on_cluster(arrays, address, seconds))
    expected = load("0-conv_forward.py")(images, W, b, lambda Z: Z)
    # Rounding in float64, of sums in another order.
    yield "conv_forward", Z, expected, 1e-12
    yield "dW of conv_backward", dW, load("2-conv_backward.py")(
        expected, images, W, b)[1], 1e-12


def with_tensorflow():
    """Train LeNet-5 on one device, and on all at once."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf
    devices = None
    if len(tf.config.list_physical_devices("GPU")) < 2:
        # One processor as two devices.
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * 2)
        devices = ["CPU:0", "CPU:1"]
    lenet5 = load("5-lenet5.py")
    images = np.random.default_rng(0).random((64, 28, 28, 1), np.float32)
    labels = np.eye(10)[np.arange(64) % 10]

    def trained():
        # Plain gradient descent: its steps are as exact as the gradients,
        # where Adam's divide small gradients by themselves.
        model = lenet5(tf.keras.Input(shape=(28, 28, 1)))
        model.compile("sgd", "categorical_crossentropy")
        model.fit(images, labels, 16, shuffle=False, verbose=0)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    one = trained()
    strategy = tf.distribute.MirroredStrategy(devices)
    with strategy.scope():
        many = trained()
    # Rounding in float32, over four steps.
    yield (f"weights on {strategy.num_replicas_in_sync} devices", many, one,
           1e-4)


def report(name, ours, expected, tolerance):
    """Print how far a result is from one machine's; return 1 if too far."""
    apart = np.abs(ours - expected).max() / np.abs(expected).max()
    equal = apart <= tolerance
    say(f"{name}: {'equal to' if equal else 'DIFFERENT from'} one "
        f"machine's, relative difference {apart:.1e}")
    return 0 if equal else 1


def seconds_from(text):
    """Read a number of seconds."""
    try:
        if 0 < float(text) < float("inf"):
            return float(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(
        f"expected a number of seconds above 0, got {text}")


def parsed(argv):
    """Return the arguments."""
    parser = Parser(description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=PACKAGES)
    parser.add_argument("--scheduler", metavar="ADDRESS", help=(
        "dask: of a running scheduler (default: threads of this process)"))
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds_from,
                        help="dask --scheduler: to wait for a result "
                        "(default 60)")
    args = parser.parse_args(argv)
    for flag in ("scheduler", "timeout"):
        if args.engine != "dask" and getattr(args, flag) is not None:
            parser.error(f"--{flag}: expected with dask only, got it with "
                         f"{args.engine}")
    if args.timeout is not None and args.scheduler is None:
        parser.error("--timeout: expected with --scheduler only; threads "
                     "are waited for")
    return args


def work(argv):
    """Compute and compare; return the exit status."""
    args = parsed(argv)
    for package in PACKAGES[args.engine][:2 - (args.scheduler is None)]:
        require(package, INSTALL[args.engine])
    results = list(with_dask(args.scheduler, args.timeout or 60)
                   if args.engine == "dask" else with_tensorflow())
    return max(report(*result) for result in results)


def main(argv=None):
    """Run; return the exit status."""
    return finished("scale_out.py", lambda: work(argv))


if __name__ == "__main__":
    sys.exit(main())
