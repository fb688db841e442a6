"""Images to convolve, real and random, and the suite's layer as a function of image and kernel."""

from functools import cache

import numpy as np

NOISE, DIGITS = "noise", "digits"
DATA = (NOISE, DIGITS)


@cache
def digits():
    """Images of digits `(n, 14, 12)`, ink from 0 to 1: half the size, without the side columns."""
    from benchmarks.experiments.comparisons._images import smaller
    from suite.datasets import load_arrays

    return smaller(load_arrays("mnist_5000").x_train).reshape(-1, 14, 14)[..., 1:13].astype(float)


def image(data, shape, rng):
    """One image of this shape `(height, width)`: noise of mean 0.7, or the middle of a digit."""
    if data == NOISE:
        return rng.normal(0.7, 1.0, shape)
    part = np.zeros(shape)
    while not part.any():  # the hole of a zero is as large as a small part
        drawn = digits()[rng.integers(len(digits()))]
        top, left = ((whole - side) // 2 for whole, side in zip(drawn.shape, shape, strict=True))
        part = drawn[top : top + shape[0], left : left + shape[1]]
    return part


def kernel(rng, *shape):
    """Weights without symmetry; their mean is not zero."""
    return rng.normal(0.2, 0.5, shape)


@cache  # building takes longer than all that the layer computes here
def built(kernel_shape, image_shape, use_bias=False, **arguments):
    """The suite's `Conv2D` in float64, shared: its weights are set before each use."""
    from suite.layers import Conv2D

    *size, _, filters = kernel_shape
    layer = Conv2D(filters, tuple(size), use_bias=use_bias, dtype="float64", **arguments)
    layer.build((None, *image_shape))
    return layer


def layer_with(weights, image_shape, bias=None, **arguments):
    """The layer with this kernel `(height, width, channels, filters)`, until the next call."""
    layer = built(weights.shape, tuple(image_shape), bias is not None, **arguments)
    layer.set_weights([weights] if bias is None else [weights, bias])
    return layer


def correlate(plane, weights, **arguments):
    """The layer on one image `(height, width)` with one kernel `(rows, columns)`."""
    layer = layer_with(weights[..., None, None], (*plane.shape, 1), **arguments)
    return np.asarray(layer(plane[None, ..., None]))[0, ..., 0]


def deviation(found, expected, whole=None):
    """Largest difference, relative to the largest expected entry, or to that of the whole."""
    return np.abs(found - expected).max() / np.abs(expected if whole is None else whole).max()
