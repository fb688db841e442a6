"""C02: values by hand, exact arithmetic as oracle, the verdicts and the mutants."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from benchmarks.experiments.logistic_regression import sigmoid_steepness as c02
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    return {cell.norm: c02.measure(cell, SEEDS) for cell in c02.EXPERIMENT.cells()}


def test_slopes_by_hand():
    """sigma = 1/4, at z = -log 3."""
    right, slips = c02.slopes(0.25)
    assert right == {"sigma": 3 / 16, "log": 3 / 4, "log_rest": -1 / 4}
    assert all(right[name] != slips[name] for name in right)


def test_slopes_against_decimal_differences():
    with localcontext() as context:
        context.prec = 50
        h = Decimal(10) ** -15

        def sigma(z):
            return 1 / (1 + (-z).exp())

        def log_rest(z):
            return (1 - sigma(z)).ln()

        z = Decimal("1.7")
        functions = {"sigma": sigma, "log": lambda z: sigma(z).ln(), "log_rest": log_rest}
        right, _ = c02.slopes(float(sigma(z)))
        for name, f in functions.items():
            slope = (f(z + h) - f(z - h)) / (2 * h)
            assert right[name] == pytest.approx(float(slope), rel=1e-14)


def test_central_difference_of_a_cubic():
    """(t^3)' by differences is 3 t^2 + h^2 exactly."""
    t, h = np.array([2.0]), np.array([0.5])
    assert c02.central_difference(lambda t: t**3, t, h) == [12.25]


def test_relative_deviation_is_at_most_one_for_equal_signs():
    assert c02.relative(np.array([1.0, 3.0]), np.array([1.0, 4.0])) == 0.25
    assert c02.relative(np.array([1e-300]), np.array([1.0])) == 1


def test_clipped_loss_by_hand():
    """-log(1e-7) = 16.118 where the logit's loss is 40, so that 0.597 of it is missing."""
    found = c02.loss_error(False, np.array([40.0]), np.array([0.0]))
    assert found == pytest.approx(1 - 16.118 / 40, abs=1e-4)
    assert c02.loss_error(True, np.array([40.0, -800.0]), np.array([0.0, 1.0])) < 1e-15


def test_slopes_and_curves(measured):
    for norm, found in measured.items():
        found.check(c02.EXPERIMENT, len(SEEDS))
        np.testing.assert_allclose(found.metrics["slope"], norm / 4, rtol=1e-8)
        p = np.tile(1 / (1 + np.exp(-norm * c02.SHOWN)), (len(SEEDS), 1))
        np.testing.assert_allclose(found.curves["probability"], p, rtol=1e-9)
        assert found.curves["steepness"].max() == pytest.approx(norm / 4)


def test_bias_that_is_kept_moves_the_boundary(measured):
    """At norm 1 nothing was scaled."""
    moved = {
        norm: found.metrics["boundary_shift_bias_kept"].min() for norm, found in measured.items()
    }
    assert moved[1] < 1e-15
    assert all(shift > 0.05 for norm, shift in moved.items() if norm != 1)


def test_all_hold_and_all_mutants_are_refuted(measured):
    diverged = np.zeros(len(SEEDS), bool)
    cells = [CellResult({"norm": n}, SEEDS, m.metrics, diverged) for n, m in measured.items()]
    for hypothesis in c02.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, Results(tuple(cells)))
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert [m[1] for m in verdict.mutants] == [REFUTED]
