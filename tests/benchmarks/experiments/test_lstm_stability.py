"""The Jacobians against a recursion in NumPy, the laws by hand, and the rules on few seeds."""

import numpy as np
import pytest

from benchmarks import verdicts
from benchmarks.experiment import Cell
from benchmarks.experiments.architectures import _recurrent_training as training
from benchmarks.experiments.architectures import lstm_stability as subject

EXPERIMENT = subject.EXPERIMENT
BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}
SMOKE = dict(EXPERIMENT.budget) | dict(EXPERIMENT.smoke) | {"trained": ()}
SEEDS = np.arange(14)


def sigma(z):
    return 1 / (1 + np.exp(-z))


def lstm(weights, x, h, c):
    """The LSTM in NumPy, gate by gate."""
    kernel, recurrent, bias = weights
    for x_t in x:
        i, f, g, o = np.split(x_t @ kernel + h @ recurrent + bias, 4)
        c = sigma(f) * c + sigma(i) * np.tanh(g)
        h = sigma(o) * np.tanh(c)
    return c


def gru(weights, x, h):
    kernel, recurrent, (b, b_h) = weights
    for x_t in x:
        (z, r, g), (u_z, u_r, u_g) = np.split(x_t @ kernel + b, 3), np.split(h @ recurrent + b_h, 3)
        z = sigma(z + u_z)
        h = z * h + (1 - z) * np.tanh(g + sigma(r + u_r) * u_g)
    return h


def rnn(weights, x, h):
    kernel, recurrent, bias = weights
    for x_t in x:
        h = np.tanh(x_t @ kernel + h @ recurrent + bias)
    return h


def differences(function):
    """Central differences of a function of the start, at zero."""
    step = 6e-6  # cube root of epsilon: truncation and rounding balance
    columns = [function(step * e) - function(-step * e) for e in np.eye(subject.UNITS)]
    return np.array(columns).T / (2 * step)


@pytest.mark.parametrize("level", subject.ONE_WAY)
def test_what_is_carried_is_the_derivative(level):
    x = np.random.default_rng(5).normal(0.4, 1, (4, 1))
    cell = subject.new_cell(level, 1.5, seed=3)
    weights = [np.asarray(v) for v in cell.trainable_variables]
    found = subject.carried(subject.differentiate(cell, x)[1])
    zero = np.zeros(subject.UNITS)
    for steps in (1, 4):
        part = x[:steps]
        if level in subject.PLAIN:
            expected = differences(lambda s, part=part: rnn(weights, part, s))
        elif level == subject.GRU:
            expected = differences(lambda s, part=part: gru(weights, part, s))
        else:
            expected = differences(lambda s, part=part: lstm(weights, part, zero, s))
        np.testing.assert_allclose(found[steps - 1], expected, atol=1e-9 * np.abs(expected).max())


def test_biases_and_gains_are_those_of_the_level():
    n = subject.UNITS
    for level, bias in subject.BIAS.items():
        b = np.asarray(subject.new_cell(level).bias)
        np.testing.assert_array_equal(b[n : 2 * n], bias)
        assert not b[:n].any() and not b[2 * n :].any()
    for gain in (0.5, 2.0):
        u = np.asarray(subject.new_cell(subject.ORTHOGONAL, gain).recurrent_kernel)
        np.testing.assert_allclose(u.T @ u, gain**2 * np.eye(n), atol=1e-12)
    u = [np.asarray(subject.new_cell(subject.GAUSSIAN, 2.0, s).recurrent_kernel) for s in range(8)]
    # 8 n^2 entries of variance gain^2 / n, a chi-square
    assert abs(np.mean(np.square(u)) * n / 4 - 1) < 4 * np.sqrt(2 / (8 * n**2))


def test_the_law_by_hand():
    cell = subject.new_cell(subject.OPEN)
    cell.kernel.assign(np.zeros(cell.kernel.shape))
    expected = 7 * np.log10(1 / (1 + np.exp(-3.0)))
    np.testing.assert_allclose(subject.law(cell, 7), expected)
    # With the input, against a plain mean over a million normals.
    cell = subject.new_cell(subject.CLOSED, seed=2)
    w = np.asarray(cell.kernel)[0, subject.UNITS : 2 * subject.UNITS]
    draws = np.random.default_rng(0).normal(size=10**6)
    for k in (0, 1):
        one = np.log10(sigma(w[k] * draws))
        average = subject.WEIGHTS / subject.WEIGHTS.sum()
        exact = average @ np.log10(sigma(w[k] * subject.NODES))
        assert abs(one.mean() - exact) < 4 * one.std() / 1e3


