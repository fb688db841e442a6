"""In order: by hand, NumPy recursion, finite differences through time, theory of C65 and C66."""

import numpy as np
import pytest
from backends import BACKEND, gradients, layer_gradients, numpy
from keras import ops

from suite.layers import SimpleRNN, SimpleRNNCell

BATCH, TIME, FEATURES, UNITS = 6, 5, 3, 4
RNG = np.random.default_rng(0)
X = RNG.normal(0.4, 1.0, (BATCH, TIME, FEATURES)).astype("float32")
# float32: a kernel of 3 x 4, a recurrent one of 4 x 4, a bias.
WEIGHTS = [RNG.normal(0.1, 0.6, s).astype("float32") for s in ((3, 4), (4, 4), (4,))]


def recursion(x, w, u, b):
    """The states at all time steps, in the precision of its arguments."""
    h, states = np.zeros((len(x), len(u)), x.dtype), []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ w + h @ u + b)
        states.append(h)
    return np.stack(states, axis=1)


def recursion_with_recurrent_kernel_transposed(x, w, u, b):
    return recursion(x, w, u.T, b)


def layer_with(weights, **arguments):
    layer = SimpleRNN(weights[1].shape[0], **arguments)
    layer.build((None, None, weights[0].shape[0]))
    layer.set_weights(weights)
    return layer


def test_two_steps_by_hand():
    layer = layer_with([np.array([[2.0]]), np.array([[3.0]]), np.array([1.0])], activation=None)
    y = layer(np.array([[[1.0], [10.0]]], "float32"))  # 2 + 1 = 3; 20 + 3 * 3 + 1 = 30
    assert numpy(y).tolist() == [[30.0]]


def test_states_equal_the_recursion_and_the_mutant_is_caught():
    y = numpy(layer_with(WEIGHTS, return_sequences=True)(X))
    np.testing.assert_allclose(y, recursion(X, *WEIGHTS), rtol=1e-5, atol=1e-6)  # float32
    mutant = recursion_with_recurrent_kernel_transposed(X, *WEIGHTS)
    assert np.abs(y - mutant).max() > 0.1


def test_two_kernels_are_one_of_the_concatenation():
    """C65: `x W + h U` is `cat(x, h)` times one stacked matrix."""
    cell = SimpleRNNCell(UNITS)
    cell.build((None, FEATURES))
    cell.set_weights(WEIGHTS)
    h = RNG.normal(size=(BATCH, UNITS)).astype("float32")
    stacked = np.concatenate(WEIGHTS[:2])
    expected = np.tanh(np.concatenate([X[:, 0], h], axis=1) @ stacked + WEIGHTS[2])
    output, [state] = cell(X[:, 0], [h])
    np.testing.assert_allclose(numpy(output), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(numpy(state), numpy(output))


def test_gradient_through_time_equals_finite_differences():
    """Of the recursion in float64, so that the oracle shares nothing with the layer."""
    _, found = layer_gradients(layer_with(WEIGHTS, return_sequences=True), X)
    point = [X, *WEIGHTS]
    for k, gradient in enumerate(found):
        direction = RNG.normal(size=point[k].shape)

        def along(step, k=k, direction=direction):
            moved = [a.astype("float64") for a in point]
            moved[k] = moved[k] + step * direction
            return np.sum(np.sin(recursion(*moved)))

        step = 1e-5  # near the cube root of float64's epsilon
        slope = (along(step) - along(-step)) / (2 * step)
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-4, abs=1e-5)  # float32


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras has no float64 on this backend")
def test_gradient_through_time_in_float64():
    weights = [w.astype("float64") for w in WEIGHTS]
    layer = layer_with(weights, return_sequences=True, dtype="float64")
    _, (_, _, gradient, _) = layer_gradients(layer, X.astype("float64"))
    direction, step = RNG.normal(size=(UNITS, UNITS)), 1e-5

    def along(step):
        w, u, b = weights
        return np.sum(np.sin(recursion(X.astype("float64"), w, u + step * direction, b)))

    slope = (along(step) - along(-step)) / (2 * step)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-8)


def test_gradient_of_a_shared_weight_is_the_sum_over_its_uses():
    """C65: unrolled, it is a deep network whose layers have one recurrent kernel in common."""
    _, (_, _, shared, _) = layer_gradients(layer_with(WEIGHTS), X)
    w, u, b = WEIGHTS

    def unrolled(*kernels):
        h = ops.zeros((BATCH, UNITS))
        for t, kernel in enumerate(kernels):
            h = ops.tanh(ops.matmul(X[:, t], w) + ops.matmul(h, kernel) + b)
        return ops.sum(ops.sin(h))

    _, per_step = gradients(unrolled, *[u] * TIME)
    np.testing.assert_allclose(sum(per_step), shared, rtol=1e-4, atol=1e-5)  # float32
    assert np.abs(per_step[-1] - shared).max() > 0.1  # one use alone is not enough


@pytest.mark.parametrize("radius", [0.8, 1.0, 1.2])
def test_gradients_grow_as_powers_of_the_spectral_radius(radius):
    """C66: linear, `dh_T/dh_0` is `U^T`; a scaled orthogonal `U` has `radius^T` exactly."""
    time = 30
    orthogonal, _ = np.linalg.qr(RNG.normal(size=(UNITS, UNITS)))
    u = (radius * orthogonal).astype("float32")
    layer = layer_with([WEIGHTS[0], u, WEIGHTS[2]], activation=None)
    x = np.zeros((1, time, FEATURES), "float32")
    v, h = RNG.normal(0.5, 1.0, (2, 1, UNITS)).astype("float32")
    _, [gradient] = gradients(lambda h: ops.sum(v * layer(x, initial_state=[h])), h)
    # 30 products of float32 with an orthogonal matrix.
    assert np.linalg.norm(gradient) == pytest.approx(radius**time * np.linalg.norm(v), rel=1e-4)


def test_a_saturating_activation_bounds_states_but_not_gradients():
    """C66: at a state of zero the slope of tanh is one, and gradients grow all the same."""
    time, radius = 30, 1.2
    u = (radius * np.eye(UNITS)).astype("float32")
    layer = layer_with([WEIGHTS[0], u, np.zeros(UNITS, "float32")])
    x = np.zeros((1, time, FEATURES), "float32")
    h = np.zeros((1, UNITS), "float32")
    y, [gradient] = gradients(lambda h: ops.sum(layer(x, initial_state=[h])), h)
    np.testing.assert_allclose(gradient, radius**time, rtol=1e-4)
    assert y == 0
    assert np.abs(numpy(layer(x, initial_state=[h + 5]))).max() < 1
