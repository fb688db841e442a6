"""C04: three samples by hand, SciPy's Bernoulli as oracle, the verdicts and the mutants."""

import math

import numpy as np
import pytest
from scipy.stats import bernoulli

from benchmarks.experiments.logistic_regression import _planar
from benchmarks.experiments.logistic_regression import likelihood_is_cross_entropy as c04
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    return [(cell, c04.measure(cell, SEEDS)) for cell in c04.EXPERIMENT.cells()]


@pytest.fixture(scope="module")
def results(measured):
    diverged = np.zeros(len(SEEDS), bool)
    return Results(
        tuple(CellResult(dict(c.factors), SEEDS, m.metrics, diverged) for c, m in measured)
    )


def test_three_samples_by_hand():
    """Labels 1, 0, 0; probabilities of label 1: 3/4, 3/4, 1/2."""
    y, z = np.array([1.0, 0.0, 0.0]), np.array([math.log(3), math.log(3), 0.0])
    one, two, three = math.log(4 / 3), math.log(4), math.log(2)
    expected = {
        c04.BRACKETS: one + two + three,
        c04.PRINTED: one - two - three,
        c04.SHORT_SUM: one - three,
        c04.ERRORS: 1,
    }
    for form, value in expected.items():
        assert c04.loss_of(form, y, z) == pytest.approx(value), form
    assert c04.negative_log_of_product(y, z) == pytest.approx(math.log(32 / 3))
    assert c04.keras_loss(y, z) == pytest.approx(math.log(32 / 3) / 3)


def test_product_against_scipy():
    x, y = _planar.problem(_planar.MEASURED, 4)
    z = x @ [0.4, -0.7] + 0.2
    by_scipy = -bernoulli.logpmf(y, 1 / (1 + np.exp(-z))).sum()
    assert c04.negative_log_of_product(y, z) == pytest.approx(by_scipy, rel=1e-12)


def test_underflow_of_the_product_is_reported():
    with pytest.raises(FloatingPointError, match="underflows"):
        c04.negative_log_of_product(np.zeros(20), np.full(20, 40.0))


def test_curves_of_one_sample(measured):
    """softplus(z) with brackets, its mirror image as printed, a step for the errors."""
    softplus = np.log1p(np.exp(c04.SHOWN))
    expected = {
        c04.BRACKETS: softplus,
        c04.PRINTED: -softplus,
        c04.SHORT_SUM: -softplus,
        c04.ERRORS: np.heaviside(c04.SHOWN, 0),
    }
    for cell, found in measured:
        found.check(c04.EXPERIMENT, len(SEEDS))
        np.testing.assert_allclose(found.curves["loss_of_a_zero"][0], expected[cell.loss])


def test_slide_is_refuted_and_the_correction_holds(results):
    verdicts = {h.id: judge(h, results) for h in c04.EXPERIMENT.hypotheses}
    stated = verdicts.pop("C04.stated")
    assert stated.outcome == REFUTED
    assert stated.effect > 10 * stated.region[1]
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_weights_leave_the_likelihood_a_normal_number():
    """For all seeds of the lecture profile, by logarithms: the product is never below 1e-300."""
    for data in _planar.DATA:
        for seed in range(c04.EXPERIMENT.seeds):
            x, y = _planar.problem(data, seed)
            w = np.random.default_rng([seed, 1]).normal(size=3) / np.sqrt(3)
            z = np.column_stack([x, np.ones(len(x))]) @ w
            assert np.logaddexp(0, (1 - 2 * y) * z).sum() < 690
