"""B5: filters by finite differences, dimensions, verdicts and mutants."""

import numpy as np
import pytest

from benchmarks.experiments.equivariance import steering as subject
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


def test_filters_are_derivatives_of_a_gaussian():
    """By central differences of exp(-r^2 / 2) along the direction."""
    axis = (np.arange(subject.SIDE) - subject.SIDE // 2) / 1.5
    x, y = np.meshgrid(axis, axis)
    theta, h = 0.7, 1e-4
    c, s = np.cos(theta), np.sin(theta)

    def bell(t):
        return np.exp(-((x + t * c) ** 2 + (y + t * s) ** 2) / 2)

    first = (bell(h) - bell(-h)) / (2 * h)
    second = (bell(h) - 2 * bell(0) + bell(-h)) / h**2
    np.testing.assert_allclose(subject.kernel(subject.FIRST, theta), first, atol=1e-7)
    np.testing.assert_allclose(subject.kernel(subject.SECOND, theta), second, atol=1e-6)


def test_a_harmonic_turns_by_its_order():
    """Re((x + i y)^3) at an angle: cos(3 theta) and sin(3 theta) of two filters."""
    quarter = np.pi / 6  # a third of a quarter turn makes the imaginary part of the real one
    real, imaginary = subject.kernel(subject.THIRD, 0), -subject.kernel(subject.THIRD, -quarter)
    for theta in (0.3, 1.1, 2.9):
        expected = np.cos(3 * theta) * real - np.sin(3 * theta) * imaginary
        found = subject.kernel(subject.THIRD, theta)
        assert (
            min(
                np.abs(found - expected).max(),
                np.abs(found - (np.cos(3 * theta) * real + np.sin(3 * theta) * imaginary)).max(),
            )
            < 1e-12
        )


def test_ranks():
    assert [subject.rank(name) for name in subject.RANKS] == [2, 3, 2]
    assert subject.rank(subject.LONG) > 8
