"""In order: by hand, NumPy recursion and its mutants, finite differences, limits, sizes."""

import numpy as np
import pytest
from backends import BACKEND, layer_gradients, numpy

import suite
from suite.layers import GRU, GRUCell

BATCH, TIME, FEATURES, UNITS = 6, 5, 3, 4
RNG = np.random.default_rng(0)
X = RNG.normal(0.4, 1.0, (BATCH, TIME, FEATURES)).astype("float32")
KERNELS = [RNG.normal(0.1, 0.6, s).astype("float32") for s in ((3, 12), (4, 12))]
BIASES = {after: RNG.normal(0.1, 0.6, s) for after, s in ((True, (2, 12)), (False, (12,)))}
BIASES = {after: bias.astype("float32") for after, bias in BIASES.items()}
VARIANTS = pytest.mark.parametrize("reset_after", [True, False])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def recursion(x, w, u, b, reset_after, order="zrh", keep=lambda z, h, g: z * h + (1 - z) * g):
    """Outputs at all time steps; `order` names the blocks, `keep` mixes old and new."""
    b, b_recurrent = b if b.ndim == 2 else (b, 0 * b)
    w, u = (dict(zip(order, np.split(k, 3, axis=1), strict=True)) for k in (w, u))
    b, d = (dict(zip(order, np.split(k, 3), strict=True)) for k in (b, b_recurrent))
    h, outputs = np.zeros((len(x), len(u["z"])), x.dtype), []
    for t in range(x.shape[1]):
        z = sigmoid(x[:, t] @ w["z"] + b["z"] + h @ u["z"] + d["z"])
        r = sigmoid(x[:, t] @ w["r"] + b["r"] + h @ u["r"] + d["r"])
        past = r * (h @ u["h"] + d["h"]) if reset_after else (r * h) @ u["h"] + d["h"]
        h = keep(z, h, np.tanh(x[:, t] @ w["h"] + b["h"] + past))
        outputs.append(h)
    return np.stack(outputs, axis=1)


MUTANTS = {
    "reset and update gate swapped": {"order": "rzh"},
    "candidate first": {"order": "hzr"},
    "z and 1 - z swapped": {"keep": lambda z, h, g: (1 - z) * h + z * g},
}


def layer_with(weights, **arguments):
    layer = GRU(weights[1].shape[0], **arguments)
    layer.build((None, None, weights[0].shape[0]))
    layer.set_weights(weights)
    return layer


@VARIANTS
def test_one_step_by_hand(reset_after):
    """Linear: x = 2, h = 4, W = (1, 2, 3), U = (0.5, 1, 1)."""
    cell = GRUCell(1, None, None, use_bias=False, reset_after=reset_after)
    cell.build((None, 1))
    cell.set_weights([np.array([[1.0, 2.0, 3.0]]), np.array([[0.5, 1.0, 1.0]])])
    output, _ = cell(np.array([[2.0]]), [np.array([[4.0]])])
    # z = 2 + 2 = 4, r = 4 + 4 = 8, g = 6 + 8 * 4 = 38 either way; h = 4 * 4 - 3 * 38
    assert numpy(output).item() == -98.0


@VARIANTS
def test_outputs_equal_the_recursion(reset_after):
    weights = [*KERNELS, BIASES[reset_after]]
    y = numpy(layer_with(weights, reset_after=reset_after, return_sequences=True)(X))
    expected = recursion(X, *weights, reset_after)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)  # float32


@VARIANTS
@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_caught(mutant, reset_after):
    weights = [*KERNELS, BIASES[reset_after]]
    y = numpy(layer_with(weights, reset_after=reset_after, return_sequences=True)(X))
    assert np.abs(y - recursion(X, *weights, reset_after, **MUTANTS[mutant])).max() > 0.05


@VARIANTS
def test_resetting_at_the_other_side_of_the_product_is_caught(reset_after):
    """Without biases both variants have the same weights, and still other outputs."""
    layer = layer_with(KERNELS, use_bias=False, reset_after=reset_after, return_sequences=True)
    none = np.zeros(12, "float32")
    y = numpy(layer(X))
    np.testing.assert_allclose(
        y, recursion(X, *KERNELS, none, reset_after), rtol=1e-5, atol=1e-6
    )  # float32
    assert np.abs(y - recursion(X, *KERNELS, none, not reset_after)).max() > 0.01


@VARIANTS
def test_gradient_through_time_equals_finite_differences(reset_after):
    """Of the recursion in float64, so that the oracle shares nothing with the layer."""
    point = [X, *KERNELS, BIASES[reset_after]]
    layer = layer_with(point[1:], reset_after=reset_after, return_sequences=True)
    _, found = layer_gradients(layer, X)
    for k, gradient in enumerate(found):
        direction = RNG.normal(size=point[k].shape)

        def along(step, k=k, direction=direction):
            moved = [a.astype("float64") for a in point]
            moved[k] = moved[k] + step * direction
            return np.sum(np.sin(recursion(*moved, reset_after)))

        step = 1e-5  # near the cube root of float64's epsilon
        slope = (along(step) - along(-step)) / (2 * step)
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-4, abs=1e-5)  # float32


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras has no float64 on this backend")
@VARIANTS
def test_gradient_through_time_in_float64(reset_after):
    w, u, b = (a.astype("float64") for a in (*KERNELS, BIASES[reset_after]))
    arguments = {"reset_after": reset_after, "return_sequences": True, "dtype": "float64"}
    _, (_, _, gradient, _) = layer_gradients(
        layer_with([w, u, b], **arguments), X.astype("float64")
    )
    direction, step = RNG.normal(size=u.shape), 1e-5

    def along(step):
        moved = recursion(X.astype("float64"), w, u + step * direction, b, reset_after)
        return np.sum(np.sin(moved))

    slope = (along(step) - along(-step)) / (2 * step)
    assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-8)


@VARIANTS
def test_an_open_update_gate_keeps_the_state_for_good(reset_after):
    """In the equations `z = 1` copies; `sigma(40)` is 1 in float32."""
    w, u = KERNELS
    bias = np.zeros_like(BIASES[reset_after])
    bias[..., :UNITS] = 40.0
    layer = layer_with([0 * w, 0 * u, bias], reset_after=reset_after)
    h = RNG.normal(0.5, 1.0, (BATCH, UNITS)).astype("float32")
    np.testing.assert_array_equal(numpy(layer(X, initial_state=h)), h)


def test_numbers_of_parameters():
    """C68: 3 (m n + n n + 2 n) and 3 (m n + n n + n) for n = 5 units and m = 3 features."""
    for reset_after, expected in ((True, 150), (False, 135)):
        layer = GRU(5, reset_after=reset_after)
        layer.build((None, TIME, 3))
        assert layer.count_params() == expected
        assert tuple(layer.cell.bias.shape) == ((2, 15) if reset_after else (15,))


def test_refuses_a_chrono_bias_for_the_other_cell():
    bias = suite.initializers.ChronoBias(20, cell="lstm")
    with pytest.raises(ValueError, match=r"ChronoBias\(cell='gru'\), received .*'lstm'"):
        GRU(12, bias_initializer=bias)
