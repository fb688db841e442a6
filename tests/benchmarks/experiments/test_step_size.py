"""C11: a step by hand, gradients by finite differences, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from benchmarks.experiment import Cell
from benchmarks.experiments.gradient_based_learning import step_size as c11
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)
STEPS = 40


@pytest.fixture(scope="module")
def measured():
    cells = [Cell(c.factors, {"steps": STEPS}) for c in c11.EXPERIMENT.cells()]
    return [(cell, c11.measure(cell, SEEDS)) for cell in cells]


def test_sgd_by_hand():
    """L = w^2 / 2 and a rate of 1.5: 1, -1/2, 1/4."""
    problem = c11.Problem(np.ones((1, 1, 1)), lambda w: (w**2).sum(-1) / 2, lambda w: w)
    assert c11.descend(problem, 1.5, 2).ravel().tolist() == [1.0, -0.5, 0.25]


@pytest.mark.parametrize("name", c11.EXPERIMENT.factors["problem"])
def test_gradients_against_finite_differences(name):
    problem = c11.problem_of(name, SEEDS)
    shape = problem.start.shape
    error = check_grad(
        lambda w: problem.loss(w.reshape(shape)).sum(),
        lambda w: problem.gradient(w.reshape(shape)).ravel(),
        problem.start.ravel(),
    )
    assert error <= 1e-5 * np.linalg.norm(problem.gradient(problem.start))


@pytest.mark.parametrize("name", c11.LOGISTIC)
def test_largest_curvature_is_one_at_zero(name):
    """At w = 0 the logistic curvature is X^T X / 4, the largest there is."""
    problem = c11.problem_of(name, SEEDS)
    dimension, h = problem.start.shape[2], 1e-5
    around = np.tile(h * np.eye(dimension), (len(SEEDS), 1, 1))
    hessians = (problem.gradient(around) - problem.gradient(-around)) / (2 * h)
    np.testing.assert_allclose(np.linalg.eigvalsh(hessians)[:, -1], 1, rtol=1e-6)


def test_slide_and_corrections_hold_and_every_mutant_falls(measured):
    for _, found in measured:
        found.check(c11.EXPERIMENT, len(SEEDS))
    results = Results(
        tuple(
            CellResult(c.factors, SEEDS, m.metrics, np.zeros(len(SEEDS), bool)) for c, m in measured
        )
    )
    for hypothesis in c11.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_pictures_stay_inside_the_drawn_window(measured):
    drawn = [m.arrays for c, m in measured if c.problem == c11.QUADRATIC]
    assert len(drawn) == len(c11.EXPERIMENT.factors["rate"])
    for arrays in drawn:
        assert arrays["loss"].shape == (len(arrays["loss.y"]), len(arrays["loss.x"]))
        for axis, name in enumerate(("loss.x", "loss.y")):
            assert arrays["path"][:, axis].min() >= arrays[name][0] - 1e-12
            assert arrays["path"][:, axis].max() <= arrays[name][-1] + 1e-12
        # The chord of a convex curve lies above it, and the steps lie on it.
        (a, la), (b, lb) = arrays["chord"]
        assert (la + lb) / 2 > ((a + b) / 2) ** 2 / 2
        np.testing.assert_allclose(arrays["steps"][:, 1], arrays["steps"][:, 0] ** 2 / 2)
