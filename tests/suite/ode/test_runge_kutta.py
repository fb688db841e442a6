from fractions import Fraction
from functools import cache
from math import prod

import numpy as np
import pytest

from suite.ode import RK4, SOLVERS, DormandPrince5, Euler, Midpoint, RungeKutta
from suite.ode.runge_kutta import combine

CASES = [pytest.param(solver, id=name) for name, solver in SOLVERS.items()]


# --- by hand -------------------------------------------------------------------------------------


def test_one_step_by_hand():
    """dz/dt = z + t from z = 1 at t = 2 with a step of 1/2."""

    def field(z, t):
        return z + t

    # slopes of RK4: 3, 3/4 + 13/4 = 4, 1 + 13/4 = 17/4, 17/8 + 7/2 = 45/8
    assert Euler.step(field, 1.0, 2.0, 0.5) == 1 + 3 / 2
    assert Midpoint.step(field, 1.0, 2.0, 0.5) == 1 + 4 / 2
    assert RK4.stages(field, 1.0, 2.0, 0.5) == [3, 4, 17 / 4, 45 / 8]
    assert RK4.step(field, 1.0, 2.0, 0.5) == pytest.approx(1 + (3 + 8 + 17 / 2 + 45 / 8) / 12)


def test_a_state_may_be_a_structure():
    state = {"position": np.array([1.0, 2.0]), "speed": [np.array([[3.0]])]}
    slope = {"position": np.array([4.0, 5.0]), "speed": [np.array([[6.0]])]}
    moved = combine(state, 0.5, (2,), [slope])
    np.testing.assert_array_equal(moved["position"], [5, 7])
    np.testing.assert_array_equal(moved["speed"][0], [[9]])


# --- theory: the order, in exact arithmetic ------------------------------------------------------


@cache
def trees(order):
    """Rooted trees with that many nodes, each the sorted tuple of its subtrees."""

    def forests(nodes, largest):
        if nodes == 0:
            return [()]
        return [
            (tree, *rest)
            for size in range(min(nodes, largest[0]), 0, -1)
            for tree in trees(size)
            if (size, tree) <= largest
            for rest in forests(nodes - size, (size, tree))
        ]

    return sorted(set(forests(order - 1, (order, ((),)))))


def size(tree):
    return 1 + sum(map(size, tree))


def density(tree):
    return size(tree) * prod(map(density, tree))


def exact(row, stages):
    # The coefficients are quotients of integers below a million.
    row = [Fraction(x).limit_denominator(10**6) for x in row]
    return row + [Fraction(0)] * (stages - len(row))


def stage_weights(a, tree):
    below = [stage_weights(a, subtree) for subtree in tree]
    return [
        prod(
            (sum(x * w for x, w in zip(row, sub, strict=True)) for sub in below), start=Fraction(1)
        )
        for row in a
    ]


def exact_order(a, b, limit=7):
    """The largest p with sum_i b_i Phi_i(tree) = 1 / density(tree) for all trees of up to p nodes:
    Hairer, Norsett & Wanner 1993, theorem II.2.13."""
    a, b = [exact(row, len(b)) for row in a], exact(b, len(b))
    for order in range(1, limit):
        for tree in trees(order):
            weights = stage_weights(a, tree)
            if sum(x * w for x, w in zip(b, weights, strict=True)) * density(tree) != 1:
                return order - 1
    return limit - 1


def test_the_number_of_rooted_trees():
    assert [len(trees(order)) for order in range(1, 7)] == [1, 1, 2, 4, 9, 20]  # OEIS A000081


@pytest.mark.parametrize("solver", CASES)
def test_the_declared_order_is_the_exact_one(solver):
    assert exact_order(solver.a, solver.b) == solver.order


@pytest.mark.parametrize("solver", CASES)
def test_the_coefficients_are_consistent(solver):
    assert len(solver.a) == len(solver.b) == len(solver.c)
    for number, (row, c) in enumerate(zip(solver.a, solver.c, strict=True)):
        assert len(row) == number
        assert sum(exact(row, number)) == Fraction(c).limit_denominator(1000)


def test_the_embedded_order_of_dormand_prince():
    assert exact_order(DormandPrince5.a, DormandPrince5.b_embedded) == 4
    assert DormandPrince5.order_embedded == 4
    assert DormandPrince5.a[-1] == DormandPrince5.b[:-1]  # the last stage is the next first one


def test_mutants_lose_their_order():
    """Equal weights; and a sign lost while the table was copied."""
    assert exact_order(RK4.a, (1 / 4,) * 4) == 2
    rows = [list(row) for row in DormandPrince5.a]
    rows[3][1] = 56 / 15
    assert exact_order(rows, DormandPrince5.b) < 5


# --- theory: the order, as the slope of the error ------------------------------------------------


def error(step, steps):
    """After two units of time of dz/dt = z cos t, whose solution is z(0) exp(sin t)."""
    z, h = np.array([0.7, -1.3, 2.1]), 2 / steps
    start = z.copy()
    for i in range(steps):
        z = step(lambda z, t: z * np.cos(t), z, i * h, h)
    return np.abs(z - start * np.exp(np.sin(2))).max()


def slope(step, counts):
    return -np.polyfit(np.log(counts), np.log([error(step, n) for n in counts]), 1)[0]


def embedded_step(field, z, t, h):
    k = DormandPrince5.stages(field, z, t, h)
    return combine(z, h, DormandPrince5.b_embedded, k)


STEPS = [(solver.step, solver.order, name) for name, solver in SOLVERS.items()]
STEPS.append((embedded_step, 4, "embedded"))


@pytest.mark.parametrize(("step", "order"), [pytest.param(s, o, id=n) for s, o, n in STEPS])
def test_the_error_falls_with_the_declared_order(step, order):
    # log error = p log h + log(C + C' h + ...): the slope is off by about h C'/C, and the window
    # ends where the error would meet rounding, some 1e-13.
    first = {1: 320, 2: 320, 4: 80, 5: 20}[order]
    counts = np.rint(first * 2 ** np.linspace(0, 2, 5)).astype(int)
    assert slope(step, counts) == pytest.approx(order, abs=0.15)  # rivals are a whole order away


def test_a_mutant_with_equal_weights_has_the_slope_of_order_two():
    class EqualWeights(RungeKutta):
        a, b, c = RK4.a, (1 / 4,) * 4, RK4.c

    assert slope(EqualWeights.step, np.array([80, 113, 160, 226, 320])) == pytest.approx(2, abs=0.1)
