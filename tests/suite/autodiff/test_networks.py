"""The networks against Keras with the same weights, and against finite differences."""

import keras
import numpy as np
import pytest
from backends import BACKEND, layer_gradients
from backends import gradients as keras_gradients

from suite.autodiff import (
    concatenate,
    constant,
    contributions,
    correlate2d,
    gradients,
    multilayer_perceptron,
    parameter,
    recurrence,
    softmax_cross_entropy,
    squared_error,
    tanh,
    total,
)

BATCH, TIME, FEATURES, UNITS = 6, 5, 3, 4
# JAX computes in float32 unless it is configured otherwise for the whole process.
DTYPE, TOLERANCE = ("float32", 2e-5) if BACKEND == "jax" else ("float64", 1e-11)


def close(ours, theirs):
    assert ours.shape == theirs.shape
    size = np.abs(theirs).max()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE * size)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def perceptron_weights(rng, sizes=(FEATURES, 7, 2, UNITS)):
    kernels = [rng.normal(size=pair) for pair in zip(sizes, sizes[1:], strict=False)]
    return kernels, [rng.normal(0.2, 1, size) for size in sizes[1:]]


def test_a_perceptron_equals_keras(rng):
    kernels, biases = perceptron_weights(rng)
    x, labels = rng.normal(0.5, 1, (BATCH, FEATURES)), np.eye(UNITS)[[3, 0, 1, 1, 2, 0]]
    nodes = [parameter(x), *map(parameter, kernels), *map(parameter, biases)]
    logits = multilayer_perceptron(nodes[0], nodes[1:4], nodes[4:])[-1]
    loss = softmax_cross_entropy(logits, labels)

    def keras_loss(x, *weights):
        for kernel, bias in zip(weights[:2], weights[3:5], strict=True):
            x = keras.ops.tanh(x @ kernel + bias)
        logits = x @ weights[2] + weights[5]
        target = keras.ops.cast(labels, DTYPE)
        return keras.ops.sum(keras.ops.categorical_crossentropy(target, logits, from_logits=True))

    arrays = [node.value.astype(DTYPE) for node in nodes]
    value, theirs = keras_gradients(keras_loss, *arrays)
    assert float(loss.value) == pytest.approx(float(value), rel=TOLERANCE)
    for ours, gradient in zip(gradients(loss, nodes), theirs, strict=True):
        close(ours, gradient)


def test_a_perceptron_equals_finite_differences(rng, match_differences):
    kernels, biases = perceptron_weights(rng)
    x, target = rng.normal(0.5, 1, (BATCH, FEATURES)), rng.normal(size=(BATCH, UNITS))

    def loss(*weights):
        outputs = multilayer_perceptron(constant(x), weights[:3], weights[3:])
        return squared_error(outputs[-1], target)

    match_differences(loss, [*kernels, *biases])


def test_the_gradient_of_a_sum_of_losses_is_the_sum_of_gradients(rng):
    """C30."""
    kernels, biases = ([parameter(w) for w in group] for group in perceptron_weights(rng))
    x, target = rng.normal(0.5, 1, (BATCH, FEATURES)), rng.normal(size=(BATCH, UNITS))

    def found(rows):
        y = multilayer_perceptron(constant(x[rows]), kernels, biases)[-1]
        return gradients(squared_error(y, target[rows]), kernels + biases)

    single = [found(slice(n, n + 1)) for n in range(BATCH)]
    for together, *apart in zip(found(slice(None)), *single, strict=True):
        np.testing.assert_allclose(together, sum(apart), rtol=1e-12, atol=1e-13)


def test_a_convolutional_network_equals_keras(rng):
    x, target = rng.normal(0.5, 1, (2, 6, 7, 3)), rng.normal(size=(2, 4, 4, 2))
    kernels = [rng.normal(size=(2, 3, 3, 4)) / 4, rng.normal(size=(2, 2, 4, 2)) / 4]
    nodes = [parameter(value) for value in (x, *kernels)]
    y = correlate2d(tanh(correlate2d(nodes[0], nodes[1])), nodes[2])
    loss = squared_error(y, target)

    def keras_loss(x, first, second):
        y = keras.ops.conv(x, first, padding="valid", data_format="channels_last")
        y = keras.ops.conv(keras.ops.tanh(y), second, padding="valid", data_format="channels_last")
        return keras.ops.sum((y - keras.ops.cast(target, DTYPE)) ** 2) / 2

    value, theirs = keras_gradients(keras_loss, *(node.value.astype(DTYPE) for node in nodes))
    assert float(loss.value) == pytest.approx(float(value), rel=TOLERANCE)
    for ours, gradient in zip(gradients(loss, nodes), theirs, strict=True):
        close(ours, gradient)


