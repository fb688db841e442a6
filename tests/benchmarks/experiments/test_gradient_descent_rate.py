"""C12: a run worked by hand, eigenvalues as oracle, the verdicts and the slide's form."""

import numpy as np
import pytest

from benchmarks.experiments.gradient_based_learning import gradient_descent_rate as c12
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    cells = c12.EXPERIMENT.cells()
    return {cell.problem: c12.EXPERIMENT.measure(cell, SEEDS) for cell in cells}


@pytest.fixture(scope="module")
def verdicts(measured):
    diverged = np.zeros(len(SEEDS), bool)
    results = Results(
        tuple(CellResult({"problem": p}, SEEDS, m.metrics, diverged) for p, m in measured.items())
    )
    return {h.id: judge(h, results) for h in c12.EXPERIMENT.hypotheses}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c12.EXPERIMENT, len(SEEDS))


def test_smoke_cells_run():
    for cell in c12.EXPERIMENT.cells(profile="smoke"):
        c12.EXPERIMENT.measure(cell, SEEDS[:2]).check(c12.EXPERIMENT, 2)


def test_two_axes_worked_by_hand():
    """Curvatures 1 and 3, learning rate 2 / 4: the factors a step are 1/2 and -1/2."""
    a = np.diag([1.0, 3.0])
    problems = c12.Problems(
        np.zeros((1, 2)), np.array([[4.0, 3.0]]), lambda w: w @ a, lambda w: (w @ a * w).sum(1) / 2,
        np.array([1.0]), np.array([3.0]), np.array([3.0]),
    )  # fmt: skip
    distance, loss = c12.descend(problems, np.array([0.5]), 3)
    np.testing.assert_allclose(distance, [[5, 2.5, 1.25, 0.625]])
    np.testing.assert_allclose(loss[0, :2], [(16 + 27) / 2, (4 + 27 / 4) / 2])


def test_kappa_10_shrinks_by_9_elevenths(measured):
    rate = measured["quadratic, κ = 10"].metrics["rate"]
    np.testing.assert_allclose(rate, 9 / 11, rtol=1e-3)  # what is left of faster directions


def test_logistic_rate_against_eigenvalues(measured):
    """The Hessian's eigenvalues at scikit-learn's minimum, independent of our Newton."""
    from scipy.special import expit
    from sklearn.linear_model import LogisticRegression

    from suite.datasets import gaussian_classes

    theories = measured["logistic, synthetic"].metrics["rate_theory"]
    for seed, theory in zip(SEEDS, theories, strict=True):
        data = gaussian_classes(60, 3, int(seed))
        model = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-12, max_iter=1000)
        p = expit(data.x @ model.fit(data.x, data.y).coef_[0])
        low, *_, high = np.linalg.eigvalsh((data.x.T * (p * (1 - p))) @ data.x)
        assert theory == pytest.approx((high - low) / (high + low), rel=1e-4)


def test_quartic_follows_the_exact_recursion(measured):
    """In units of w_0 a step is w - 2/3 w^3, whatever the start."""
    w, errors = 1.0, []
    for _ in range(10_000):
        w -= 2 / 3 * w**3
        errors.append(w)
    curve, axis = (getattr(measured[c12.QUARTIC], k)["error"] for k in ("curves", "axes"))
    np.testing.assert_allclose(curve, [np.array(errors)[axis - 1]] * len(SEEDS), rtol=1e-10)


def test_slide_is_refuted_and_the_correction_holds(verdicts):
    assert verdicts.pop("C12.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert [m[1] for m in verdict.mutants] == [REFUTED]


def test_a_flat_direction_keeps_its_error(measured):
    lost = measured[c12.FLAT].metrics["lost"]
    np.testing.assert_allclose(1 - lost, (1 - 1e-6) ** 200, rtol=1e-12)
