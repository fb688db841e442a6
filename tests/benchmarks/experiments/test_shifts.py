"""B1: the commutant against theory and SciPy, a shift by hand, verdicts and mutants."""

import numpy as np
import pytest
from scipy.linalg import circulant
from scipy.signal import correlate2d

from benchmarks.experiments.equivariance import shifts as subject
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in subject.EXPERIMENT.cells():
        found = subject.measure(cell, SEEDS)
        found.check(subject.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


def test_verdicts(results):
    for hypothesis in subject.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, (hypothesis.id, verdict.sentence)
        assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants), hypothesis.id


@pytest.mark.parametrize("n", [2, 5, 8])
def test_the_commutant_is_that_of_circulant_matrices(n):
    basis = subject.commutant(n)
    assert basis.shape == (n, n, n)
    shift = np.roll(np.eye(n), 1, axis=0)
    for matrix in basis:
        np.testing.assert_allclose(matrix @ shift, shift @ matrix, atol=1e-12)
        np.testing.assert_allclose(matrix, circulant(matrix[:, 0]), atol=1e-12)


def test_projecting_keeps_a_circulant_matrix_and_averages_diagonals():
    matrix = np.random.default_rng(0).normal(size=(5, 5))
    made = subject.projected(matrix)
    expected = [np.mean([matrix[i, (i + k) % 5] for i in range(5)]) for k in range(5)]
    np.testing.assert_allclose(made[0], expected)
    np.testing.assert_allclose(subject.projected(made), made)
    assert subject.off_circulant(circulant([1.0, 2, 3])) == 0
    assert subject.off_circulant(np.diag([1.0, 0, 0])) == pytest.approx(2 / 3)


def test_the_torus_is_scipys():
    rng = np.random.default_rng(1)
    image, kernel = rng.normal(0.7, 1, subject.SHAPE), rng.normal(0.2, 0.5, subject.WINDOW)
    found = subject.outputs(subject.ROUND, image, kernel)
    rows, columns = (w - 1 for w in subject.WINDOW)
    wrapped = np.pad(image, ((0, rows), (0, columns)), mode="wrap")
    np.testing.assert_allclose(found, correlate2d(wrapped, kernel, "valid"), atol=1e-12)
    assert found.shape == image.shape


def test_the_interior_is_a_part():
    part = subject.inside(np.ones(subject.SHAPE), (2, 1))
    assert 0 < part.size < np.prod(subject.SHAPE)
