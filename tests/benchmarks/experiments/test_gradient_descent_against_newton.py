"""C18: steps counted again with other code, scikit-learn's minimum, the verdicts."""

import numpy as np
import pytest
from scipy.special import expit

from benchmarks.experiment import Cell
from benchmarks.experiments.gradient_based_learning import (
    _logistic,
)
from benchmarks.experiments.gradient_based_learning import (
    gradient_descent_against_newton as c18,
)
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)  # fewer cannot reach the level of the sign rule


@pytest.fixture(scope="module")
def measured():
    return {(cell.data, cell.method): c18.measure(cell, SEEDS) for cell in c18.EXPERIMENT.cells()}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c18.EXPERIMENT, len(SEEDS))


def test_steps_counted_again(measured):
    """One problem, written out."""
    from suite.datasets import gaussian_classes

    x, y, _ = gaussian_classes(60, 3, 4)
    rate = 4 / np.linalg.eigvalsh(x.T @ x)[-1]
    for method in (c18.GRADIENT_DESCENT, c18.NEWTON):
        w, steps = np.zeros(3), 0
        first = np.linalg.norm(x.T @ (0.5 - y))
        while True:
            p = expit(x @ w)
            g = x.T @ (p - y)
            if np.linalg.norm(g) <= 1e-8 * first:
                break
            h = (x.T * (p * (1 - p))) @ x
            w = w - (rate * g if method == c18.GRADIENT_DESCENT else np.linalg.solve(h, g))
            steps += 1
        assert measured["synthetic", method].metrics["steps"][4] == steps


def test_minimum_of_the_real_data_is_scikit_learns():
    from sklearn.linear_model import LogisticRegression

    x, y = _logistic.logistic_problems("breast cancer", SEEDS[:2])
    for found, features, labels in zip(_logistic.minimizers(x, y), x, y, strict=True):
        model = LogisticRegression(
            C=np.inf, fit_intercept=False, tol=1e-10, max_iter=1000, solver="newton-cholesky"
        )
        np.testing.assert_allclose(found, model.fit(features, labels).coef_[0], rtol=1e-5)


def test_operations_by_hand():
    assert c18.flops_of_gradient(5, 3) == 4 * 15 + 25
    # 5 x 3 x 4 / 2 products and as many sums of the triangle, 10 for S, 15 scalings, 27 / 3, two
    # solves of 9
    assert c18.flops_of_newton(5, 3) == 85 + 60 + 10 + 15 + 9 + 18


def test_a_budget_that_is_too_small_counts_one_step_more():
    cell = Cell({"data": "synthetic", "method": c18.GRADIENT_DESCENT}, {"max_steps": 4})
    np.testing.assert_array_equal(c18.measure(cell, SEEDS[:2]).metrics["steps"], 5)


def test_newton_needs_fewer_steps_and_the_opposite_is_refuted(measured):
    def results(swap):
        names = (c18.GRADIENT_DESCENT, c18.NEWTON)
        names = dict(zip(names, reversed(names) if swap else names, strict=True))
        return Results(
            tuple(
                CellResult(
                    {"data": data, "method": names[method]},
                    SEEDS,
                    m.metrics,
                    np.zeros(len(SEEDS), bool),
                )
                for (data, method), m in measured.items()
            )
        )

    for hypothesis in c18.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results(swap=False))
        assert verdict.outcome == SUPPORTED
        assert [m[1] for m in verdict.mutants] == [REFUTED]
        assert judge(hypothesis, results(swap=True)).outcome == REFUTED


def test_unknown_data_is_refused():
    with pytest.raises(ValueError, match="data must be one of .*, received 'iris'"):
        _logistic.logistic_problems("iris", [0])


def test_drawn_paths_meet_at_the_minimum_and_boundaries_are_level():
    x, y = c18.drawn_problem(0)
    arrays = c18.picture(c18.NEWTON, 0)
    end = arrays[c18.NEWTON][-1]
    np.testing.assert_allclose(x.T @ (expit(x @ end) - y), 0, atol=1e-6)
    np.testing.assert_allclose(arrays["after 60 steps"] @ end, 0, atol=1e-10)
    first = c18.picture(c18.GRADIENT_DESCENT, 0)["after 1 step"]
    np.testing.assert_allclose(first @ (x.T @ (0.5 - y)), 0, atol=1e-10)
    z = (2 * y - 1) * (x @ [arrays["loss.x"][3], arrays["loss.y"][5]])
    assert arrays["loss"][5, 3] == pytest.approx(np.log1p(np.exp(-z)).sum(), rel=1e-6)
