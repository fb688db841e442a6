"""C34: two steps by hand, moments against quadrature, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from benchmarks.experiment import Cell
from benchmarks.experiments.stochastic_gradients import rmsprop_average as c34
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)  # fewer decide no agreement


@pytest.fixture(scope="module")
def measured():
    cells = [Cell({"noise": noise}, c34.EXPERIMENT.budget) for noise in c34.NOISE]
    return {cell.noise: c34.measure(cell, SEEDS) for cell in cells}


@pytest.fixture(scope="module")
def verdicts(measured):
    steady = np.zeros(len(SEEDS), bool)
    cells = (CellResult({"noise": s}, SEEDS, m.metrics, steady) for s, m in measured.items())
    results = Results(tuple(cells))
    return {h.id: judge(h, results) for h in c34.EXPERIMENT.hypotheses}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c34.EXPERIMENT, len(SEEDS))


def test_two_steps_by_hand():
    """Gradients 3 and -1: nu = 0.9, then 0.81 + 0.1 = 0.91."""
    path = c34.recursion([3.0, -1.0], 0.5, 0.0, True)
    first = 1 - 0.5 * 3 / np.sqrt(0.9)
    np.testing.assert_allclose(path, [first, first + 0.5 / np.sqrt(0.91)])


def test_epsilon_inside_and_outside_by_hand():
    """g = 1, epsilon = 0.54: sqrt(0.1 + 0.54) = 0.8."""
    assert c34.recursion([1.0], 1.0, 0.54, True)[0] == pytest.approx(1 - 1 / 0.8)
    assert c34.recursion([1.0], 1.0, 0.54, False)[0] == pytest.approx(1 - 1 / (0.1**0.5 + 0.54))


def test_without_noise_the_average_is_exact(measured):
    t = np.arange(1, c34.SHOWN + 1)
    rows = measured[0.0].curves["average"]
    np.testing.assert_allclose(rows, np.tile(1 - 0.9**t, (len(SEEDS), 1)), rtol=1e-12)


def test_first_effective_step_after_one_gradient():
    """E of 1/sqrt(0.1 g^2) for |g| in (1, 3): the library against an integral."""
    from suite.optimizers import RMSprop

    g = np.random.default_rng(0).normal(2.0, 0.25, (1, 40_000))
    path = c34.eager_path(RMSprop(1.0, rho=0.9, epsilon=0.0), g)
    step = (1 - path[0]) / g[0]
    expected = quad(lambda x: norm.pdf(x, 2, 0.25) / np.sqrt(0.1 * x * x), 1, 3)[0]
    assert step.mean() == pytest.approx(expected, abs=4 * step.std() / 200)


def test_epsilonless_step_is_refuted_and_the_rest_holds(verdicts):
    assert verdicts.pop("C34.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_more_noise_with_longer_steps_would_be_caught(measured):
    """The rule of C34.noise refutes the levels in reverse."""
    steady = np.zeros(len(SEEDS), bool)
    mirrored = zip(c34.NOISE, reversed(list(measured.values())), strict=True)
    cells = tuple(CellResult({"noise": s}, SEEDS, m.metrics, steady) for s, m in mirrored)
    rule = next(h.rule for h in c34.EXPERIMENT.hypotheses if h.id == "C34.noise")
    assert rule.decide(Results(cells)).outcome == REFUTED
