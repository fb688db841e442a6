"""C22: coins, a plane and a step by hand, quadrature as oracle, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

from benchmarks.experiment import Cell
from benchmarks.experiments.shallow_and_deep import unlimited_learnability as c22
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(c22.EXPERIMENT.seeds)


@pytest.fixture(scope="module")
def measured():
    return [(cell, c22.measure(cell, SEEDS)) for cell in c22.EXPERIMENT.cells()]


@pytest.mark.parametrize("data", c22.DATA)
def test_problems_have_one_shape_and_both_classes(data):
    (x, y), (new_x, new_y) = c22.problem(data, 3)
    assert x.shape == (c22.SAMPLES, c22.FEATURES)
    assert new_x.shape == (c22.NEW_SAMPLES, c22.FEATURES)
    every = np.concatenate([x, new_x])
    np.testing.assert_allclose(every.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(every.std(axis=0), 1, rtol=1e-5)
    assert 0.3 < np.concatenate([y, new_y]).mean() < 0.7
    again, other = c22.problem(data, 3), c22.problem(data, 4)
    np.testing.assert_array_equal(again[0][0], x)
    assert not np.array_equal(other[0][0], x)


def test_unknown_data_is_refused():
    with pytest.raises(ValueError, match="data must be one of .* received 'moons'"):
        c22.problem("moons", 0)


def test_coins_replace_the_share_asked_for():
    y = np.full(200, 7)  # no coin: what is replaced shows
    none, half, every = (c22.with_coins(y, share, 5) for share in (0.0, 0.5, 1.0))
    np.testing.assert_array_equal(none, y)
    assert np.sum(half != 7) == 100
    assert set(every) == {0, 1}
    # The larger share keeps what the smaller has replaced.
    np.testing.assert_array_equal(every[half != 7], half[half != 7])


def test_coins_are_independent_of_the_labels():
    flips = np.array([c22.with_coins(np.zeros(60, int), 1.0, seed) for seed in range(50)])
    # 3000 fair coins: a standard deviation of the mean of 0.009.
    assert abs(flips.mean() - 0.5) < 4 * 0.5 / 3000**0.5


def test_error_of_a_plane_by_hand():
    """The corners of a square: a diagonal pair against the other leaves nothing to a plane."""
    x = np.array([[0, 0], [1, 1], [0, 1], [1, 0.0]])
    assert c22.plane_error(x, np.array([0, 1, 0, 1])) == 0
    y = np.array([1, 1, 0, 0])  # exclusive or: the fitted scores are all 0
    assert c22.plane_error(x + [[1e-3, 0], [0, 0], [0, 0], [0, 0]], y) >= 0.25


def test_integral_of_a_unit_against_its_step():
    """2 log(2) / k, the second term of the bound."""
    k = 7.0
    side, _ = quad(lambda z: expit(-k * z), 0, np.inf)
    assert 2 * side == pytest.approx(2 * np.log(2) / k, rel=1e-9)


def unit(x, slope, step):
    return expit(slope * (x - step))


def test_errors_at_a_jump_against_quadrature():
    largest, mean = c22.jump_errors((3,))
    jump = np.random.default_rng(3).uniform(0.1, 0.9)
    for n, high, average in zip(c22.WIDTHS, largest[0], mean[0], strict=True):
        step = (np.floor(jump * n) + 0.5) / n  # the middle of the spacing that holds the jump

        slope = c22.STEEPNESS * n
        before, after = (
            quad(unit, *ends, args, points=[step], limit=200)[0]
            for ends, args in (((0, jump), (slope, step)), ((jump, 1), (-slope, step)))
        )
        assert average == pytest.approx(before + after, rel=1e-3)
        assert high == pytest.approx(expit(slope * abs(jump - step)), rel=2 * c22.BETWEEN)


def test_networks_with_another_seed_differ(measured):
    for _, found in measured[:1]:
        assert len(np.unique(found.metrics["test_score"])) > 5


def test_curves_hold_their_theory(measured):
    for _, found in measured:
        assert np.all(found.curves["largest_error"] >= 0.5 - c22.BETWEEN / 2)
        assert np.all(found.curves["mean_error"] <= found.theory["mean_error"])
        assert found.theory["mean_error"][-1] < 0.002


def test_slide_is_refuted_and_the_correction_holds(measured):
    diverged = np.zeros(len(SEEDS), bool)
    cells = []
    for cell, found in measured:
        found.check(c22.EXPERIMENT, len(SEEDS))
        cells.append(CellResult(cell.factors, SEEDS, found.metrics, diverged))
    for hypothesis in c22.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, Results(tuple(cells)))
        expected = REFUTED if hypothesis.kind == "as stated" else SUPPORTED
        assert verdict.outcome == expected, verdict.sentence
        assert {m[1] for m in verdict.mutants} <= {REFUTED}


def test_a_smoke_run_has_every_number():
    cell = c22.EXPERIMENT.cells(profile="smoke")[0]
    assert isinstance(cell, Cell)
    c22.measure(cell, np.arange(2)).check(c22.EXPERIMENT, 2)