def recurrent_weights(rng):
    kernel = rng.normal(0.1, 0.6, (UNITS + FEATURES, UNITS))
    return rng.normal(0.5, 1, (BATCH, TIME, FEATURES)), kernel, rng.normal(0.2, 1, UNITS)


def test_a_recurrent_network_equals_keras(rng):
    x, kernel, bias = recurrent_weights(rng)
    layer = keras.layers.SimpleRNN(UNITS, return_sequences=True, dtype=DTYPE)
    layer.build(x.shape)
    layer.set_weights([kernel[UNITS:], kernel[:UNITS], bias])
    target = rng.normal(size=(BATCH, TIME, UNITS))

    def keras_loss(y):
        return keras.ops.sum((y - keras.ops.cast(target, DTYPE)) ** 2) / 2

    y, (dx, d_input, d_recurrent, d_bias) = layer_gradients(layer, x.astype(DTYPE), keras_loss)

    xs = [parameter(x[:, t]) for t in range(TIME)]
    kernel, bias = parameter(kernel), parameter(bias)
    states = recurrence(xs, constant(np.zeros((BATCH, UNITS))), kernel, bias)
    loss = squared_error(states[0], target[:, 0])
    for t in range(1, TIME):
        loss = loss + squared_error(states[t], target[:, t])
    close(np.stack([state.value for state in states], 1), y)
    *found, d_kernel, d_b = gradients(loss, [*xs, kernel, bias])
    close(np.stack(found, 1), dx)
    close(d_kernel, np.concatenate([d_recurrent, d_input]))
    close(d_b, d_bias)


def test_tied_weights_gather_one_contribution_for_each_time_step(rng):
    """C65: the same network with a copy of the kernel for each step has these gradients."""
    x, kernel, bias = recurrent_weights(rng)
    xs, h = [constant(x[0, t]) for t in range(TIME)], constant(np.full(UNITS, 0.1))
    shared, bias = parameter(kernel), parameter(bias)
    loss = total(recurrence(xs, h, shared, bias)[-1])
    uses = contributions(loss, shared)
    assert [use.name for use, _ in uses] == [f"product{t}" for t in range(1, TIME + 1)]
    np.testing.assert_allclose(
        sum(gradient for _, gradient in uses), gradients(loss, [shared])[0], rtol=1e-14
    )
    copies = [parameter(kernel) for _ in range(TIME)]
    for x_t, copy in zip(xs, copies, strict=True):
        (h,) = recurrence([x_t], h, copy, bias)
    for (_, ours), untied in zip(uses, gradients(total(h), copies), strict=True):
        np.testing.assert_array_equal(ours, untied)


def test_one_kernel_on_the_concatenation_is_two_kernels_on_the_parts(rng):
    x, kernel, _ = recurrent_weights(rng)
    h, x = constant(rng.normal(size=UNITS)), constant(x[0, 0])
    together = concatenate([h, x]) @ kernel
    apart = h @ kernel[:UNITS] + x @ kernel[UNITS:]
    np.testing.assert_allclose(together.value, apart.value, rtol=1e-14)


def test_a_recurrence_equals_finite_differences(rng, match_differences):
    x, kernel, bias = recurrent_weights(rng)
    xs = [constant(x[0, t]) for t in range(TIME)]
    values = [np.full(UNITS, 0.3), kernel, bias]
    match_differences(lambda h, kernel, bias: total(recurrence(xs, h, kernel, bias)[-1]), values)


def test_errors():
    x, kernel = constant([1.0, 2.0], "x"), parameter(np.ones((2, 3)), "kernel")
    with pytest.raises(ValueError, match="kernels and biases must be as many, received 1 and 0"):
        multilayer_perceptron(x, [kernel], [])
    with pytest.raises(ValueError, match=r"concatenate @ kernel: shapes \(3,\) and \(2, 3\)"):
        recurrence([x], constant([1.0]), kernel, constant([0.0]))