def test_a_deviation_is_relative():
    assert subject.off(np.array([1.0, 5.0]), np.array([0.0, 4.0])) == 0.25
    assert subject.off(np.zeros(2), np.zeros(2)) == 0
    assert subject.off(np.array([0.0, 3.0]), np.zeros(2)) == 3


@pytest.fixture(scope="module")
def results():
    """All one-way cells before training, at the lag of the lecture."""
    cells = []
    for level in subject.ONE_WAY:
        cell = Cell({"layer": level}, dict(EXPERIMENT.budget) | {"trained": ()})
        found = subject.measure(cell, SEEDS)
        found.check(EXPERIMENT, len(SEEDS))
        cells.append(
            verdicts.CellResult(cell.factors, SEEDS, found.metrics, np.zeros(len(SEEDS), bool))
        )
    return verdicts.Results(tuple(cells))


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("stated", verdicts.REFUTED),
        ("open", verdicts.SUPPORTED),
        ("loud", verdicts.SUPPORTED),
        ("order", verdicts.SUPPORTED),
        ("product", verdicts.SUPPORTED),
        ("rate", verdicts.SUPPORTED),
    ],
)
def test_verdicts(results, name, outcome):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == outcome
    assert all(found == verdicts.REFUTED for _, found, _ in verdict.mutants)


def test_wrong_products_are_far_off(results):
    bound = BY_ID["product"].rule.bound
    for cell in results.select({"layer": subject.GATED}).cells:
        for name in ("constant_deviation", "complement_deviation", "feedback_deviation"):
            assert (cell.metrics[name] > 10 * bound).all()


@pytest.mark.parametrize("task", training.SERIES)
def test_tasks_have_the_same_shapes_and_scale(task):
    (x, y), (x_held, y_held) = training.task_data(task, 3, 9, 700, 300)
    assert x.shape == (700, 9, 2) and y.shape == (700,)
    assert x_held.shape == (300, 9, 2) and y_held.shape == (300,)
    assert x.dtype == y.dtype == np.float32
    # 700 targets of variance one; the series' are drawn from some 200 windows
    assert abs(y.mean()) < 0.25 and abs(y.var() - 1) < 0.4
    assert x[..., 0].any() and x[..., 1].any() == (task == "adding")


def test_held_out_years_are_not_trained_on():
    from suite.datasets import sunspots

    year, number = sunspots()
    past = year <= training.LAST_YEAR
    mean, sd = number[past].mean(), number[past].std()
    (x, y), (x_held, y_held) = training.sunspot_windows(5, 50, 40, np.random.default_rng(0))

    def years(x, y):
        rows = np.concatenate([x[..., 0], y[:, None]], axis=1) * sd + mean
        starts = [
            np.abs(np.lib.stride_tricks.sliding_window_view(number, 6) - r).max(1) for r in rows
        ]
        assert np.min(starts, axis=1).max() < 1e-9
        return year[np.argmin(starts, axis=1)]

    assert years(x, y).max() + 5 <= training.LAST_YEAR < years(x_held, y_held).min()


def test_explained_variance():
    y = np.array([[1.0, -1.0, 3.0, -3.0]])
    np.testing.assert_allclose(training.explained(y, np.array([[5.0, 0.0, 10.0]])), [[0, 1, -1]])


def test_training_has_a_curve_for_each_task():
    budget = SMOKE | {"trained": (subject.BOTH,)}
    found = subject.measure(Cell({"layer": subject.BOTH}, budget), np.arange(2))
    found.check(EXPERIMENT, 2)
    for name in (*training.SERIES, training.ROWS):
        assert found.curves[name].shape == (2, 2) and np.isfinite(found.curves[name]).all()
        assert found.axes[name].tolist() == [0, 1]


@pytest.mark.parametrize("level", subject.TRAINED)
def test_networks_are_those_of_the_levels(level):
    model = subject.network(level, (30, 1), outputs=2, seed=0)
    kind = "SimpleRNN" if level in subject.PLAIN else level.split()[0]
    layer = model.blocks[0]
    if level == subject.BOTH:
        layer = layer.forward_layer
    assert type(layer).__name__ == kind
    if kind == "LSTM":
        bias = np.asarray(layer.cell.bias)[subject.UNITS : 2 * subject.UNITS]
        assert (bias > 0).all() if level == subject.CHRONO else (bias == 1).all()
