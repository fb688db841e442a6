"""In order: Keras's convolution, rotations alone and in networks, mutants, edges."""

import keras
import numpy as np
import pytest
from backends import WIDEST, compiled, layer_gradients, numpy
from keras import ops

from suite.layers import Conv2D, GroupConv2D, LiftingConv2D

BATCH, CHANNELS, FILTERS = 2, 3, 5
# Relative to sums of some hundred terms of size one.
EXACT = 1e-12 if WIDEST == "float64" else 5e-5
PADDINGS = ["valid", "same", "circular"]


def maps(*size):
    shape = (BATCH, *size, 4, CHANNELS)
    return np.random.default_rng(0).normal(0.7, 1.0, shape).astype(WIDEST)


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
    return np.roll(rotated(y), 1, axis=3)


# --- Keras ---------------------------------------------------------------------------------------


def test_by_hand():
    """A window of one cell: orientation r of the output weighs orientation s by w[s - r]."""
    layer = GroupConv2D(1, 1)
    layer.build((None, 1, 1, 4, 1))
    layer.set_weights([np.reshape([1.0, 10.0, 100.0, 1000.0], (1, 1, 4, 1, 1)), np.array([0.5])])
    y = numpy(layer(np.reshape(np.array([1.0, 2.0, 3.0, 4.0]), (1, 1, 1, 4, 1))))
    assert y.reshape(-1).tolist() == [4321.5, 1432.5, 2143.5, 3214.5]


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_is_four_convolutions_of_keras(padding):
    x = maps(7, 9)
    layer = with_weights(GroupConv2D(FILTERS, 3, padding, dtype=WIDEST), x)
    kernel, bias = layer.get_weights()
    plain = keras.layers.Conv2D(FILTERS, 3, padding=padding, dtype=WIDEST)
    flat = x.reshape(BATCH, 7, 9, 4 * CHANNELS)
    plain.build(flat.shape)
    y, (dx, *_) = layer_gradients(layer, x)
    total = np.zeros_like(flat)
    for r in range(4):
        of_r = np.stack([np.rot90(kernel[:, :, (s - r) % 4], r) for s in range(4)], axis=2)
        plain.set_weights([of_r.reshape(3, 3, 4 * CHANNELS, FILTERS), bias])
        expected, (by_x, *_) = layer_gradients(plain, flat)
        np.testing.assert_allclose(y[..., r, :], expected, rtol=0, atol=EXACT)
        total += by_x
    np.testing.assert_allclose(dx.reshape(total.shape), total, rtol=0, atol=100 * EXACT)


@pytest.mark.skipif(WIDEST != "float64", reason="differences need float64")
def test_gradients_equal_finite_differences():
    x = maps(4, 6)
    layer = with_weights(GroupConv2D(FILTERS, 3, "same", "tanh", dtype="float64"), x)
    arrays = [x, *layer.get_weights()]
    rng = np.random.default_rng(5)
    directions = [rng.normal(0.0, 0.1, array.shape) for array in arrays]

    def loss(step):
        moved, *weights = (a + step * d for a, d in zip(arrays, directions, strict=True))
        layer.set_weights(weights)
        return np.sin(numpy(layer(moved))).sum()

    step = 1e-5  # near the cube root of float64's epsilon, where the central difference is best
    slope = (loss(step) - loss(-step)) / (2 * step)
    loss(0)
    _, found = layer_gradients(layer, x)
    total = sum(np.sum(g * d) for g, d in zip(found, directions, strict=True))
    assert total == pytest.approx(slope, rel=1e-7)


def test_a_quarter_of_the_weights_of_a_convolution_with_as_many_maps():
    layer, plain = GroupConv2D(FILTERS, 3, use_bias=False), Conv2D(4 * FILTERS, 3, use_bias=False)
    layer.build((None, 7, 9, 4, CHANNELS))
    plain.build((None, 7, 9, 4 * CHANNELS))
    assert 4 * layer.count_params() == plain.count_params()


# --- symmetry ------------------------------------------------------------------------------------


def assert_commutes_with_rotations(cls, padding="valid", size=(7, 7)):
    x = maps(*size)
    layer = with_weights(cls(FILTERS, 3, padding, "relu", dtype=WIDEST), x)
    y = numpy(layer(x))
    assert y.std() > 1
    np.testing.assert_allclose(layer(turned(x)), turned(y), rtol=0, atol=EXACT)


@pytest.mark.parametrize("size", [(7, 7), (7, 10), (8, 8)], ids=str)
@pytest.mark.parametrize("padding", PADDINGS)
def test_commutes_with_rotations(padding, size):
    assert_commutes_with_rotations(GroupConv2D, padding, size)


