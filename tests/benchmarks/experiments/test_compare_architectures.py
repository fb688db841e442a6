"""Equally many weights, each network with the symmetry of its name, and a tiny run is complete."""

import keras
import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.comparisons import architectures as subject
from reports.drawing import method_of

COMPARISON = subject.COMPARISON
BUDGET = dict(COMPARISON.budget) | dict(COMPARISON.smoke)
SEEDS = np.arange(2)
NAMES = COMPARISON.contender[1]
DENSE, CONVOLUTIONAL, P4, RECURRENT, BIDIRECTIONAL, RESIDUAL, ODE = NAMES


def inner_output(model, after, x):
    """What a layer puts out, of the kind `after`, the first of them."""
    for layer in model.layers:
        x = layer(x)
        if type(layer).__name__ == after:
            return keras.ops.convert_to_numpy(x)
    raise AssertionError(after)


def test_every_network_gets_every_rate():
    assert len(COMPARISON.cells()) == 7 * 4
    np.testing.assert_allclose(np.diff(np.log10(subject.LEARNING_RATES)), 0.5, atol=0.03)


def test_weights_are_counted_by_hand_and_nearly_equal():
    by_hand = {
        DENSE: 197 * 9 + 10 * 10,
        CONVOLUTIONAL: 10 * 8 + (9 * 8 + 1) * 16 + (2 * 2 * 16 + 1) * 10,
        P4: 10 * 4 + (9 * 4 * 4 + 1) * 6 + (2 * 2 * 4 * 6 + 1) * 10,
        RECURRENT: 4 * (14 + 15 + 1) * 15 + 16 * 10,
        BIDIRECTIONAL: 2 * 4 * (14 + 9 + 1) * 9 + 19 * 10,
        RESIDUAL: 197 * 8 + 3 * 9 * 8 + 9 * 10,
        ODE: 197 * 8 + 9 * 13 + 14 * 8 + 9 * 10,
    }
    counts = {name: subject.network(name).count_params() for name in NAMES}
    assert counts == by_hand
    # The sentence on the page; and every contender is within a tenth of every other.
    assert 1870 <= min(counts.values()) and max(counts.values()) <= 1960
    assert max(counts.values()) < 1.1 * min(counts.values())


def test_names_that_have_a_color_get_it():
    roles = [method_of(name) for name in NAMES]
    assert roles == ["m-gd", "m-mom", "m-rms", "m-newt", "m-you", "m-adam", "m-nest"]


def test_p4_maps_turn_with_the_image_and_those_of_a_plain_convolution_do_not():
    x = np.random.default_rng(0).random((3, 14, 14), dtype="float32")
    turned = np.rot90(x, axes=(1, 2))
    model = subject.network(P4)
    maps, of_turned = (
        inner_output(model, "GroupConv2D", keras.ops.convert_to_tensor(v.reshape(3, 196)))
        for v in (x.copy(), turned.copy())
    )
    # Pooling included: its windows leave nothing over.
    expected = np.roll(np.rot90(maps, axes=(1, 2)), 1, axis=3)
    np.testing.assert_allclose(of_turned, expected, atol=1e-5)
    assert np.abs(of_turned - maps).max() > 1e-2

    stages = subject.network(CONVOLUTIONAL).layers[-1].blocks
    first = [keras.ops.convert_to_numpy(stages[0](v[..., None].copy())) for v in (x, turned)]
    assert np.abs(np.rot90(first[0], axes=(1, 2)) - first[1]).max() > 1e-2


@pytest.mark.parametrize("name", [RECURRENT, BIDIRECTIONAL])
def test_recurrent_networks_read_all_rows_in_order(name):
    model = subject.network(name)
    x = np.random.default_rng(1).random((2, 14, 14), dtype="float32")
    first_row, reordered = x.copy(), x[:, ::-1].copy()
    first_row[:, 0] += 1
    y, y_first, y_reordered = (
        keras.ops.convert_to_numpy(model(v.reshape(2, 196))) for v in (x, first_row, reordered)
    )
    assert np.all(np.abs(y - y_first).max(1) > 1e-6) and np.abs(y - y_reordered).max() > 1e-4


def test_four_steps_solve_the_ode():
    from scipy.integrate import solve_ivp

    keras.utils.set_random_seed(3)
    model = subject.network(ODE)
    encode, ode, _ = model.layers
    rng = np.random.default_rng(2)
    start = keras.ops.convert_to_numpy(encode(rng.random((1, 196), dtype="float32")))
    (a, b, c, d) = (w.astype("float64") for w in ode.get_weights())
    path = solve_ivp(
        lambda t, z: np.tanh(z @ a + b) @ c + d, (0, 1), start[0].astype("float64"), rtol=1e-10
    )
    # Four steps of order four: 4^-4 / 120 = 3e-5 times a fifth derivative, which is some units.
    np.testing.assert_allclose(ode(start)[0], path.y[:, -1], atol=3e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_run_is_complete(name):
    factors = {"architecture": name, "learning_rate": 0.01}
    found = subject.measure(Cell(factors, BUDGET), SEEDS)
    found.check(COMPARISON, len(SEEDS))
    assert set(found.curves) == {"train_loss", "validation_score", "gradient_norm"}
    np.testing.assert_array_equal(found.axes["train_loss"], [0, 1])
    np.testing.assert_array_equal(found.metrics["steps_to_target"], [2, 2])  # budget + 1
    assert np.all(found.curves["train_loss"][:, 0] != found.curves["train_loss"][:, 1])
