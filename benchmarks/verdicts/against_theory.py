"""Rules that hold a measurement against arithmetic or theory."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from benchmarks import statistics
from benchmarks.experiment import SpecificationError
from benchmarks.statistics import FOUR_SIGMA
from benchmarks.verdicts.results import MissingResults, Results
from benchmarks.verdicts.rule import Rule
from benchmarks.verdicts.verdict import (
    REFUTED,
    SUPPORTED,
    UNDECIDED,
    Verdict,
    in_words,
    number,
    p_at,
    verdict_of_interval,
    worst,
)

FEWEST = 14  # trials below which agreement with a theory decides nothing: as many as a sign test
EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23}  # spacing of floats just above 1


@dataclass(frozen=True)
class AtMost(Rule):
    """No trial exceeds a bound: the largest value decides. For inequalities and certainties.

    Args:
        bound: the largest value that the statement allows.
    """

    bound: float

    def describe(self):
        return f"No trial may exceed {number(self.bound)}; the largest value decides."

    def decide(self, results):
        values = results.select(self.where).values(self.metric)
        worst = float(np.max(values))
        outcome = SUPPORTED if worst <= self.bound else REFUTED
        over = outcome == REFUTED and self.bound > 0
        times = f": {number(worst / self.bound)} times as much" if over else ""
        return Verdict(
            outcome, worst, self.bound, None, None, len(values), (None, self.bound),
            f"largest {self.metric.replace('_', ' ')}",
            f"The largest of {len(values)} values is {number(worst)}, against a bound of "
            f"{number(self.bound)}{times}.",
        )  # fmt: skip


@dataclass(frozen=True)
class Identity(Rule):
    """Two sides of an algebraic identity agree to rounding: R-ID.

    The metric is max|a - b| / max|b|. Summing k terms in floating point loses at most about k
    units in the last place; 64 covers the constant and a handful of operations around the sum.

    Args:
        terms: k, the length of the longest sum.
        dtype: the arithmetic's precision.
        condition: a condition number that multiplies the bound, where a system is solved.
    """

    terms: int
    dtype: str = "float64"
    condition: float = 1.0

    @property
    def bound(self) -> float:
        """64 k epsilon, times the condition number."""
        return 64 * self.terms * EPSILON[self.dtype] * self.condition

    def describe(self):
        return (
            f"Identity: the largest relative deviation may be 64 × {self.terms} terms × "
            f"{self.dtype} epsilon = {number(self.bound)}."
        )

    def decide(self, results):
        return replace(AtMost(self.metric, self.bound, where=self.where).decide(results), log=True)


@dataclass(frozen=True)
class Within(Rule):
    """A mean over seeds lies in a region that theory fixes: inside, outside or across.

    Args:
        low, high: edges of the region, None for an open side.
        expected: the theoretical value inside it, drawn as a dashed line.
        confidence: of the t interval over seeds.
        statistic: "mean", or "median" with its order-statistic interval.
    """

    low: float | None
    high: float | None
    expected: float | None = None
    confidence: float = 0.99
    statistic: str = "mean"

    def check(self, hypothesis, spec):
        super().check(hypothesis, spec)
        self.refuse_pooling(hypothesis, spec)

    def describe(self):
        return (
            f"The {100 * self.confidence:.4g} % interval of the {self.statistic} over seeds must "
            f"lie {in_words((self.low, self.high))}; outside refutes."
        )

    def decide(self, results):
        values = results.select(self.where).values(self.metric)
        median = self.statistic == "median"
        of = statistics.median_interval if median else statistics.mean_interval
        return verdict_of_interval(
            of(values, self.confidence),
            (self.low, self.high),
            self.metric.replace("_", " "),
            self.expected,
            p_of=partial(statistics.median_p, values) if median else None,
        )


@dataclass(frozen=True)
class Agreement(Rule):
    """A Monte-Carlo mean agrees with a theoretical value: R-Z, |mean - theory| <= 4 SE.

    With several cells each is compared with its own theory, and the worst one decides. The
    interval has the normal's four-sigma level, widened by Student's t for few seeds. A statement
    whose interval also holds the rival value is undecided.

    Args:
        expected: metric holding the theoretical value of each trial.
        rival: metric holding what the wrong form predicts, if there is one to exclude.
    """

    expected: str
    rival: str | None = None

    def metrics_used(self):
        return [self.metric, self.expected, *([self.rival] if self.rival else [])]

    def describe(self):
        text = "In every cell the mean over seeds must lie within 4 standard errors of theory"
        return text + (", and exclude the rival value." if self.rival else ".")

    def decide(self, results):
        cells = results.select(self.where).cells
        found = [self._compare(Results((cell,))) for cell in cells]
        outcomes = {outcome for outcome, *_ in found}
        outcome = next((o for o in (REFUTED, UNDECIDED) if o in outcomes), SUPPORTED)
        # Of the cells that decided, the one furthest from its theory.
        shown = max((f for f in found if f[0] == outcome), key=_deviations)
        _, mean, theory, half, p = shown
        n = sum(len(cell.seeds) for cell in cells)
        place = "" if len(cells) == 1 else f" in the worst of {len(cells)} cells"
        return Verdict(
            outcome, mean, theory, (mean - half, mean + half), FOUR_SIGMA, n,
            (theory - half, theory + half),
            f"mean {self.metric.replace('_', ' ')}{place}",
            f"Mean {number(mean)} against theory {number(theory)}{place}: "
            f"{4 * _deviations(shown):.2g} standard errors apart, n = {n}.",
            p=min(1.0, len(cells) * p), decisive=REFUTED,
        )  # fmt: skip

    def _compare(self, cell: Results) -> tuple[str, float, float, float, float]:
        """Outcome, mean, theory, half-width of the interval, p of one cell."""
        measured, expected = cell.values(self.metric), cell.values(self.expected)
        theory = float(np.mean(expected))
        interval = statistics.mean_interval(measured - expected, FOUR_SIGMA)
        mean = theory + interval.estimate
        if interval.low is None or interval.high is None:
            # Without spread there is no standard error: only rounding may separate the two.
            half = 64 * EPSILON["float64"] * max(abs(theory), 1e-300)
            p = 1.0 if abs(interval.estimate) <= half else 0.0
        else:
            half = (interval.high - interval.low) / 2
            p = p_at(interval, 0.0)
        if abs(interval.estimate) > half:
            return REFUTED, mean, theory, half, p
        # With a handful of trials four standard errors hold nearly anything.
        blind = len(measured) < FEWEST
        if self.rival:
            blind |= abs(mean - float(np.mean(cell.values(self.rival)))) <= half
        return UNDECIDED if blind else SUPPORTED, mean, theory, half, p


def _deviations(found: tuple) -> float:
    """Distance of mean and theory, in half-widths of the interval."""
    _, mean, theory, half, _ = found
    return abs(mean - theory) / half


@dataclass(frozen=True)
class Slope(Rule):
    """An exponent: the slope of log(metric) against log(factor) lies in a region around theory.

    One regression a seed, so that the interval is over seeds. Deterministic measurements have no
    interval; the slope itself must then lie in the region.

    Args:
        against: numeric factor.
        expected: the theoretical exponent, or level -> exponent with `by`.
        within: half-width of the region, from the theory's own correction terms (say which).
        by: factor whose levels have exponents of their own.
        confidence: of the interval over seeds.
    """

    against: str
    expected: float | Mapping
    within: float
    by: str | None = None
    confidence: float = FOUR_SIGMA

    def factors_used(self):
        return [self.against, *([self.by] if self.by else [])]

    def check(self, hypothesis, spec):
        super().check(hypothesis, spec)
        if self.by and set(self.expected) != {str(v) for v in spec.factors[self.by]}:
            raise SpecificationError(
                f"{hypothesis}: expected must name the levels of {self.by!r}, "
                f"received {sorted(self.expected)}"
            )

    def describe(self):
        wanted = self.expected if self.by else {"slope": self.expected}
        wanted = ", ".join(f"{k}: {number(v)}" for k, v in wanted.items())
        return (
            f"The log-log slope against {self.against} must lie within {number(self.within)} of "
            f"theory ({wanted})."
        )

    def decide(self, results):
        results = results.select(self.where)
        verdicts = []
        for level in results.levels(self.by) if self.by else [None]:
            part = results.select({self.by: level}) if self.by else results
            seeds = sorted(set.intersection(*(set(c.seeds.tolist()) for c in part.cells)))
            x = np.log([float(c.factors[self.against]) for c in part.cells])
            if len(set(x.tolist())) < 3:
                raise MissingResults(f"a slope against {self.against} needs three levels")
            y = np.log(
                [
                    dict(zip(c.seeds.tolist(), Results((c,)).values(self.metric), strict=True))[s]
                    for c in part.cells
                    for s in seeds
                ]
            ).reshape(len(part.cells), len(seeds))
            slopes = np.polyfit(x, y, 1)[0]
            expected = self.expected[str(level)] if self.by else self.expected
            verdict = verdict_of_interval(
                statistics.mean_interval(slopes, self.confidence),
                (expected - self.within, expected + self.within),
                f"exponent of {self.metric.replace('_', ' ')}" + (f", {level}" if level else ""),
                expected,
            )
            verdicts.append(verdict)
        return worst(verdicts)
