"""C15: steps worked by hand, closed forms, the verdicts and the slide's form."""

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import fsolve

from benchmarks.experiment import Cell
from benchmarks.experiments.gradient_based_learning import newton_rate as c15
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(8)
BUDGET = {"digits": 80, "starts": 3}


@pytest.fixture(scope="module")
def measured():
    problems = c15.EXPERIMENT.factors["problem"]
    cells = [Cell({"problem": p}, BUDGET) for p in problems]
    return {cell.problem: c15.measure(cell, SEEDS) for cell in cells}


@pytest.fixture(scope="module")
def verdicts(measured):
    diverged = np.zeros(len(SEEDS), bool)
    results = Results(
        tuple(CellResult({"problem": p}, SEEDS, m.metrics, diverged) for p, m in measured.items())
    )
    return {h.id: judge(h, results) for h in c15.EXPERIMENT.hypotheses}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c15.EXPERIMENT, len(SEEDS))


def test_balanced_step_is_w_minus_sinh_w():
    x, y = c15.problem_of(c15.BALANCED, 0)
    path = c15.newton_in_decimals(x, y, [0.75], 2)
    once = 0.75 - np.sinh(0.75)
    np.testing.assert_allclose([float(w[0]) for w in path], [0.75, once, once - np.sinh(once)])


def test_elimination_against_numpy():
    a = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 5.0]])
    b = np.array([1.0, -2.0, 3.0])
    decimals = [[Decimal(v) for v in row] for row in a.tolist()]
    found = c15.solve(decimals, [Decimal(v) for v in b.tolist()])
    np.testing.assert_allclose([float(v) for v in found], np.linalg.solve(a, b), rtol=1e-14)


def test_constant_of_the_quadratic_rate_in_one_dimension():
    """e_{T+1} / e_T^2 -> |f''' / (2 f'')| = |1 - 2p| / 2, here with p = 3 / 20."""
    x, y = np.ones((20, 1)), (np.arange(20) < 3).astype(float)
    with localcontext() as context:
        context.prec = 60
        minimum = (Decimal(3) / 17).ln()
        path = c15.newton_in_decimals(x, y, [float(minimum) + 0.5], 5)
        errors = [abs(w[0] - minimum) for w in path]
        assert float(errors[5] / errors[4] ** 2) == pytest.approx((1 - 6 / 20) / 2, rel=1e-6)


def test_orders_of_known_sequences():
    doubling = -np.array([1.0, 2, 4, 8, 16]) * np.log(10)
    np.testing.assert_allclose(c15.orders(doubling), 2)
    np.testing.assert_allclose(c15.orders(-np.arange(5.0)), 1)  # a constant factor a step


def test_edge_solves_sinh_w_is_2w(measured):
    root = fsolve(lambda w: np.sinh(w) / w - 2, 2.0)[0]
    assert c15.BASIN_EDGE == pytest.approx(root, rel=1e-9)
    np.testing.assert_allclose(measured[c15.BALANCED].metrics["basin_edge"], root, rtol=1e-9)


def test_quartic_step_against_differentiated_polynomial():
    """NumPy differentiates w^4 and solves for the step; in Fractions the step is exact."""
    loss = np.polynomial.Polynomial([0, 0, 0, 0, 1])
    for w in (-1.75, 0.3, 8.0):
        assert c15.quartic_step(w) == pytest.approx(-loss.deriv()(w) / loss.deriv(2)(w))
    assert c15.quartic_step(Fraction(-3, 7)) == Fraction(1, 7)


def test_quartic_errors_against_rational_arithmetic():
    """From -1/2, Newton's map in exact fractions: -1/3, -2/9, -4/27, ..."""
    w, expected = Fraction(-1, 2), []
    for _ in range(c15.STEPS + 1):
        expected.append(float(abs(w)))
        w = w - Fraction(4 * w**3, 12 * w**2)
    found = c15.decimal_errors(c15.QUARTIC, None, None, [-0.5], 40)
    np.testing.assert_allclose([float(e) for e in found], expected, rtol=1e-15)


def test_flat_rule_refutes_another_ratio(measured):
    """A method that halved the error would be caught, and so is a run that stood still."""
    rule = next(h.rule for h in c15.EXPERIMENT.hypotheses if h.id == "C15.flat")
    for ratio in (0.5, 1.0):
        metrics = measured[c15.QUARTIC].metrics | {"last_ratio": np.full(len(SEEDS), ratio)}
        cell = CellResult({"problem": c15.QUARTIC}, SEEDS, metrics, np.zeros(len(SEEDS), bool))
        assert rule.decide(Results((cell,))).outcome == REFUTED


def test_quartic_runs_really_run():
    """Every start arrives, damped or not; a start at the minimum needs no step."""
    for damping in ("armijo", None):
        assert c15.arrives_on_quartic([-10.0], damping)
        assert c15.arrives_on_quartic([0.0], damping)
        # 2/3 a step from 1e20 takes more than the 100 steps a run has
        assert not c15.arrives_on_quartic([1e20], damping)


def test_slide_is_refuted_and_the_correction_holds(verdicts):
    assert verdicts.pop("C15.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_damped_runs_arrive_on_data(measured):
    for name in c15._logistic.DATA:
        np.testing.assert_array_equal(measured[name].metrics["damped_misses"], 0)
