"""In order: by hand, Keras's convolution four times, rotations and shifts, edges."""

import keras
import numpy as np
import pytest
from backends import WIDEST, compiled, layer_gradients, numpy

from suite.layers import Conv2D, LiftingConv2D

BATCH, CHANNELS, FILTERS = 2, 3, 5
# Relative to sums of some hundred terms of size one.
EXACT = 1e-12 if WIDEST == "float64" else 2e-5
PADDINGS = ["valid", "same", "circular"]


def images(*size, channels=CHANNELS):
    return np.random.default_rng(0).normal(0.7, 1.0, (BATCH, *size, channels)).astype(WIDEST)


def with_weights(layer, x):
    layer.build(x.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(0.2, 0.5, w.shape) for w in layer.get_weights()])
    return layer


def rotated(x):
    """Turned by 90 degrees counterclockwise."""
    return np.rot90(x, axes=(1, 2)).copy()  # without negative strides, which torch does not take


def turned(y):
    """What a rotation does to maps with orientations: turn each, pass it on to the next."""
    return np.roll(np.rot90(y, axes=(1, 2)), 1, axis=3)


# --- by hand, Keras ------------------------------------------------------------------------------


def test_by_hand():
    layer = LiftingConv2D(1, 2)
    layer.build((None, 2, 2, 1))
    layer.set_weights([np.reshape([1.0, 10.0, 100.0, 1000.0], (2, 2, 1, 1)), np.array([0.5])])
    y = layer(np.array([[1.0, 2.0], [3.0, 4.0]])[None, ..., None])
    # The kernel 1 10 / 100 1000 turned counterclockwise is 10 1000 / 1 100, and so on.
    expected = [
        1 * 1 + 2 * 10 + 3 * 100 + 4 * 1000 + 0.5,
        1 * 10 + 2 * 1000 + 3 * 1 + 4 * 100 + 0.5,
        1 * 1000 + 2 * 100 + 3 * 10 + 4 * 1 + 0.5,
        1 * 100 + 2 * 1 + 3 * 1000 + 4 * 10 + 0.5,
    ]
    assert numpy(y).reshape(-1).tolist() == expected


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_is_four_convolutions_of_keras(padding):
    x = images(7, 9)
    layer = with_weights(LiftingConv2D(FILTERS, 3, padding, dtype=WIDEST), x)
    kernel, bias = layer.get_weights()
    plain = keras.layers.Conv2D(FILTERS, 3, padding=padding, dtype=WIDEST)
    plain.build(x.shape)
    y, (dx, dkernel, dbias) = layer_gradients(layer, x)
    sums = np.zeros_like(dx), np.zeros_like(dkernel), np.zeros_like(dbias)
    for r in range(4):
        plain.set_weights([np.rot90(kernel, r), bias])
        expected, (by_x, by_kernel, by_bias) = layer_gradients(plain, x)
        np.testing.assert_allclose(y[..., r, :], expected, rtol=0, atol=EXACT)
        for total, term in zip(sums, (by_x, np.rot90(by_kernel, -r), by_bias), strict=True):
            total += term
    for ours, total in zip((dx, dkernel, dbias), sums, strict=True):
        np.testing.assert_allclose(ours, total, rtol=0, atol=100 * EXACT)


def test_a_quarter_of_the_weights_of_a_convolution_with_as_many_maps():
    layer, plain = LiftingConv2D(FILTERS, 3), Conv2D(4 * FILTERS, 3)
    for each in (layer, plain):
        each.build((None, 7, 9, CHANNELS))
    assert [(w.name, tuple(w.shape)) for w in layer.weights] == [
        ("kernel", (3, 3, CHANNELS, FILTERS)),
        ("bias", (FILTERS,)),
    ]
    assert 4 * layer.count_params() == plain.count_params()


