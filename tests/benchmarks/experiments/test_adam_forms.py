"""C36: first steps by hand, the bound by optimization, Keras's AMSGrad, verdicts and mutants."""

import math

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.stochastic_gradients import adam_forms as c36
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(6)


@pytest.fixture(scope="module")
def measured():
    cells = [Cell({"form": form}, c36.EXPERIMENT.budget) for form in c36.FORMS]
    return {cell.form: c36.measure(cell, SEEDS) for cell in cells}


@pytest.fixture(scope="module")
def verdicts(measured):
    steady = np.zeros(len(SEEDS), bool)
    cells = (CellResult({"form": f}, SEEDS, m.metrics, steady) for f, m in measured.items())
    results = Results(tuple(cells))
    return {h.id: judge(h, results) for h in c36.EXPERIMENT.hypotheses}


def test_every_cell_returns_what_it_declares(measured):
    for measurements in measured.values():
        measurements.check(c36.EXPERIMENT, len(SEEDS))


def test_two_steps_of_algorithm_1_by_hand():
    """Decays 1/2 and 3/4, gradients 2 and -1; the first step is one rate long."""
    mu, nu = 0.5 * 1.0 - 0.5, 0.75 * 1.0 + 0.25
    second = 0.5 * (mu / 0.75) / math.sqrt(nu / (1 - 0.75**2))
    path = c36.algorithm_1(np.array([[2.0], [-1.0]]), 0.5, 0.5, 0.75)
    np.testing.assert_allclose(path[:, 0], [0.5, 0.5 - second])


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.9, 0.9), (0.5, 0.75)])
def test_bound_against_the_best_of_all_sequences(betas):
    """max a.g / sqrt(g.D g) over g is sqrt(a.D^-1 a): linear algebra instead of a series."""
    beta_1, beta_2 = betas
    age = np.arange(150)  # 0.9^150 = 1e-7 is missing
    a, d = (1 - beta_1) * beta_1**age, np.diag((1 - beta_2) * beta_2**age)
    assert c36.longest(*betas) == pytest.approx(math.sqrt(a @ np.linalg.solve(d, a)), rel=1e-5)


def test_bound_at_known_decays():
    assert c36.longest(0.9, 0.999) == pytest.approx(7.27, abs=0.005)
    assert c36.longest(0.9, 0.9) == pytest.approx(1)


def test_longest_steps(measured):
    for form, expected in ((c36.BARE, 7.27), (c36.AMSGRAD, 7.27), (c36.ADAM, 7.27)):
        np.testing.assert_allclose(measured[form].metrics["longest"], expected, atol=0.005)
    assert (measured[c36.SLIDE].metrics["longest"] < 1 + 1e-9).all()


def test_epsilon_at_a_gradient_of_1e_4(measured):
    """0.999 outside the root, 1 / sqrt(11) inside."""
    at = int(np.argmin(np.abs(c36.SMALL - 1e-4)))
    assert measured[c36.ADAM].curves["shortened"][0, at] == pytest.approx(0.999, abs=1e-5)
    assert measured[c36.SLIDE].curves["shortened"][0, at] == pytest.approx(11**-0.5, abs=1e-5)


def test_game_against_a_recursion():
    starts = np.array([0.3, -0.8])
    for form in (c36.ADAM, c36.AMSGRAD):
        w, nu, largest, expected = starts, 0.0, 0.0, []
        for t in range(1, 31):
            g = 3.0 if t % 3 == 1 else -1.0
            nu = 0.1 * nu + 0.9 * g * g
            largest = max(nu, largest)
            used = nu / (1 - 0.1**t) if form == c36.ADAM else largest
            w = np.clip(w - 0.5 / math.sqrt(t) * g / math.sqrt(used), -1, 1)
            expected.append(w)
        # the schedule is computed in float32
        np.testing.assert_allclose(c36.counter_example(form, starts, 30), expected, atol=1e-5)


def test_slide_is_refuted_and_the_rest_holds(verdicts):
    assert verdicts.pop("C36.stated").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