class WithoutTheOrientations(GroupConv2D):
    """Mutant: the kernel is turned, but looks at the same orientations as before."""

    def _turned(self, kernel, r):
        return ops.rot90(kernel, r, axes=(0, 1))


class WithoutTheImage(GroupConv2D):
    """Mutant: the kernel looks at the next orientations, but is not turned."""

    def _turned(self, kernel, r):
        return ops.roll(kernel, r, axis=2)


class OtherWayRound(GroupConv2D):
    """Mutant: the orientations are passed on clockwise."""

    def _turned(self, kernel, r):
        return ops.rot90(ops.roll(kernel, -r, axis=2), r, axes=(0, 1))


@pytest.mark.parametrize("mutant", [WithoutTheOrientations, WithoutTheImage, OtherWayRound])
def test_a_kernel_that_is_turned_in_part_is_caught(mutant):
    with pytest.raises(AssertionError):
        assert_commutes_with_rotations(mutant)


@pytest.mark.parametrize("padding", PADDINGS)
def test_a_network_commutes_and_its_readouts_turn_or_stay(padding):
    x = np.random.default_rng(2).normal(0.7, 1.0, (BATCH, 9, 9, CHANNELS)).astype(WIDEST)
    network = [
        with_weights(LiftingConv2D(FILTERS, 3, padding, "relu", dtype=WIDEST), x),
        GroupConv2D(2, 3, padding, "tanh", dtype=WIDEST),
        GroupConv2D(4, 5, padding, dtype=WIDEST),
    ]

    def output(x):
        for layer in network:
            x = layer(x)
        return numpy(x)

    y, of_rotated = output(x), output(rotated(x))
    np.testing.assert_allclose(of_rotated, turned(y), rtol=0, atol=100 * EXACT)
    for readout in (np.max, np.mean):
        np.testing.assert_allclose(
            readout(of_rotated, 3), rotated(readout(y, 3)), rtol=0, atol=100 * EXACT
        )
        np.testing.assert_allclose(
            readout(of_rotated, (1, 2, 3)), readout(y, (1, 2, 3)), rtol=0, atol=100 * EXACT
        )


def test_commutes_with_shifts_on_a_torus():
    x = maps(7, 10)
    layer = with_weights(GroupConv2D(FILTERS, 3, "circular", dtype=WIDEST), x)
    shifted = np.roll(numpy(layer(x)), (2, -3), (1, 2))
    np.testing.assert_allclose(layer(np.roll(x, (2, -3), (1, 2))), shifted, rtol=0, atol=EXACT)


# --- edges ---------------------------------------------------------------------------------------


def test_images_of_any_size():
    layer = GroupConv2D(FILTERS, 3, "same")
    inputs = keras.Input((None, None, 4, CHANNELS))
    model = keras.Model(inputs, layer(inputs))
    assert model.output.shape == (None, None, None, 4, FILTERS)
    for size in [(7, 8), (10, 9)]:
        x = maps(*size).astype("float32")
        np.testing.assert_allclose(model.predict(x, verbose=0), numpy(layer(x)), atol=5e-5)


def test_compiles():
    x = ops.convert_to_tensor(maps(7, 9))
    layer = with_weights(GroupConv2D(FILTERS, 3, dtype=WIDEST), x)
    np.testing.assert_allclose(numpy(compiled(layer)(x)), numpy(layer(x)), rtol=0, atol=EXACT)


def test_refuses():
    with pytest.raises(ValueError, match="filters must be a positive integer, received 0"):
        GroupConv2D(0, 3)
    with pytest.raises(ValueError, match="kernel_size must be odd with padding, received 2"):
        GroupConv2D(FILTERS, 2, "same")
    with pytest.raises(ValueError, match="ndim=5"):
        GroupConv2D(FILTERS, 3)(np.ones((BATCH, 7, 9, CHANNELS), "float32"))
    with pytest.raises(ValueError, match="expected axis 3 of input shape to have value 4"):
        GroupConv2D(FILTERS, 3)(np.ones((BATCH, 7, 9, 3, CHANNELS), "float32"))
    with pytest.raises(ValueError, match="kernel_size must fit into the image, received 5"):
        GroupConv2D(FILTERS, 5)(maps(7, 4))
    with pytest.raises(ValueError, match="channel axis of the input must be .*, received None"):
        GroupConv2D(FILTERS, 3).build((None, 7, 9, 4, None))
