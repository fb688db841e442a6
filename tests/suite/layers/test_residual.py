"""In order: by hand, Keras's `Add`, the theory of the scale, edges. Also for `DenseBlock`."""

import keras
import numpy as np
import pytest
from backends import layer_gradients, numpy

from suite.layers import Dense, DenseBlock, Residual

BATCH, TIME, FEATURES = 6, 5, 3


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(0.7, 1.0, (BATCH, TIME, FEATURES)).astype("float32")


def functional(kind, seed=1):
    """The same network from Keras's parts, as an oracle."""
    inputs = keras.Input((TIME, FEATURES))
    if kind == "residual":
        outputs = keras.layers.Add()([inputs, keras.layers.Dense(FEATURES, "tanh")(inputs)])
    else:
        first = keras.layers.Concatenate()([inputs, keras.layers.Dense(4, "tanh")(inputs)])
        outputs = keras.layers.Concatenate()([first, keras.layers.Dense(2, "tanh")(first)])
    return keras.Model(inputs, outputs)


def ours(kind):
    if kind == "residual":
        return Residual(Dense(FEATURES, "tanh"))
    return DenseBlock([Dense(4, "tanh"), Dense(2, "tanh")])


@pytest.mark.parametrize("kind", ["residual", "dense block"])
def test_equals_the_functional_model(kind, x):
    layer, reference = ours(kind), functional(kind)
    layer.build(x.shape)
    layer.set_weights(reference.get_weights())
    found, expected = layer_gradients(layer, x), layer_gradients(reference, x)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-6)
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_zero_branch_leaves_the_identity(x):
    layer = Residual(Dense(FEATURES, kernel_initializer="zeros"))
    np.testing.assert_array_equal(numpy(layer(x)), x)


@pytest.mark.parametrize(("depth", "growth"), [(None, 2.0**20), (20, (1 + 1 / 20) ** 20)])
def test_variance_through_twenty_random_blocks(depth, growth):
    """Claim C49: branches of unit gain double it each time, unless scaled by 1 / sqrt(depth)."""
    width, x = 400, np.random.default_rng(1).normal(size=(50, 400)).astype("float32")
    y = x
    for seed in range(20):
        kernel = keras.initializers.RandomNormal(stddev=1 / np.sqrt(width), seed=seed)
        y = numpy(Residual(Dense(width, kernel_initializer=kernel), depth=depth)(y))
    # The log's standard deviation is about sqrt(20 * 2 / width) = 0.3; four of them.
    assert abs(np.log(np.mean(y**2) / np.mean(x**2) / growth)) < 1.2


def test_a_shortcut_changes_the_shape(x):
    layer = Residual(Dense(4), shortcut=Dense(4, use_bias=False))
    assert layer(x).shape == (BATCH, TIME, 4)
    kernel, bias, shortcut = layer.get_weights()
    np.testing.assert_allclose(numpy(layer(x)), x @ kernel + bias + x @ shortcut, rtol=2e-5)


def test_training_and_masks_reach_the_branch(x):
    layer = Residual(keras.layers.Dropout(0.999, seed=1))
    assert np.array_equal(numpy(layer(x, training=False)), 2 * x)
    assert not np.allclose(numpy(layer(x, training=True)), 2 * x)
    masked = keras.layers.Masking()(np.where(np.arange(TIME)[:, None] < 3, x, 0))
    assert numpy(Residual(Dense(FEATURES))(masked)._keras_mask).sum() == BATCH * 3


@pytest.mark.parametrize("make", [Residual, lambda layer: DenseBlock([layer])])
def test_the_mode_reaches_the_branch_below_stateless_call(make, x):
    """Where Keras does not hand it down; compiled training programs call a model like that."""
    layer = make(keras.layers.BatchNormalization(momentum=0.0))
    layer.build(x.shape)
    state = [w.value for w in layer.non_trainable_variables]
    weights = [w.value for w in layer.trainable_variables]
    _, after = layer.stateless_call(weights, state, x, training=True)
    np.testing.assert_allclose(numpy(after[0]), x.mean((0, 1)), rtol=1e-5)


def test_branches_come_back_from_the_config(x):
    layer = Residual(Dense(FEATURES, "tanh"), depth=7)
    again = Residual.from_config(layer.get_config())
    assert type(again.branch) is Dense
    assert again.scale == pytest.approx(7**-0.5)


def test_branches_may_come_from_a_generator(x):
    assert DenseBlock(Dense(n) for n in (4, 2))(x).shape == (BATCH, TIME, FEATURES + 6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Residual("dense"), "branch must be a layer or model, received 'dense'"),
        (lambda: Residual(Dense(3), depth=0), "depth must be a positive integer, received 0"),
        (lambda: Residual(Dense(3), shortcut=4), "shortcut must be a layer or model, received 4"),
        (lambda: DenseBlock([]), r"branches must be a sequence of layers, received \[\]"),
        (lambda: DenseBlock([Dense(2), "x"]), "branches must be a layer or model, received 'x'"),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_refuses_a_branch_of_another_shape(x):
    with pytest.raises(ValueError, match=r"keep the shape \(6, 5, 3\).*output \(6, 5, 4\)"):
        Residual(Dense(4))(x)
    with pytest.raises(ValueError, match=r"keep the axes \(6, 5\), received .*\(6, 3\)"):
        DenseBlock([keras.layers.GlobalAveragePooling1D()])(x)
