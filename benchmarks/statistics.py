"""Numbers with intervals: t, BCa bootstrap, exact binomial. NumPy and SciPy only.

Every interval is two-sided. Bootstraps draw from a fixed generator, so a verdict is a function of
the stored values alone and a rebuilt report is identical.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import stats

# Two-sided level of four standard errors of a normal: 6.3e-5 a test keeps the family-wise error
# of 150 tests below 1 %. One-sided sign tests use the same level: 2^-14 = 6.1e-5 at 14 seeds.
FOUR_SIGMA = 2 * stats.norm.cdf(4) - 1
SIGN_LEVEL = 2.0**-14
FAMILY_LEVEL = 0.01  # what Holm's correction keeps over all claims of a report
RESAMPLES = 4000  # Monte-Carlo error of a 99 % limit: about 0.15 % in coverage


class Interval(NamedTuple):
    """An estimate with its limits; `low` and `high` are None where there is no interval."""

    estimate: float
    low: float | None
    high: float | None
    confidence: float | None
    n: int


def mean_interval(values, confidence: float = 0.99) -> Interval:
    """Student's t interval of the mean; none for a single value or values without spread."""
    values = np.asarray(values, float)
    n, mean = len(values), float(np.mean(values))
    spread = float(np.std(values, ddof=1)) if n > 1 else 0.0
    # A spread at rounding level is a deterministic result: an interval there would pretend.
    if n < 2 or spread <= 1e-12 * max(abs(mean), 1e-300):
        return Interval(mean, None, None, None, n)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * spread / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, confidence, n)


def bca_interval(statistic, samples, confidence: float = 0.99, paired: bool = False) -> Interval:
    """Bias-corrected and accelerated bootstrap (Efron 1987) of `statistic(*samples)`.

    Args:
        statistic: takes as many arrays as `samples` has; must accept `axis`.
        samples: a tuple of 1-D arrays.
        confidence: coverage aimed at.
        paired: resample the same positions in every sample.
    """
    samples = tuple(np.asarray(s, float) for s in samples)
    n = min(len(s) for s in samples)
    estimate = float(statistic(*samples, axis=-1))
    if n < 2 or all(np.ptp(s) == 0 for s in samples):
        return Interval(estimate, None, None, None, n)
    result = stats.bootstrap(
        samples,
        statistic,
        n_resamples=RESAMPLES,
        confidence_level=confidence,
        paired=paired,
        method="BCa",
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    low, high = map(float, result.confidence_interval)
    if not (math.isfinite(low) and math.isfinite(high)):  # degenerate jackknife: all pairs tie
        return Interval(estimate, -math.inf, math.inf, confidence, n)  # so it decides nothing
    return Interval(estimate, low, high, confidence, n)


def median_band(curves, confidence: float = 0.99) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median over rows with the distribution-free order-statistic interval, point by point.

    The k-th and (n + 1 - k)-th smallest of n values enclose the median with probability
    1 - 2 P(Binomial(n, 1/2) < k). With too few rows for the level asked, the full range is used.
    """
    ordered = np.sort(np.asarray(curves, float), axis=0)
    n = len(ordered)
    k = max(int(stats.binom.ppf((1 - confidence) / 2, n, 0.5)), 1)
    return np.median(ordered, axis=0), ordered[k - 1], ordered[n - k]


def median_interval(values, confidence: float = 0.99) -> Interval:
    """The median with its order-statistic interval; unbounded with too few values for the level.

    n values enclose their median with probability 1 - 2^(1 - n) at most: 99 % takes 8.
    """
    values = np.asarray(values, float)
    middle, low, high = (float(v) for v in median_band(values, confidence))
    if 1 - 2.0 ** (1 - len(values)) < confidence:
        low, high = -math.inf, math.inf
    return Interval(middle, low, high, confidence, len(values))


def median_p(values, value: float) -> float:
    """Two-sided exact p of "the median is `value`": a fair coin says on which side each lies.

    The test that `median_interval` inverts, so both exclude the same values.
    """
    above, n, _ = sign_test(np.asarray(values, float) - value)
    return min(1.0, float(2 * stats.binom.cdf(min(above, n - above), n, 0.5)))


def mean_band(curves, confidence: float = 0.99) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over rows with Student's t interval, point by point."""
    curves = np.asarray(curves, float)
    n = len(curves)
    mean = curves.mean(axis=0)
    if n < 2:
        return mean, mean, mean
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * curves.std(axis=0, ddof=1) / math.sqrt(n)
    return mean, mean - half, mean + half


def sign_test(differences) -> tuple[int, int, float]:
    """(wins, pairs without a tie, one-sided exact p) of `differences > 0` against a fair coin."""
    differences = np.asarray(differences, float)
    differences = differences[differences != 0]
    wins, n = int((differences > 0).sum()), len(differences)
    p = float(stats.binom.sf(wins - 1, n, 0.5)) if n else 1.0
    return wins, n, p


def z_to_p(z: float) -> float:
    """Two-sided p of a standard normal deviation."""
    return float(2 * stats.norm.sf(abs(z)))


def holm(p_values) -> list[float]:
    """Holm's step-down adjusted p-values (Holm 1979), in the order given."""
    p_values = list(p_values)
    if not p_values:
        return []
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]]
