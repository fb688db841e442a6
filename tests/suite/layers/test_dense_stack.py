"""In order: by hand, the same layers one after another, one depth for the program, edges."""

import keras
import numpy as np
import pytest
from backends import BACKEND, WIDEST, compiled, layer_gradients, numpy

from suite.layers import Dense, DenseStack, Residual

BATCH, TIME, FEATURES, DEPTH = 6, 5, 3, 4


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(0.7, 1.0, (BATCH, TIME, FEATURES)).astype("float32")


@pytest.mark.parametrize(
    ("residual", "scaled", "wanted"),
    # Kernels 2 and 10, biases 1 and 0: (1 * 2 + 1) * 10; 1 + 3 = 4, 4 + 40; and with 1 / sqrt(2).
    [
        (False, True, 30.0),
        (True, False, 44.0),
        (True, True, (1 + 3 / 2**0.5) * (1 + 10 / 2**0.5)),
    ],
)
def test_two_layers_by_hand(residual, scaled, wanted):
    layer = DenseStack(2, residual=residual, scaled=scaled)
    layer.build((None, 1))
    layer.set_weights([np.array([[[2.0]], [[10.0]]]), np.array([[1.0], [0.0]])])
    assert float(layer(np.ones((1, 1), "float32"))[0, 0]) == pytest.approx(wanted)


@pytest.mark.parametrize(("residual", "scaled"), [(False, False), (True, False), (True, True)])
def test_equals_the_layers_one_after_another(residual, scaled, x):
    stack = DenseStack(DEPTH, "tanh", residual, scaled, bias_initializer="normal", dtype=WIDEST)
    stack.build(x.shape)
    layers = [Dense(FEATURES, "tanh", dtype=WIDEST) for _ in range(DEPTH)]
    if residual:
        layers = [Residual(d, DEPTH if scaled else None, dtype=WIDEST) for d in layers]
    reference = keras.Sequential(layers)
    reference.build(x.shape)
    kernels, biases = stack.get_weights()
    reference.set_weights([w for pair in zip(kernels, biases, strict=True) for w in pair])

    found, expected = layer_gradients(stack, x), layer_gradients(reference, x)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5)
    (gx, gk, gb), (rx, *rest) = found[1], expected[1]
    np.testing.assert_allclose(gx, rx, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gk, np.stack(rest[::2]), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gb, np.stack(rest[1::2]), rtol=1e-4, atol=1e-6)


def test_each_layer_starts_with_weights_of_its_own_and_the_fans_of_one():
    def kernel(**arguments):
        layer = DenseStack(50, kernel_initializer="lecun_normal", **arguments)
        layer.build((None, 16))
        return numpy(layer.kernel)

    first, second = kernel(seed=1), kernel(seed=2)
    np.testing.assert_array_equal(first, kernel(seed=1))
    assert not np.allclose(first, second)
    assert len(np.unique(first.round(6))) > 0.9 * first.size
    # 12800 draws know their variance to sqrt(2 / 12800) = 1.25 %; four of that.
    assert 16 * first.var() == pytest.approx(1, rel=0.05)


def test_orthogonal_layers_are_orthogonal_one_by_one():
    layer = DenseStack(3, kernel_initializer="orthogonal", seed=0)
    layer.build((None, 5))
    for kernel in numpy(layer.kernel):
        np.testing.assert_allclose(kernel @ kernel.T, np.eye(5), atol=1e-5)


def test_three_hundred_layers_compile_and_train(x):
    """As many layer objects would be traced one by one."""
    layer = DenseStack(300, "tanh", seed=0)
    layer.build(x.shape)
    np.testing.assert_allclose(numpy(compiled(layer)(x)), numpy(layer(x)), rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the training program is TensorFlow's")
def test_inside_the_compiled_training_program():
    from suite.training import train

    x = np.random.default_rng(1).normal(size=(32, 2)).astype("float32")
    model = keras.Sequential([keras.Input((2,)), DenseStack(30, "tanh"), Dense(1)])
    history = train(
        model, "adam", "mse", x, x.sum(1, keepdims=True),
        steps=20, batch_size=8, seeds=(0, 1), record_every=20, probes=(),
    )  # fmt: skip
    assert (history["train_loss"][:, -1] < history["train_loss"][:, 0]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 0}, "depth must be a positive integer, received 0"),
        ({"depth": 2, "residual": "yes"}, "residual must be .*, received 'yes'"),
        ({"depth": 2, "scaled": 1}, "scaled must be .*, received 1"),
        ({"depth": 2, "seed": 0.5}, "seed must be an integer, received 0.5"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        DenseStack(**arguments)
    with pytest.raises(ValueError, match="last axis"):
        DenseStack(2).build((None, None))
