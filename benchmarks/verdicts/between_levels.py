"""Rules that compare two levels of a factor, seed by seed."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmarks import statistics
from benchmarks.experiment import SpecificationError
from benchmarks.statistics import SIGN_LEVEL
from benchmarks.verdicts.results import Results, same
from benchmarks.verdicts.rule import Rule
from benchmarks.verdicts.verdict import (
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    Verdict,
    in_words,
    number,
    verdict_of_interval,
)


def excludes(interval: statistics.Interval, value: float) -> bool:
    """Whether a value lies outside; without an interval, whether the estimate is another."""
    if interval.low is None or interval.high is None:
        return interval.estimate != value
    return not interval.low <= value <= interval.high


@dataclass(frozen=True)
class Paired(Rule):
    """What the rules between levels share: `first` and `second` level of a factor, by seed."""

    factor: str
    first: object
    second: object

    def factors_used(self):
        return [self.factor]

    def check(self, hypothesis, spec):
        super().check(hypothesis, spec)
        for level in (self.first, self.second):
            if not any(same(level, known) for known in spec.factors[self.factor]):
                raise SpecificationError(
                    f"{hypothesis}: factor {self.factor!r} has no level {level!r}, "
                    f"it has {spec.factors[self.factor]}"
                )
        self.refuse_pooling(hypothesis, spec)

    def _pairs(self, results: Results) -> tuple[np.ndarray, np.ndarray]:
        return results.select(self.where).paired(self.metric, self.factor, self.first, self.second)

    def finds_difference(self, results: Results) -> bool:
        """Whether it tells the two levels apart, in either direction: for the null control."""
        raise NotImplementedError

    @property
    def false_positive_rate(self) -> float:
        """How often it may find a difference between equal levels."""
        raise NotImplementedError

    @property
    def _a(self) -> str:
        return self.name_of(self.first)

    @property
    def _b(self) -> str:
        return self.name_of(self.second)

    def name_of(self, level) -> str:
        """A level in words: a bare number says nothing without its factor."""
        return f"{self.factor} {level}" if isinstance(level, (int, float)) else str(level)


@dataclass(frozen=True)
class Sign(Paired):
    """A direction over paired seeds: R-SIGN, exact one-sided binomial at 2^-14.

    Args:
        factor, first, second: `first` is claimed to exceed `second` in the metric.
    """

    def describe(self):
        return (
            f"Paired seeds: larger for {self._a} than for {self._b}, one-sided exact binomial "
            f"p at most {SIGN_LEVEL:.1e}; the opposite sign at that level refutes."
        )

    def finds_difference(self, results):
        a, b = self._pairs(results)
        return min(statistics.sign_test(d)[2] for d in (a - b, b - a)) <= SIGN_LEVEL

    @property
    def false_positive_rate(self):
        return 2 * SIGN_LEVEL

    def decide(self, results):
        a, b = self._pairs(results)
        wins, n, p = statistics.sign_test(a - b)
        _, _, p_against = statistics.sign_test(b - a)
        outcome = UNDECIDED
        if min(p, p_against) <= SIGN_LEVEL:
            outcome = SUPPORTED if p <= SIGN_LEVEL else REFUTED
        share = wins / n if n else 0.5
        # The smallest share that reaches the level: the region of the strip.
        # With fewer than 14 pairs none does, and the region is empty but for its edge.
        needed = min(1.0, (stats.binom.isf(SIGN_LEVEL, n, 0.5) + 1) / n) if n else 1.0
        return Verdict(
            outcome, share, 1.0, None, None, n, (needed, 1.0),
            f"share of seeds where {self.metric.replace('_', ' ')} is larger for {self._a} than "
            f"for {self._b}",
            f"Larger for {self._a} than for {self._b} in {wins} of {n} pairs "
            f"(median difference {number(float(np.median(a - b)))}).",
            p=min(p, p_against), decisive=outcome if outcome != UNDECIDED else SUPPORTED,
        )  # fmt: skip


@dataclass(frozen=True)
class Difference(Paired):
    """The mean paired difference of two levels lies in a region: t interval over seeds.

    Args:
        factor, first, second: the difference is `first` minus `second`.
        low, high: the region where the statement survives.
        confidence: of the interval.
    """

    low: float | None = 0.0
    high: float | None = None
    confidence: float = 0.99

    def describe(self):
        return (
            f"The {100 * self.confidence:.4g} % interval of the mean paired difference "
            f"{self._a} minus {self._b} must lie "
            f"{in_words((self.low, self.high))}; outside refutes, across an edge is undecided."
        )

    def finds_difference(self, results):
        return excludes(self._interval(results), 0)

    @property
    def false_positive_rate(self):
        return 1 - self.confidence

    def _interval(self, results):
        a, b = self._pairs(results)
        return statistics.mean_interval(a - b, self.confidence)

    def decide(self, results):
        interval = self._interval(results)
        return verdict_of_interval(
            interval,
            (self.low, self.high),
            f"{self.metric.replace('_', ' ')}, {self._a} minus {self._b}",
            None,
        )


@dataclass(frozen=True)
class Ratio(Paired):
    """The ratio of a statistic at two levels lies in a region: BCa bootstrap over seeds.

    Args:
        factor, first, second: the ratio is `first` over `second`.
        of: "mean", "median" or "sd".
        low, high: the region where the statement survives.
        confidence: of the interval.
    """

    of: str = "mean"
    low: float | None = 1.0
    high: float | None = None
    confidence: float = 0.99

    def check(self, hypothesis, spec):
        super().check(hypothesis, spec)
        if self.of not in ("mean", "median", "sd"):
            raise SpecificationError(
                f"{hypothesis}: of must be 'mean', 'median' or 'sd', received {self.of!r}"
            )

    def describe(self):
        return (
            f"The {100 * self.confidence:.4g} % bootstrap interval (BCa) of the ratio of the "
            f"{self.of}, {self._a} over {self._b}, must lie "
            f"{in_words((self.low, self.high))}."
        )

    def finds_difference(self, results):
        return excludes(self._interval(results), 1)

    @property
    def false_positive_rate(self):
        return 1 - self.confidence

    def _interval(self, results):
        a, b = self._pairs(results)
        reduce = {"mean": np.mean, "median": np.median, "sd": np.std}[self.of]
        return statistics.bca_interval(
            lambda x, y, axis=-1: reduce(x, axis=axis) / reduce(y, axis=axis),
            (a, b),
            self.confidence,
            paired=True,
        )

    def decide(self, results):
        return verdict_of_interval(
            self._interval(results),
            (self.low, self.high),
            f"{self.of} of {self.metric.replace('_', ' ')}, {self._a} over {self._b}",
            None,
        )
