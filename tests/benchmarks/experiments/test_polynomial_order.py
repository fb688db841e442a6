"""The fits against NumPy's Legendre series and the optimality conditions, and the verdicts."""

import numpy as np
import pytest
from numpy.polynomial import Legendre, legendre

from benchmarks import verdicts
from benchmarks.experiments.learning_theory import polynomial_order as subject
from benchmarks.experiments.learning_theory.polynomial_order import EXPERIMENT, ORDERS, POINTS

SEEDS = np.arange(150)
BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in EXPERIMENT.cells():
        found = subject.measure(cell, SEEDS)
        found.check(EXPERIMENT, len(SEEDS))
        cells.append(
            verdicts.CellResult(cell.factors, SEEDS, found.metrics, np.zeros(len(SEEDS), bool))
        )
    return verdicts.Results(tuple(cells))


@pytest.mark.parametrize("order", [0, 3, 6, 9])
def test_up_to_order_nine_the_fit_is_that_of_numpy(order):
    seed = 4
    (x,), (y,) = subject.points([seed])
    training, _, test, predictions = subject.fits(order, (1, seed))
    wanted = Legendre.fit(x, y, order, domain=[-1, 1])
    # At order 9 the condition number, about 1e5 here, is left of the 16 digits.
    np.testing.assert_allclose(predictions[1], wanted(subject.TEST_INPUTS), rtol=1e-8, atol=1e-8)
    assert training[1] == pytest.approx(np.mean((wanted(x) - y) ** 2), rel=1e-8, abs=1e-16)
    truth = -subject.TEST_INPUTS + 1.5 * subject.TEST_INPUTS**3
    assert test[1] == pytest.approx(np.mean((wanted(subject.TEST_INPUTS) - truth) ** 2), rel=1e-7)


def test_beyond_order_nine_the_fit_has_the_smallest_norm():
    """The optimality conditions: c_n (n + 1)^2 is a combination of the rows of the constraints."""
    order, seed = 50, 7
    (x,), (y,) = subject.points([seed])
    n = np.arange(order + 1)
    rows = legendre.legvander(x, order) * np.sqrt(2 * n + 1)
    cost = (n + 1.0) ** 2
    system = np.block([[np.diag(cost), rows.T], [rows, np.zeros((POINTS, POINTS))]])
    c = np.linalg.solve(system, np.concatenate([np.zeros(order + 1), y]))[: order + 1]
    wanted = (legendre.legvander(subject.TEST_INPUTS, order) * np.sqrt(2 * n + 1)) @ c
    np.testing.assert_allclose(subject.fits(order, (seed,))[-1][0], wanted, rtol=1e-6, atol=1e-8)


def test_the_basis_is_orthonormal_up_to_its_weights():
    nodes, weights = legendre.leggauss(12)
    n = np.arange(6)
    basis = subject.smooth_basis(nodes, 5) * (n + 1)
    np.testing.assert_allclose((basis.T * weights / 2) @ basis, np.eye(6), atol=1e-13)


def test_a_constant_errs_by_the_mean_by_hand():
    seed = 2
    (_,), (y,) = subject.points([seed])
    training, _, _, predictions = subject.fits(0, (seed,))
    np.testing.assert_allclose(predictions[0], y.mean())
    assert training[0] == pytest.approx(y.var())


def test_pictures_are_small_and_of_the_shapes_promised():
    cells = {(c.order, c.error_on): c for c in EXPERIMENT.cells()}
    found = subject.measure(cells[9, "training"], SEEDS)
    assert found.arrays["fits"].shape == (subject.STORED, len(subject.TEST_INPUTS))
    assert found.arrays["inputs"].shape == found.arrays["targets"].shape == (8, POINTS)
    assert np.nanmax(np.abs(found.arrays["fit"][:, 1])) <= subject.FRAME
    assert sum(a.nbytes for a in found.arrays.values()) < 50_000
    assert not found.curves
    first = subject.measure(cells[0, "test"], SEEDS)
    assert first.curves["error"].shape == (len(SEEDS), len(ORDERS) - 1)
    assert not first.arrays


@pytest.mark.parametrize(
    "name", ["perfect", "fails", "dramatic", "second_descent", "cubic_stays_better"]
)
def test_what_is_true_survives_and_the_wrong_forms_do_not(results, name):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == verdicts.SUPPORTED, verdict.sentence
    assert [outcome for _, outcome, _ in verdict.mutants] == [verdicts.REFUTED]


def test_a_fit_that_is_not_perfect_is_told_by_far(results):
    rule = BY_ID["perfect"].rule
    wrong = rule.changed(BY_ID["perfect"].mutants[0].changes).decide(results)
    assert wrong.effect > 1e6 * rule.bound


def test_high_orders_do_not_all_fail(results):
    assert verdicts.judge(BY_ID["all_fail"], results).outcome == verdicts.REFUTED
