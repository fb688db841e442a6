"""Intervals and tests against SciPy, enumeration and simulated coverage."""

import math

import numpy as np
import pytest
from scipy import stats

from benchmarks import statistics


def test_mean_interval_matches_scipy():
    values = np.array([1.0, 2.0, 4.0, 8.0, 9.5])
    interval = statistics.mean_interval(values, 0.95)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert interval.estimate == pytest.approx(4.9)
    assert (interval.low, interval.high) == pytest.approx((low, high))


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.0, 2.0]])
def test_no_interval_without_spread(values):
    interval = statistics.mean_interval(values)
    assert interval.low is None and interval.high is None and interval.n == len(values)


def test_four_sigma_level():
    assert pytest.approx(math.erf(4 / math.sqrt(2)), rel=1e-12) == statistics.FOUR_SIGMA


def test_sign_test_counts_by_enumeration():
    differences = [1.0, 2.0, -1.0, 3.0, 0.0]  # a tie is no evidence
    wins, n, p = statistics.sign_test(differences)
    # P(at least 3 of 4 heads) = (4 + 1) / 16
    assert (wins, n, p) == (3, 4, pytest.approx(5 / 16))


def test_fourteen_unanimous_seeds_reach_the_sign_level():
    assert statistics.sign_test(np.ones(14))[2] <= statistics.SIGN_LEVEL
    assert statistics.sign_test(np.ones(13))[2] > statistics.SIGN_LEVEL


def test_holm_against_the_hand_calculation():
    # sorted .01, .02, .04 times 3, 2, 1, then made monotone
    assert statistics.holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert statistics.holm([]) == []


def test_median_band_covers_as_often_as_it_says():
    rng = np.random.default_rng(1)
    draws = rng.exponential(size=(4000, 21))  # skewed on purpose; median ln 2
    covered = [
        low <= math.log(2) <= high
        for _, low, high in (statistics.median_band(d, 0.95) for d in draws)
    ]
    # order statistics are conservative: between 0.95 and the next attainable level, 0.973
    assert 0.95 - 4 * math.sqrt(0.05 * 0.95 / 4000) <= np.mean(covered) <= 0.985


def test_mean_band_is_the_interval_of_each_point():
    curves = np.random.default_rng(2).normal(size=(7, 3))
    mean, low, high = statistics.mean_band(curves, 0.9)
    for k in range(3):
        one = statistics.mean_interval(curves[:, k], 0.9)
        assert (mean[k], low[k], high[k]) == pytest.approx((one.estimate, one.low, one.high))


def test_bca_interval_of_a_ratio_holds_the_truth():
    rng = np.random.default_rng(3)
    a, b = rng.normal(6, 1, 200), rng.normal(3, 1, 200)
    interval = statistics.bca_interval(
        lambda x, y, axis=-1: x.mean(axis) / y.mean(axis), (a, b), paired=True
    )
    assert interval.low < 2 < interval.high and interval.high - interval.low < 0.5


def test_bca_without_spread_has_no_interval():
    ones = np.ones(5)
    interval = statistics.bca_interval(lambda x, axis=-1: x.mean(axis), (ones,))
    assert interval.estimate == 1 and interval.low is None
