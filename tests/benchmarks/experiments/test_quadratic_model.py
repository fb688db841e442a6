"""C13: one sample by hand, SciPy's step as oracle, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from benchmarks.experiment import Cell
from benchmarks.experiments.gradient_based_learning import quadratic_model as c13
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(8)


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c13.EXPERIMENT.cells():
        found.append((cell, c13.measure(Cell(cell.factors, {}), SEEDS)))
        found[-1][1].check(c13.EXPERIMENT, len(SEEDS))
    return found


def test_remainders_of_one_sample_by_hand():
    """y = 0 at z = 0: log(1 + e^h) = log 2 + h / 2 + h^2 / 8 - h^4 / 192 + ..."""
    x, y, h = np.ones((1, 1)), np.zeros(1), c13.DISTANCES[-5:]
    exact = np.log1p(np.exp(h)) - np.log(2)
    for model, known in ((c13.FIRST, h / 2), (c13.SECOND, h / 2 + h**2 / 8)):
        found = c13.remainder(model, np.zeros(1), np.ones(1), x, y)[-5:]
        np.testing.assert_allclose(found, np.abs(exact - known), rtol=1e-10)


def test_third_derivative_of_the_logistic_loss_is_bounded():
    z = np.linspace(-5, 5, 100_001)
    s = 1 / (1 + np.exp(-z))
    largest = np.abs(s * (1 - s) * (1 - 2 * s)).max()
    bound = 6 * c13.taylor_bound(np.ones(1), np.ones((1, 1)))[-1]  # the last distance is 1
    assert largest == pytest.approx(bound, rel=1e-8)


def test_window_is_what_it_says():
    assert c13.DISTANCES[c13.WINDOW][[0, -1]] == pytest.approx([1e-3, 1e-2])


def test_exact_step_is_level_and_others_are_not():
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(0.3, 1, (9, 2)), rng.integers(0, 2, 9), rng.normal(size=2)

    def gradient(w):
        return x.T @ (1 / (1 + np.exp(-x @ w)) - y)

    g, h = gradient(w), approx_fprime(w, gradient, 1e-7)
    assert c13.stationarity(np.linalg.solve(h, -g), g, h) < 1e-14
    assert c13.stationarity(-g, g, h) > 0.01


def test_saddle_has_a_way_down():
    assert c13.downhill_left(np.diag([2.0, 1.0])) == 0
    assert c13.downhill_left(np.diag([2.0, -1.0])) == 0.5


def test_change_of_units_has_its_condition():
    a = c13.change_of_units(4, np.random.default_rng(1))
    assert np.linalg.cond(a) == pytest.approx(c13.STRETCH)


def test_slide_holds_and_every_mutant_falls(measured):
    results = Results(
        tuple(
            CellResult(c.factors, SEEDS, m.metrics, np.zeros(len(SEEDS), bool)) for c, m in measured
        )
    )
    for hypothesis in c13.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_drawn_model_touches_the_loss_and_bottoms_out_at_the_step(measured):
    arrays = measured[0][1].arrays
    loss, model = arrays["loss"], arrays["quadratic model"]
    start = np.argmin(np.abs(loss[:, 0]))
    assert loss[start, 1] == pytest.approx(model[start, 1])
    assert model[np.argmin(model[:, 1]), 0] == pytest.approx(1)
    assert arrays["step"][1, 1] == pytest.approx(model[:, 1].min())
