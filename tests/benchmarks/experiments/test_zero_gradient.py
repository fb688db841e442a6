"""C10: closed forms by hand, a bracketing root as oracle, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit

from benchmarks.experiment import Cell
from benchmarks.experiments.gradient_based_learning import zero_gradient as c10
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c10.EXPERIMENT.cells():
        found.append((cell, c10.measure(Cell(cell.factors, {}), SEEDS)))
        found[-1][1].check(c10.EXPERIMENT, len(SEEDS))
    return found


def test_one_constant_by_hand_and_by_bracketing():
    """3 ones of 12: log(1/3); the linear sigmoid gives 4 (1/4 - 1/2) = -1."""
    x, y = np.ones((12, 1)), (np.arange(12) < 3).astype(float)
    assert c10.by_group(x, y) == pytest.approx([np.log(1 / 3)])
    assert c10.linearized(x, y) == pytest.approx([-1.0])
    bracketed = brentq(lambda w: 12 * expit(w) - 3, -5, 5, xtol=1e-14)
    assert c10.by_scipy(x, y) == pytest.approx([bracketed], abs=1e-12)


@pytest.mark.parametrize("problem", c10.CLOSED)
@pytest.mark.parametrize("seed", range(30))
def test_every_group_has_both_labels(problem, seed):
    x, y = c10.problem_of(problem, seed)
    shares = c10.share_of_ones(x, y)
    assert x.shape == (c10.SAMPLES, 1 if problem == c10.INTERCEPT else 3)
    assert (shares > 0).all() and (shares < 1).all()


@pytest.mark.parametrize("problem", c10.SOLVABLE)
def test_curvature_keeps_the_solver_within_its_tolerance(problem):
    """|w - w*| is at most the gradient, 1e-10, over the smallest curvature."""
    for seed in range(20):
        x, y = c10.problem_of(problem, seed)
        p = expit(x @ c10.by_scipy(x, y))
        smallest = np.linalg.eigvalsh(x.T @ ((p * (1 - p))[:, None] * x))[0]
        assert 1e-10 / smallest < c10.SOLVER_TOLERANCE


def test_slide_is_refuted_and_every_mutant_too(measured):
    results = Results(
        tuple(
            CellResult(c.factors, SEEDS, m.metrics, np.zeros(len(SEEDS), bool)) for c, m in measured
        )
    )
    verdicts = {h.id: judge(h, results) for h in c10.EXPERIMENT.hypotheses}
    assert verdicts.pop("C10.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
