"""C33: an average by hand, a plain recursion as oracle, the verdicts and the mutants."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.stochastic_gradients import momentum_noise as c33
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)  # fewer decide no agreement
BUDGET = c33.EXPERIMENT.budget


@pytest.fixture(scope="module")
def measured():
    cells = [Cell({"alpha": alpha}, BUDGET) for alpha in c33.MOMENTA]
    return {cell.alpha: c33.measure(cell, SEEDS) for cell in cells}


@pytest.fixture(scope="module")
def verdicts(measured):
    steady = np.zeros(len(SEEDS), bool)
    cells = (CellResult({"alpha": a}, SEEDS, m.metrics, steady) for a, m in measured.items())
    results = Results(tuple(cells))
    return {h.id: judge(h, results) for h in c33.EXPERIMENT.hypotheses}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c33.EXPERIMENT, len(SEEDS))


def test_average_in_the_picture_against_a_recursion(measured):
    for alpha, found in measured.items():
        mu, expected = 0.0, []
        for g in found.arrays["gradient"][:, 1]:
            mu = alpha * mu + (1 - alpha) * g
            expected.append(mu)
        np.testing.assert_allclose(found.arrays["average"][:, 1], expected, atol=1e-12)


def test_variance_without_momentum_by_hand():
    """AR(1) with factor 1 - lambda h = 7/8: (sigma / 16)^2 / (1 - 49/64) = 0.0375."""
    assert c33.iterate_variance(0.0) == pytest.approx((1.5 / 16) ** 2 / (15 / 64))


def test_lyapunov_against_the_summed_impulse_response():
    """Var[w] is sigma^2 times the sum of squares of the response to one unit of noise."""
    alpha, w, mu, total = 0.9, 0.0, 0.0, 0.0
    for t in range(3000):
        g = c33.CURVATURE * w + (t == 0)
        mu = alpha * mu + (1 - alpha) * g
        w -= c33.LEARNING_RATE * mu
        total += w**2
    assert c33.lyapunov_variance(alpha)[0] == pytest.approx(c33.SIGMA**2 * total, rel=1e-10)


def test_radius_of_a_known_recursion():
    """Roots 0.5 and 0.25: w_{t+1} = 0.75 w_t - 0.125 w_{t-1}."""
    w = [1.0, 0.3]
    for _ in range(3):
        w.append(0.75 * w[-1] - 0.125 * w[-2])
    assert c33.identified_radius(np.array(w)[:, None]) == pytest.approx(0.5)
    assert c33.identified_radius(0.7 ** np.arange(5.0)[:, None]) == pytest.approx(0.7)


def test_radius_in_theory_against_the_worst_eigenvalue():
    for alpha in c33.MOMENTA:
        low, high = c33.best_steps(alpha)
        inner = np.linspace(low, high, 301)
        radii = [np.abs(np.roots([1, s - 1 - alpha, alpha])).max() for s in inner]
        assert max(radii) == pytest.approx(c33.radius(alpha), abs=1e-6)


def test_best_momentum_is_the_square_root_law():
    assert c33.radius(c33.BEST) == pytest.approx(9 / 11)
    assert c33.radius(0.0) == pytest.approx(99 / 101)
    assert all(c33.radius(a) > 9 / 11 for a in c33.MOMENTA if a != c33.BEST)


def test_slide_is_refuted_and_the_rest_holds(verdicts):
    assert verdicts.pop("C33.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
