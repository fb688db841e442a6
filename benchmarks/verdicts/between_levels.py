"""Rules that compare two levels of a factor, seed by seed."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmarks import statistics
from benchmarks.experiment import SpecificationError
from benchmarks.statistics import SIGN_LEVEL
from benchmarks.verdicts.rule import Rule, check_levels
from benchmarks.verdicts.verdict import (
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    Verdict,
    judge_interval,
    number,
    verdict_of_interval,
)


@dataclass(frozen=True)
class Sign(Rule):
    """A direction over paired seeds: R-SIGN, exact one-sided binomial at 2^-14.

    Args:
        factor, first, second: `first` is claimed to exceed `second` in the metric.
    """

    factor: str
    first: object
    second: object

    def factors_used(self):
        return [self.factor]

    def check(self, hypothesis, spec):
        super().check(hypothesis, spec)
        check_levels(hypothesis, spec, self.factor, self.first, self.second)

    def describe(self):
        return (
            f"Paired seeds: {self.first} must exceed {self.second}, one-sided exact binomial "
            f"p at most {SIGN_LEVEL:.1e}; the opposite sign at that level refutes."
        )

    def decide(self, results):
        a, b = results.select(self.where).paired(self.metric, self.factor, self.first, self.second)
        wins, n, p = statistics.sign_test(a - b)
        _, _, p_against = statistics.sign_test(b - a)
        outcome = UNDECIDED
        if min(p, p_against) <= SIGN_LEVEL:
            outcome = SUPPORTED if p <= SIGN_LEVEL else REFUTED
        share = wins / n if n else 0.5
        # The smallest share that reaches the level: the region of the strip.
        needed = (stats.binom.isf(SIGN_LEVEL, n, 0.5) + 1) / n if n else 1.0
        return Verdict(
            outcome, share, 1.0, None, None, n, (needed, 1.0),
            f"share of seeds where {self.first} exceeds {self.second}",
            f"{self.first} exceeds {self.second} in {wins} of {n} pairs "
            f"(median difference {number(float(np.median(a - b)))}).",
            p=min(p, p_against), decisive=outcome if outcome != UNDECIDED else SUPPORTED,
        )  # fmt: skip


@dataclass(frozen=True)
class Difference(Rule):
    """The mean paired difference of two levels lies in a region: t interval over seeds.

    Args:
        factor, first, second: the difference is `first` minus `second`.
        low, high: the region where the statement survives.
        confidence: of the interval.
    """

    factor: str
    first: object
    second: object
    low: float | None = 0.0
    high: float | None = None
    confidence: float = 0.99

    def factors_used(self):
        return [self.factor]

    def check(self, hypothesis, spec):
        super().check(hypothesis, spec)
        check_levels(hypothesis, spec, self.factor, self.first, self.second)

    def describe(self):
        return (
            f"The {100 * self.confidence:.4g} % interval of the mean paired difference "
            f"{self.first} minus {self.second} must lie in "
            f"[{'-inf' if self.low is None else number(self.low)}, "
            f"{'inf' if self.high is None else number(self.high)}]; outside refutes, across an "
            "edge is undecided."
        )

    def decide(self, results):
        a, b = results.select(self.where).paired(self.metric, self.factor, self.first, self.second)
        interval = statistics.mean_interval(a - b, self.confidence)
        edge = self.low if self.low is not None else self.high
        p = None
        if interval.low is not None and edge is not None:
            p = float(stats.ttest_1samp(a - b, edge).pvalue)
        outcome = judge_interval(interval, (self.low, self.high))
        return verdict_of_interval(
            interval, (self.low, self.high),
            f"{self.metric.replace('_', ' ')}, {self.first} minus {self.second}", None,
            p=p, decisive=outcome if outcome != UNDECIDED else SUPPORTED,
        )  # fmt: skip


@dataclass(frozen=True)
class Ratio(Rule):
    """The ratio of a statistic at two levels lies in a region: BCa bootstrap over seeds.

    Args:
        factor, first, second: the ratio is `first` over `second`.
        of: "mean", "median" or "sd".
        low, high: the region where the statement survives.
        confidence: of the interval.
    """

    factor: str
    first: object
    second: object
    of: str = "mean"
    low: float | None = 1.0
    high: float | None = None
    confidence: float = 0.99

    def factors_used(self):
        return [self.factor]

    def check(self, hypothesis, spec):
        super().check(hypothesis, spec)
        check_levels(hypothesis, spec, self.factor, self.first, self.second)
        if self.of not in ("mean", "median", "sd"):
            raise SpecificationError(
                f"{hypothesis}: of must be 'mean', 'median' or 'sd', received {self.of!r}"
            )

    def describe(self):
        return (
            f"The {100 * self.confidence:.4g} % bootstrap interval (BCa) of the ratio of the "
            f"{self.of}, {self.first} over {self.second}, must lie in "
            f"[{'-inf' if self.low is None else number(self.low)}, "
            f"{'inf' if self.high is None else number(self.high)}]."
        )

    def decide(self, results):
        a, b = results.select(self.where).paired(self.metric, self.factor, self.first, self.second)
        reduce = {"mean": np.mean, "median": np.median, "sd": np.std}[self.of]
        interval = statistics.bca_interval(
            lambda x, y, axis=-1: reduce(x, axis=axis) / reduce(y, axis=axis),
            (a, b),
            self.confidence,
            paired=True,
        )
        return verdict_of_interval(
            interval,
            (self.low, self.high),
            f"{self.of} of {self.metric.replace('_', ' ')}, {self.first} over {self.second}",
            None,
        )
