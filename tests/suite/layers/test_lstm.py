"""In order: by hand, NumPy recursion and its mutants, finite differences, theory of C67."""

import numpy as np
import pytest
from backends import BACKEND, gradients, layer_gradients, numpy
from keras import ops

import suite
from suite.layers import LSTM, LSTMCell

BATCH, TIME, FEATURES, UNITS = 6, 5, 3, 4
RNG = np.random.default_rng(0)
X = RNG.normal(0.4, 1.0, (BATCH, TIME, FEATURES)).astype("float32")
WEIGHTS = [RNG.normal(0.1, 0.6, s).astype("float32") for s in ((3, 16), (4, 16), (16,))]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def recursion(x, w, u, b, order="ifco"):
    """Outputs at all time steps and the last carry; `order` names the blocks of the weights."""
    h = c = np.zeros((len(x), len(u)), x.dtype)
    outputs = []
    for t in range(x.shape[1]):
        z = dict(zip(order, np.split(x[:, t] @ w + h @ u + b, 4, axis=1), strict=True))
        c = sigmoid(z["f"]) * c + sigmoid(z["i"]) * np.tanh(z["c"])
        h = sigmoid(z["o"]) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1), c


def layer_with(weights, **arguments):
    layer = LSTM(weights[1].shape[0], **arguments)
    layer.build((None, None, weights[0].shape[0]))
    layer.set_weights(weights)
    return layer


def test_one_step_by_hand():
    """Linear gates: i, f, g, o are 1, 2, 3, 5 times x = 2, plus 0.5 h, h = 4."""
    cell = LSTMCell(1, None, None, use_bias=False)
    cell.build((None, 1))
    cell.set_weights([np.array([[1.0, 2.0, 3.0, 5.0]]), np.full((1, 4), 0.5)])
    x, h, c = ([[v]] for v in (2.0, 4.0, 10.0))
    output, [h, c] = cell(*map(np.array, ([x[0]], [h, c])))
    # i, f, g, o = 4, 6, 8, 12; c = 6 * 10 + 4 * 8 = 92; h = 12 * 92
    assert [numpy(v).item() for v in (output, h, c)] == [1104.0, 1104.0, 92.0]


def test_outputs_and_carry_equal_the_recursion():
    y, h, c = layer_with(WEIGHTS, return_sequences=True, return_state=True)(X)
    outputs, carry = recursion(X, *WEIGHTS)
    np.testing.assert_allclose(numpy(y), outputs, rtol=1e-5, atol=1e-6)  # float32
    np.testing.assert_allclose(numpy(c), carry, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(numpy(h), numpy(y)[:, -1])


@pytest.mark.parametrize("order", ["fico", "icfo", "ifoc", "ocfi"])
def test_another_order_of_the_gates_is_caught(order):
    y = numpy(layer_with(WEIGHTS, return_sequences=True)(X))
    assert np.abs(y - recursion(X, *WEIGHTS, order=order)[0]).max() > 0.05


def test_gradient_through_time_equals_finite_differences():
    """Of the recursion in float64, so that the oracle shares nothing with the layer."""
    _, found = layer_gradients(layer_with(WEIGHTS, return_sequences=True), X)
    point = [X, *WEIGHTS]
    for k, gradient in enumerate(found):
        direction = RNG.normal(size=point[k].shape)

        def along(step, k=k, direction=direction):
            moved = [a.astype("float64") for a in point]
            moved[k] = moved[k] + step * direction
            return np.sum(np.sin(recursion(*moved)[0]))

        step = 1e-5  # near the cube root of float64's epsilon
        slope = (along(step) - along(-step)) / (2 * step)
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-4, abs=1e-5)  # float32


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras has no float64 on this backend")
def test_gradient_through_time_in_float64():
    weights = [w.astype("float64") for w in WEIGHTS]
    layer = layer_with(weights, return_sequences=True, dtype="float64")
    _, (_, _, gradient, _) = layer_gradients(layer, X.astype("float64"))
    direction, step = RNG.normal(size=(UNITS, 4 * UNITS)), 1e-5

    def along(step):
        w, u, b = weights
        return np.sum(np.sin(recursion(X.astype("float64"), w, u + step * direction, b)[0]))

    slope = (along(step) - along(-step)) / (2 * step)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-8)


def test_without_recurrence_the_carry_is_scaled_by_the_product_of_the_forget_gates():
    """C67: with U = 0 the gates do not see the state, and `dc_T/dc_0` is that product exactly."""
    w, u, b = WEIGHTS
    layer = layer_with([w, 0 * u, b], return_state=True)
    v = RNG.normal(0.5, 1.0, (BATCH, UNITS)).astype("float32")
    h, c = RNG.normal(0.5, 1.0, (2, BATCH, UNITS)).astype("float32")
    _, [gradient] = gradients(lambda c: ops.sum(v * layer(X, initial_state=[h, c])[2]), c)
    forget = sigmoid(X @ w[:, UNITS : 2 * UNITS] + b[UNITS : 2 * UNITS])
    np.testing.assert_allclose(gradient, v * forget.prod(axis=1), rtol=1e-5)
    gate = sigmoid(X @ w[:, :UNITS] + b[:UNITS])  # the mutant: the input gate's block
    assert not np.allclose(gradient, v * gate.prod(axis=1), rtol=0.1)


@pytest.mark.parametrize("bias, kept", [(0, 7.9e-31), (1, 2.5e-14), (3, 0.0078), (5, 0.51)])
def test_what_a_hundred_steps_leave_of_the_carry(bias, kept):
    """C67: `sigma(b)^100`, the figures of the lecture's notes to two digits."""
    layer = LSTM(1, kernel_initializer="zeros", recurrent_initializer="zeros", return_state=True)
    layer.build((None, 100, 1))
    layer.set_weights([*layer.get_weights()[:2], np.array([0.0, bias, 0.0, 0.0])])
    x, zero, one = np.zeros((1, 100, 1)), np.zeros((1, 1)), np.ones((1, 1))
    *_, c = layer(x.astype("float32"), initial_state=[zero, one])
    assert numpy(c).item() == pytest.approx(kept, rel=0.03)


@pytest.mark.parametrize("unit_forget_bias", [True, False])
def test_the_forget_bias_starts_at_one(unit_forget_bias):
    layer = LSTM(UNITS, bias_initializer="zeros", unit_forget_bias=unit_forget_bias)
    layer.build((None, TIME, FEATURES))
    start = numpy(layer.cell.bias).reshape(4, UNITS)
    np.testing.assert_array_equal(start, np.outer([0, unit_forget_bias, 0, 0], np.ones(UNITS)))


def test_state_sizes():
    layer = LSTM(UNITS)
    assert layer.cell.state_size == [UNITS, UNITS]
    assert [tuple(s.shape) for s in layer.get_initial_state(BATCH)] == [(BATCH, UNITS)] * 2


def test_a_forget_bias_of_one_would_undo_chrono_bias():
    bias = suite.initializers.ChronoBias(20)
    with pytest.raises(ValueError, match="unit_forget_bias must be False under ChronoBias"):
        LSTM(4, bias_initializer=bias)
    assert LSTM(4, bias_initializer=bias, unit_forget_bias=False).unit_forget_bias is False


def test_refuses_a_chrono_bias_for_the_other_cell():
    bias = suite.initializers.ChronoBias(20, cell="gru")
    with pytest.raises(ValueError, match=r"ChronoBias\(cell='lstm'\), received .*'gru'"):
        LSTM(12, bias_initializer=bias, unit_forget_bias=False)
