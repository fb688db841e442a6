import numpy as np
import pytest
from scipy import stats

from suite.theory import corrected_resampled_t_interval


def test_by_hand():
    # mean 2, s^2 = 2 / 2, t_2(0.975) = 4.302653; factor 1/3 + 10/90 = 4/9, its root 2/3.
    low, high = corrected_resampled_t_interval([1.0, 2.0, 3.0], 90, 10)
    assert (low, high) == pytest.approx((2 - 4.302653 * 2 / 3, 2 + 4.302653 * 2 / 3), abs=1e-6)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_without_overlap_it_is_the_interval_of_scipy(confidence):
    """Where the test set is tiny next to the training set, the correction vanishes."""
    d = np.random.default_rng(0).normal(0.3, 2.0, 7)
    expected = stats.ttest_1samp(d, 0.0).confidence_interval(confidence)
    found = corrected_resampled_t_interval(d, 10**15, 1, confidence)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_correction_widens_by_its_factor():
    d = np.random.default_rng(1).normal(0.3, 2.0, 15)
    low, high = corrected_resampled_t_interval(d, 60, 20)
    plain = stats.ttest_1samp(d, 0.0).confidence_interval(0.95)
    ratio = np.sqrt((1 / 15 + 20 / 60) / (1 / 15))
    assert (high - low) / (plain.high - plain.low) == pytest.approx(ratio, rel=1e-12)
    assert (high + low) / 2 == pytest.approx(d.mean(), rel=1e-12)


def test_coverage_where_the_truth_is_known():
    """The mean of the training set against the constant 2, squared error, y ~ N(0.5, 1).

    The expected difference is (1 + 1 / n_training) - (1 + 1.5^2). 15 random splits of each of 600
    data sets; the mutant is the uncorrected interval.
    """
    samples, training, splits, sets = 40, 30, 15, 600
    truth = 1 / training - 1.5**2
    rng = np.random.default_rng(0)
    covered = {"corrected": 0, "uncorrected": 0}
    for _ in range(sets):
        y = rng.permuted(np.tile(rng.normal(0.5, 1.0, samples), (splits, 1)), axis=1)
        fitted = y[:, :training].mean(axis=1, keepdims=True)
        held_out = y[:, training:]
        d = ((held_out - fitted) ** 2 - (held_out - 2) ** 2).mean(axis=1)
        for name, test_size in (("corrected", samples - training), ("uncorrected", 1e-9)):
            low, high = interval(d, training, test_size)
            covered[name] += low <= truth <= high
    share = {name: count / sets for name, count in covered.items()}
    # Four standard errors of a share of 600 around 95 % are 3.6 points.
    assert share["corrected"] == pytest.approx(0.95, abs=0.036), share
    assert share["uncorrected"] < 0.75, share


def interval(d, training, test_size):
    if test_size >= 1:
        return corrected_resampled_t_interval(d, training, test_size)
    return stats.ttest_1samp(d, 0.0).confidence_interval(0.95)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], 9, 1), r"differences must be at least 2 numbers, received shape \(1,\)"),
        (([1.0, np.nan], 9, 1), "differences must be finite, received nan"),
        (([1.0, 2.0], 0, 1), "training_size must be a positive integer, received 0"),
        (([1.0, 2.0], 9, 1.5), "test_size must be a positive integer, received 1.5"),
        (([1.0, 2.0], 9, 1, 1.0), r"confidence must lie in \(0, 1\), received 1.0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        corrected_resampled_t_interval(*arguments)
