"""C16: counts by hand, NumPy's results as oracle, the verdicts and the mutants."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from benchmarks.experiment import Cell
from benchmarks.experiments.gradient_based_learning import newton_cost as c16
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)  # a sign needs as many


@pytest.fixture(scope="module")
def measured():
    found = []
    # One thread, as the runner has: more wait for each other on a busy machine.
    with threadpool_limits(1):
        for cell in c16.EXPERIMENT.cells():
            found.append((cell, c16.measure(Cell(cell.factors, {"max_steps": 5000}), SEEDS)))
            found[-1][1].check(c16.EXPERIMENT, len(SEEDS))
    return found


@pytest.fixture
def matrix():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(5, 9))
    return a @ a.T


def test_cholesky_of_two_weights_by_hand():
    """A root; a quotient; a product, a difference and a root: five operations."""
    factor, flops = c16.counted_cholesky(np.array([[4.0, 2.0], [2.0, 10.0]]))
    assert factor.tolist() == [[2, 0], [1, 3]]
    assert flops == 5


def test_substitution_of_two_weights_by_hand():
    """Two quotients, a product and a difference, twice."""
    v, flops = c16.counted_substitution(np.array([[2.0, 0.0], [1.0, 3.0]]), np.array([8.0, 22.0]))
    np.testing.assert_allclose(np.array([[4.0, 2.0], [2.0, 10.0]]) @ v, [8, 22])
    assert flops == 8


def test_algorithms_against_numpy(matrix):
    b = np.arange(1.0, 6.0)
    factor, _ = c16.counted_cholesky(matrix)
    np.testing.assert_allclose(factor, np.linalg.cholesky(matrix), atol=1e-13)
    np.testing.assert_allclose(
        c16.counted_substitution(factor, b)[0], np.linalg.solve(matrix, b), rtol=1e-10
    )
    np.testing.assert_allclose(c16.counted_inverse(matrix)[0], np.linalg.inv(matrix), rtol=1e-10)


def test_counts_against_their_sums(matrix):
    d = len(matrix)
    assert c16.counted_cholesky(matrix)[1] == d * (d + 1) * (2 * d + 1) // 6
    assert c16.counted_inverse(matrix)[1] == 2 * d**3 - d**2
    assert c16.counted_substitution(matrix, np.ones(d))[1] == 2 * d**2


def test_hessian_against_its_formula_and_its_count():
    rng = np.random.default_rng(1)
    x, w = rng.normal(0.2, 1, (7, 3)), rng.normal(size=3)
    p = 1 / (1 + np.exp(-x @ w))
    h, flops = c16.counted_hessian(w, x)
    np.testing.assert_allclose(h, x.T @ np.diag(p * (1 - p)) @ x, rtol=1e-12)
    # For each of 7 samples: s takes 2, s x takes 3, and 6 entries of a triangle take 2 each.
    assert flops == 7 * (2 + 3 + 12)


def test_slide_holds_and_every_mutant_falls(measured):
    results = Results(
        tuple(
            CellResult(c.factors, SEEDS, m.metrics, np.zeros(len(SEEDS), bool)) for c, m in measured
        )
    )
    for hypothesis in c16.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}, verdict.mutants
