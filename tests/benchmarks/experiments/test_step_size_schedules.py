"""C32: the recursion by hand and against closed forms, the verdicts and the mutants."""

from fractions import Fraction

import numpy as np
import pytest
from scipy.special import gammaln

from benchmarks.experiment import Cell
from benchmarks.experiments.stochastic_gradients import step_size_schedules as c32
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)  # fewer decide no agreement
BUDGET = {"steps": 100_000, "sampled_steps": 60}


@pytest.fixture(scope="module")
def measured():
    cells = [Cell({"schedule": name}, BUDGET) for name in c32.SCHEDULES]
    return {cell.schedule: c32.measure(cell, SEEDS) for cell in cells}


@pytest.fixture(scope="module")
def verdicts(measured):
    steady = np.zeros(len(SEEDS), bool)
    cells = (CellResult({"schedule": s}, SEEDS, m.metrics, steady) for s, m in measured.items())
    results = Results(tuple(cells))
    return {h.id: judge(h, results) for h in c32.EXPERIMENT.hypotheses}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c32.EXPERIMENT, len(SEEDS))


def test_two_steps_by_hand():
    """Rates 1/2 and 1/4 from 1: m = 1/4 + 1/4 = 1/2, then 9/16 * 1/2 + 1/16 = 11/32."""
    first, m = c32.mean_and_square(np.array([0.5, 0.25]))
    assert first.tolist() == [1, 0.5, 0.375]
    assert m.tolist() == [1, 0.5, float(Fraction(11, 32))]


def test_one_over_t_is_the_mean_of_the_noise():
    """With c = 1 the iterate is the average of t noises: m = 1/t."""
    _, m = c32.mean_and_square(1 / np.arange(1, 301))
    np.testing.assert_allclose(m[1:], 1 / np.arange(1, 301))


def test_mean_against_the_gamma_function():
    """prod (1 - c/t) = Gamma(T + 1 - c) / (Gamma(1 - c) Gamma(T + 1))."""
    first, _ = c32.mean_and_square(0.25 / np.arange(1, 1001))
    log = gammaln(1000.75) - gammaln(0.75) - gammaln(1001)
    assert first[-1] == pytest.approx(np.exp(log))


def test_rates_are_those_of_the_name():
    np.testing.assert_allclose(c32.rates("power 0.75", 3), np.arange(1, 4) ** -0.75, rtol=1e-6)
    np.testing.assert_allclose(c32.rates(c32.CONSTANT, 2), 0.1, rtol=1e-6)


def test_library_agrees_about_the_conditions():
    from suite.optimizers import RobbinsMonro

    holds = {
        name for name, args in c32.SCHEDULES.items() if RobbinsMonro(*args).satisfies_conditions
    }
    assert holds == set(c32.SATISFYING)


def test_noise_of_a_seed_is_its_own():
    both, second = (c32._chains.noise(s, (5, 3)) for s in ((3, 7), (7,)))
    assert both.shape == (5, 2, 3)
    np.testing.assert_array_equal(both[:, 1], second[:, 0])


def test_slide_is_refuted_and_the_rest_holds(verdicts):
    assert verdicts.pop("C32.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}


def test_the_drawn_descent_is_the_closed_form():
    arrays = c32.picture(0)
    t = np.arange(c32.BOWL_STEPS + 1)[:, None]
    known = c32.BOWL_START * (1 - c32.BOWL_RATE * c32.BOWL) ** t
    np.testing.assert_allclose(arrays[c32.DESCENT], known, atol=1e-6)
    assert not np.allclose(arrays[c32.CONSTANT_PATH], arrays[c32.DECAYING_PATH])