# --- symmetry ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(7, 7), (7, 10), (8, 8)], ids=str)
@pytest.mark.parametrize("padding", PADDINGS)
def test_commutes_with_rotations(padding, size):
    x = images(*size)
    layer = with_weights(LiftingConv2D(FILTERS, 3, padding, "relu", dtype=WIDEST), x)
    y = numpy(layer(x))
    assert y.std() > 1
    np.testing.assert_allclose(layer(rotated(x)), turned(y), rtol=0, atol=EXACT)


def test_an_even_kernel_commutes_too_without_padding():
    x = images(7, 9)
    layer = with_weights(LiftingConv2D(FILTERS, 4, dtype=WIDEST), x)
    np.testing.assert_allclose(layer(rotated(x)), turned(numpy(layer(x))), rtol=0, atol=EXACT)


def test_a_plain_convolution_does_not_commute_with_rotations():
    x = images(7, 7)
    layer = with_weights(Conv2D(FILTERS, 3, padding="same", dtype=WIDEST), x)
    assert np.abs(numpy(layer(rotated(x))) - rotated(numpy(layer(x)))).max() > 1


def test_commutes_with_shifts_on_a_torus():
    x = images(7, 10)
    layer = with_weights(LiftingConv2D(FILTERS, 3, "circular", dtype=WIDEST), x)
    shifted = np.roll(numpy(layer(x)), (2, -3), (1, 2))
    np.testing.assert_allclose(layer(np.roll(x, (2, -3), (1, 2))), shifted, rtol=0, atol=EXACT)


def test_gradients_keep_the_symmetry():
    """The loss of a turned image has the same slope by the weights, if it reads symmetrically."""
    x = images(7, 7)
    layer = with_weights(LiftingConv2D(FILTERS, 3, "same", "tanh", dtype=WIDEST), x)
    _, (dx, *dw) = layer_gradients(layer, x)
    _, (dx_of_rotated, *dw_of_rotated) = layer_gradients(layer, rotated(x))
    np.testing.assert_allclose(dx_of_rotated, rotated(dx), rtol=0, atol=10 * EXACT)
    for a, b in zip(dw, dw_of_rotated, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=100 * EXACT)


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("padding", PADDINGS)
def test_images_of_any_size(padding):
    layer = LiftingConv2D(FILTERS, 3, padding)
    inputs = keras.Input((None, None, CHANNELS))
    model = keras.Model(inputs, layer(inputs))
    assert model.output.shape == (None, None, None, 4, FILTERS)
    for size in [(7, 8), (10, 9)]:
        x = images(*size).astype("float32")
        np.testing.assert_allclose(model.predict(x, verbose=0), numpy(layer(x)), atol=2e-5)


def test_compiles():
    x = keras.ops.convert_to_tensor(images(7, 9))
    layer = with_weights(LiftingConv2D(FILTERS, 3, dtype=WIDEST), x)
    np.testing.assert_allclose(numpy(compiled(layer)(x)), numpy(layer(x)), rtol=0, atol=EXACT)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filters": -1}, "filters must be a positive integer, received -1"),
        ({"kernel_size": (3, 3)}, r"kernel_size must be a positive integer, received \(3, 3\)"),
        ({"kernel_size": 2, "padding": "same"}, "kernel_size must be odd with padding, received 2"),
        ({"kernel_size": 4, "padding": "circular"}, "kernel_size must be odd"),
        ({"padding": "full"}, "padding.* must be one of valid, same, circular, received 'full'"),
        ({"strides": 2}, "strides"),
    ],
    ids=str,
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        LiftingConv2D(**{"filters": FILTERS, "kernel_size": 3} | arguments)


def test_refuses_inputs():
    layer = LiftingConv2D(FILTERS, 5)
    with pytest.raises(ValueError, match="kernel_size must fit into the image, received 5"):
        layer.compute_output_shape((None, 7, 4, CHANNELS))
    with pytest.raises(ValueError, match="kernel_size must fit into the image, received 5"):
        layer(images(7, 4))
    with pytest.raises(ValueError, match="ndim=4"):
        LiftingConv2D(FILTERS, 3)(np.ones((BATCH, 7, 9, 4, CHANNELS), "float32"))
