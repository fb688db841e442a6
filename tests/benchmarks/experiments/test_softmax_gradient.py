"""C09: three classes by hand, SciPy's derivative as oracle, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from benchmarks.experiment import Cell
from benchmarks.experiments.logistic_regression import softmax_gradient as c09
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(2)


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c09.EXPERIMENT.cells():
        found.append((cell, c09.measure(Cell(cell.factors, {}), SEEDS)))
        found[-1][1].check(c09.EXPERIMENT, len(SEEDS))
    return found


def test_slopes_by_hand():
    """Logits 0, log 2, log 3: p = (1, 2, 3) / 6, and twice that for two labels."""
    z = np.log([[1.0, 2.0, 3.0]])
    once = c09.slopes(z, np.array([[0.0, 1.0, 0.0]]))
    twice = c09.slopes(z, np.array([[0.0, 1.0, 1.0]]))
    np.testing.assert_allclose(once, [[1 / 6, -4 / 6, 3 / 6]], rtol=1e-14)
    np.testing.assert_allclose(twice, [[1 / 3, -1 / 3, 0]], atol=1e-15)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (c09.ONE_HOT, [0, 1, 0, 0]),
        (c09.SMOOTHED, [0.025, 0.925, 0.025, 0.025]),
        (c09.COUNTS, [0, 1, 1, 0]),
    ],
)
def test_targets(targets, expected):
    np.testing.assert_allclose(c09.target_of(np.eye(4)[1], targets), expected)


def test_differences_against_scipy():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(1, 4)), rng.uniform(size=(1, 4))

    def loss(z):
        return -(y[0] * (z - np.log(np.exp(z).sum()))).sum()

    theirs = approx_fprime(z[0], loss, 1e-7)  # forward: error about 1e-7
    np.testing.assert_allclose(c09.differenced(z, y, c09.BEST)[0], theirs, atol=1e-6)


def test_gradient_in_the_weights_by_hand():
    """One sample x = (1, 2), two classes at zero weights: x times (1/2, -1/2)."""
    found = c09.slopes_in_weights(np.array([[1.0, 2.0]]), np.array([[0.0, 1.0]]), np.zeros((2, 2)))
    np.testing.assert_allclose(found, [[0.5, -0.5], [1.0, -1.0]])


def test_slide_holds_for_one_hot_and_every_mutant_falls(measured):
    results = Results(
        tuple(
            CellResult(c.factors, SEEDS, m.metrics, np.zeros(len(SEEDS), bool)) for c, m in measured
        )
    )
    for hypothesis in c09.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_drawn_slopes_lie_on_the_general_formula(measured):
    for cell, found in measured:
        np.testing.assert_allclose(found.curves["slope"][0], found.theory["slope"], atol=1e-14)
        # The slide's form is drawn where it is another one.
        assert ("slope" in found.slide) == (cell.targets == c09.COUNTS)
        if found.slide:
            assert np.abs(found.theory["slope"] - found.slide["slope"]).max() > 0.5
