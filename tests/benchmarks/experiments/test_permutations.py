"""B3: the form by hand and by brute force, layers that commute, verdicts and mutants."""

from itertools import permutations as orders

import numpy as np
import pytest

from benchmarks.experiments.equivariance import permutations as subject
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


@pytest.mark.parametrize("n", [3, 4, 6])
def test_two_numbers_for_every_size(n):
    assert subject.commutant_dimension(n) == 2


def test_averaging_by_hand():
    """Means of the diagonal and of the rest, whatever the matrix."""
    matrix = np.arange(16.0).reshape(4, 4)
    made = subject.averaged(matrix, np.array(list(orders(range(4)))))
    np.testing.assert_allclose(np.diag(made), np.mean([0, 5, 10, 15]))
    rest = (matrix.sum() - 30) / 12
    np.testing.assert_allclose(made[~np.eye(4, dtype=bool)], rest)
    assert subject.off_form(made) < 1e-14 < subject.off_form(matrix)


def test_gcn_is_the_dense_formula():
    rng = np.random.default_rng(2)
    x = rng.normal(0.5, 1, (7, 4))
    a = np.triu(rng.random((7, 7)) < 0.5, 1).astype(float)
    a += a.T
    y = subject.apply("GCNConv", x, a, 3)
    loops = a + np.eye(7)
    d = np.diag(loops.sum(0) ** -0.5)
    # The weights are whatever the seed drew: solve for them, and see that they explain it all.
    mixed = d @ loops @ d @ x
    w, *_ = np.linalg.lstsq(mixed, y, rcond=None)
    np.testing.assert_allclose(mixed @ w, y, atol=1e-12)


@pytest.mark.parametrize("name", [*subject.LAYERS, subject.DENSE])
def test_the_same_seed_draws_the_same_weights(name):
    x, a = np.random.default_rng(0).normal(size=(7, 4)), np.roll(np.eye(7), 1, axis=0)
    one, two, other = (subject.apply(name, x, a, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one, two)
    assert name == "MessagePassing" or not np.allclose(one, other)
