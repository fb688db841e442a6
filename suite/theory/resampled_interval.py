"""A confidence interval for differences that were measured on overlapping training sets.

Lecture section "Learning theory" (C58). Repeated splits of one data set share most samples, so
their results agree more with each other than with the truth: their spread promises too much.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

from suite import _arguments as check


class Interval(NamedTuple):
    """Where the expected difference is believed to be, in the unit of the differences."""

    low: float
    high: float


def corrected_resampled_t_interval(
    differences, training_size, test_size, confidence=0.95
) -> Interval:
    """Student's interval, with the variance corrected for the overlap of the splits.

        mean +- t sqrt((1 / n + test_size / training_size) s^2)
        s^2 = sum_i (d_i - mean)^2 / (n - 1)        t: quantile at (1 + confidence) / 2, n - 1 d.f.

    Independent results would have the factor `1 / n` alone. The second term stands for their
    correlation, taken to be `test_size / (training_size + test_size)`: a rule of thumb. Simulated
    with means and constants as models, intervals of 95 % covered the truth in 89 to 99 % of the
    data sets, without the second term in 58 to 85 %. More splits cannot replace more data: the
    second term stays.

    The interval is for the expected difference on training sets of `training_size`.

    Args:
        differences: differences `d_i` in risk of two models, one for each split of the same data
            set, shape `(n,)`, at least 2.
        training_size: samples that each model was fitted to.
        test_size: samples that it was measured on.
        confidence: in (0, 1).

    Raises:
        ValueError: fewer than 2 differences, one is not finite, a size is no positive integer,
            `confidence` outside (0, 1).

    Example:
        >>> found = corrected_resampled_t_interval([1.0, 2.0, 3.0], training_size=90, test_size=10)
        >>> [round(end, 3) for end in found]  # 2 -+ 4.303 sqrt(1/3 + 1/9)
        [-0.868, 4.868]

    Reference:
        Nadeau & Bengio 2003, "Inference for the generalization error", Machine Learning 52.
    """
    d = np.asarray(differences, float)
    if d.ndim != 1 or len(d) < 2:
        raise ValueError(f"differences must be at least 2 numbers, received shape {d.shape}")
    if not np.isfinite(d).all():
        raise ValueError(f"differences must be finite, received {d[~np.isfinite(d)][0]}")
    check.positive_integer("training_size", training_size)
    check.positive_integer("test_size", test_size)
    if not 0 < check.finite("confidence", confidence) < 1:
        raise ValueError(f"confidence must lie in (0, 1), received {confidence}")
    n = len(d)
    variance = (1 / n + test_size / training_size) * d.var(ddof=1)
    half = stats.t.ppf((1 + confidence) / 2, df=n - 1) * np.sqrt(variance)
    return Interval(float(d.mean() - half), float(d.mean() + half))
