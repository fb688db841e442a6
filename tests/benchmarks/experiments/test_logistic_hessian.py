"""C17: one sample by hand, SciPy's derivative as oracle, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from benchmarks.experiment import Cell
from benchmarks.experiments.gradient_based_learning import logistic_hessian as c17
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def results():
    cells = []
    for data in c17.EXPERIMENT.factors["data"]:
        for form in c17.EXPERIMENT.factors["hessian"]:
            factors = {"data": data, "hessian": form}
            found = c17.measure(Cell(factors, {"max_steps": 60}), SEEDS)
            found.check(c17.EXPERIMENT, len(SEEDS))
            cells.append(CellResult(factors, SEEDS, found.metrics, np.zeros(len(SEEDS), bool)))
    return Results(tuple(cells))


def test_one_sample_by_hand():
    """w = 0: sigma = 1/2, so H = x x^T / 4; the slide's argument gives sigma(1) / 2 instead."""
    x, w = np.array([[2.0, -1.0]]), np.zeros(2)
    outer = np.array([[4.0, -2.0], [-2.0, 1.0]])
    np.testing.assert_allclose(c17.hessian_of(c17.CORRECT)(w, x, None), outer / 4)
    np.testing.assert_allclose(c17.hessian_of(c17.SIGN)(w, x, None), -outer / 4)
    argument = outer / 2 / (1 + np.exp(-1))
    np.testing.assert_allclose(c17.hessian_of(c17.ARGUMENT)(w, x, None), argument)
    np.testing.assert_allclose(c17.hessian_of(c17.PRINTED)(w, x, None), -argument)


def test_differenced_loss_against_scipy():
    """SciPy differentiates a gradient that is written here."""
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(0.5, 1, (7, 3)), rng.integers(0, 2, 7), rng.normal(size=3)

    def gradient(w):
        return x.T @ (1 / (1 + np.exp(-x @ w)) - y)

    theirs = approx_fprime(w, gradient, 1e-7)  # forward: error about 1e-7
    np.testing.assert_allclose(c17.differenced_hessian(w, x, y, 2e-3), theirs, atol=1e-6)


def test_second_difference_is_of_fourth_order():
    """One sample at z = 0.7: halving h divides the error by 16."""
    x, y, z = np.array([[1.0]]), np.array([1.0]), 0.7
    p = 1 / (1 + np.exp(-z))
    errors = [
        c17.second_difference(np.array([z]), np.array([1.0]), x, y, h) - p * (1 - p)
        for h in (0.2, 0.1)
    ]
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.05)  # the next term is h^2 smaller


def test_scaled_error_is_squared_in_one_dimension():
    """One weight, p = 1/4 of 8: H = 1.5, R = 1 / sqrt(1.5), u = R sqrt(H) |e| / 2 = |e| / 2."""
    minimum = np.array([np.log(1 / 3)])
    path = minimum + np.array([[0.3], [0.201], [0.199], [0.0]])
    near = c17.doubling_region(path, minimum, np.ones((8, 1)))
    assert near.tolist() == [False, False, True, True]


def test_slide_is_refuted_and_every_mutant_too(results):
    verdicts = {h.id: judge(h, results) for h in c17.EXPERIMENT.hypotheses}
    assert verdicts.pop("C17.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_misplaced_bracket_is_silent_but_slow(results):
    """It arrives, so the loss alone would not show it, but only after many more steps."""
    slow = results.select({"hessian": c17.ARGUMENT}).values("steps")
    assert (slow <= 60).all()
    assert (slow > 2 * results.select({"hessian": c17.CORRECT}).values("steps")).all()


def test_weights_of_a_sample_differ_by_a_sixth_at_most():
    """The larger one peaks at z = 1/2; the gap is largest near 1.06."""
    one = np.ones((1, 1))
    right, wrong = (
        np.array([c17.hessian_of(form)(np.array([z]), one)[0, 0] for z in c17.LOGITS])
        for form in (c17.CORRECT, c17.ARGUMENT)
    )
    assert c17.LOGITS[np.argmax(wrong)] == 0.5
    assert np.max(wrong - right) == pytest.approx(0.169, abs=1e-3)
