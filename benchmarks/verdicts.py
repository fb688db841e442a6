"""Rules that judge. Each is fixed in an experiment's file before anything runs.

A rule sees only stored trials. It draws a region where the statement survives and an interval of
what was measured: interval inside, SUPPORTED; outside, REFUTED; across an edge, UNDECIDED. The
regions come from arithmetic, statistics or theory, never from tuning.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

from benchmarks import statistics
from benchmarks.experiment import Experiment, Hypothesis, Mutant, SpecificationError
from benchmarks.statistics import FAMILY_LEVEL, FOUR_SIGMA, SIGN_LEVEL, Interval

SUPPORTED, REFUTED, UNDECIDED = "SUPPORTED", "REFUTED", "UNDECIDED"
EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23}  # spacing of floats just above 1


@dataclass(frozen=True)
class CellResult:
    """The finished trials of one cell: factors, seeds and metric -> values, aligned."""

    factors: Mapping
    seeds: np.ndarray
    metrics: Mapping[str, np.ndarray]
    diverged: np.ndarray


@dataclass(frozen=True)
class Results:
    """All cells of one experiment on one device, as rules see them."""

    cells: tuple[CellResult, ...]

    def select(self, where: Mapping) -> "Results":
        """The cells whose factors have these values."""
        kept = tuple(
            c for c in self.cells if all(_same(c.factors.get(k), v) for k, v in where.items())
        )
        if not kept:
            raise MissingResults(f"no finished cell with {dict(where)}")
        return Results(kept)

    def levels(self, factor: str) -> list:
        """Levels of a factor, in order of appearance."""
        return list(dict.fromkeys(c.factors[factor] for c in self.cells))

    def values(self, metric: str) -> np.ndarray:
        """A metric over all trials of all cells."""
        return np.concatenate([c.metrics[metric] for c in self.cells])

    def paired(self, metric: str, factor: str, first, second) -> tuple[np.ndarray, np.ndarray]:
        """Values at two levels of a factor, aligned by the other factors and by seed."""
        left, right = self.select({factor: first}), self.select({factor: second})
        pairs: tuple[list, list] = ([], [])
        for a in left.cells:
            others = {k: v for k, v in a.factors.items() if k != factor}
            b = right.select(others).cells[0]
            seeds = np.intersect1d(a.seeds, b.seeds)
            for cell, out in zip((a, b), pairs, strict=True):
                order = np.argsort(cell.seeds)
                at = order[np.searchsorted(cell.seeds[order], seeds)]
                out.append(cell.metrics[metric][at])
        return np.concatenate(pairs[0]), np.concatenate(pairs[1])


class MissingResults(LookupError):
    """The store lacks what a rule needs; the verdict is withheld."""


@dataclass(frozen=True)
class Verdict:
    """What a rule found. `region` is where the statement survives, `None` for an open side."""

    outcome: str
    effect: float
    expected: float | None
    interval: tuple[float, float] | None
    confidence: float | None
    n: int
    region: tuple[float | None, float | None]
    label: str  # what the effect is, with its unit: the axis of the verdict strip
    sentence: str  # the finding in one line, with the numbers
    p: float | None = None  # of the test a decisive outcome rests on, where there is one
    decisive: str | None = None  # the outcome that needs p to be small
    p_holm: float | None = None
    mutants: tuple = ()  # (name, outcome, sentence)
    log: bool = False  # draw the strip on a log axis


def judge_interval(interval: Interval, region: tuple[float | None, float | None]) -> str:
    """Inside, outside or across. Without an interval the estimate alone is compared."""
    low = interval.estimate if interval.low is None else interval.low
    high = interval.estimate if interval.high is None else interval.high
    bottom = -math.inf if region[0] is None else region[0]
    top = math.inf if region[1] is None else region[1]
    if bottom <= low and high <= top:
        return SUPPORTED
    if high < bottom or low > top:
        return REFUTED
    return UNDECIDED


def number(value: float | None) -> str:
    """A number with the digits a reader can use."""
    if value is None:
        return "none"
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}"
    return f"{value:.2e}"


def _with_interval(interval: Interval) -> str:
    if interval.low is None:
        return f"{number(interval.estimate)} (no interval)"
    percent = f"{100 * interval.confidence:.4g} %"
    return (
        f"{number(interval.estimate)} "
        f"[{number(interval.low)}, {number(interval.high)}] at {percent}"
    )


@dataclass(frozen=True)
class Rule:
    """What rules share: the metric, the cells they look at, and the check of a specification."""

    metric: str
    where: Mapping = field(default_factory=dict, kw_only=True)

    def check(self, hypothesis: str, spec: Experiment) -> None:
        """Refuse names that the experiment does not declare."""
        for metric in self.metrics_used():
            if metric not in spec.metrics:
                raise SpecificationError(
                    f"{hypothesis}: rule uses metric {metric!r}, which metrics does not declare"
                )
        for factor in [*self.where, *self.factors_used()]:
            if factor not in spec.factors:
                raise SpecificationError(
                    f"{hypothesis}: rule uses factor {factor!r}, which factors does not declare"
                )

    def metrics_used(self) -> list[str]:
        """Metrics the rule reads."""
        return [self.metric]

    def factors_used(self) -> list[str]:
        """Factors the rule reads besides `where`."""
        return []

    def changed(self, changes: Mapping) -> "Rule":
        """The same rule looking at something else: how a mutant is judged."""
        return replace(self, **changes)

    def describe(self) -> str:
        """The rule in words, for the page."""
        raise NotImplementedError

    def decide(self, results: Results) -> Verdict:
        """Judge finished trials."""
        raise NotImplementedError


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
        return Verdict(
            outcome, worst, self.bound, None, None, len(values), (None, self.bound),
            f"largest {self.metric.replace('_', ' ')}",
            f"The largest of {len(values)} values is {number(worst)}, against a bound of "
            f"{number(self.bound)}.",
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
            f"Identity: the largest relative deviation may be 64 x {self.terms} terms x "
            f"{self.dtype} epsilon = {number(self.bound)}."
        )

    def decide(self, results):
        verdict = AtMost(self.metric, self.bound, where=self.where).decide(results)
        # A true zero has no place on a log strip; a tenth of an ulp stands for it.
        return replace(verdict, effect=max(verdict.effect, EPSILON[self.dtype] / 10), log=True)


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

    def describe(self):
        return (
            f"The {100 * self.confidence:.4g} % interval of the {self.statistic} over seeds must "
            f"lie in [{number(self.low) if self.low is not None else '-inf'}, "
            f"{number(self.high) if self.high is not None else 'inf'}]; outside refutes."
        )

    def decide(self, results):
        values = results.select(self.where).values(self.metric)
        if self.statistic == "median":
            middle, low, high = (float(v) for v in statistics.median_band(values, self.confidence))
            interval = Interval(middle, low, high, self.confidence, len(values))
        else:
            interval = statistics.mean_interval(values, self.confidence)
        return _verdict_of_interval(
            interval, (self.low, self.high), self.metric.replace("_", " "), self.expected
        )


def _verdict_of_interval(interval, region, label, expected, **more) -> Verdict:
    limits = None if interval.low is None else (interval.low, interval.high)
    target = "" if expected is None else f"; theory {number(expected)}"
    return Verdict(
        judge_interval(interval, region),
        interval.estimate,
        expected,
        limits,
        interval.confidence,
        interval.n,
        region,
        label,
        f"{label.capitalize()} {_with_interval(interval)}{target}, n = {interval.n}.",
        **more,
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
        worst, outcomes, n = None, [], 0
        for cell in results.select(self.where).cells:
            theory = float(np.mean(cell.metrics[self.expected]))
            interval = statistics.mean_interval(
                cell.metrics[self.metric] - cell.metrics[self.expected], FOUR_SIGMA
            )
            n += interval.n
            if interval.low is None:
                # Without spread there is no standard error: only rounding may separate the two.
                tolerance = 64 * EPSILON["float64"] * max(abs(theory), 1e-300)
                z = 0.0 if abs(interval.estimate) <= tolerance else math.inf
                half = tolerance
            else:
                half = (interval.high - interval.low) / 2
                z = 4 * interval.estimate / half
            mean = theory + interval.estimate
            holds = abs(interval.estimate) <= half
            rival_in = False
            if self.rival:
                rival_in = abs(mean - float(np.mean(cell.metrics[self.rival]))) <= half
            outcomes.append(REFUTED if not holds else UNDECIDED if rival_in else SUPPORTED)
            if worst is None or abs(z) > abs(worst[0]):
                worst = (z, mean, theory, half, interval.n)
        z, mean, theory, half, _ = worst
        outcome = next((o for o in (REFUTED, UNDECIDED) if o in outcomes), SUPPORTED)
        cells = len(outcomes)
        place = "" if cells == 1 else f" in the worst of {cells} cells"
        return Verdict(
            outcome, mean, theory, (mean - half, mean + half), FOUR_SIGMA, n,
            (theory - half, theory + half),
            f"mean {self.metric.replace('_', ' ')}{place}",
            f"Mean {number(mean)} against theory {number(theory)}{place}: "
            f"{abs(z):.2g} standard errors apart, n = {n}.",
            p=min(1.0, cells * statistics.z_to_p(z)), decisive=REFUTED,
        )  # fmt: skip


@dataclass(frozen=True)
class Slope(Rule):
    """An exponent: the slope of log(metric) against log(factor), contains theory, excludes rival.

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
                    [c.metrics[self.metric][list(c.seeds).index(s)] for s in seeds]
                    for c in part.cells
                ]
            )
            slopes = np.polyfit(x, y, 1)[0]
            expected = self.expected[str(level)] if self.by else self.expected
            verdict = _verdict_of_interval(
                statistics.mean_interval(slopes, self.confidence),
                (expected - self.within, expected + self.within),
                f"exponent of {self.metric.replace('_', ' ')}" + (f", {level}" if level else ""),
                expected,
            )
            verdicts.append(verdict)
        return _worst(verdicts)


def _worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several that must all hold: the first refuted, else undecided, else first."""
    for outcome in (REFUTED, UNDECIDED):
        for verdict in verdicts:
            if verdict.outcome == outcome:
                return verdict
    together = " ".join(v.sentence for v in verdicts)
    return replace(verdicts[0], sentence=together, n=sum(v.n for v in verdicts))


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
        _check_levels(hypothesis, spec, self.factor, self.first, self.second)

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


def _check_levels(hypothesis, spec, factor, *levels):
    for level in levels:
        if not any(_same(level, known) for known in spec.factors[factor]):
            raise SpecificationError(
                f"{hypothesis}: factor {factor!r} has no level {level!r}, "
                f"it has {spec.factors[factor]}"
            )


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
        _check_levels(hypothesis, spec, self.factor, self.first, self.second)

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
        return _verdict_of_interval(
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
        _check_levels(hypothesis, spec, self.factor, self.first, self.second)
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
        return _verdict_of_interval(
            interval,
            (self.low, self.high),
            f"{self.of} of {self.metric.replace('_', ' ')}, {self.first} over {self.second}",
            None,
        )


@dataclass(frozen=True)
class All(Rule):
    """Several rules that must all hold; the first that fails is the verdict.

    Its own `metric` is that of the first rule.
    """

    rules: tuple = ()

    def check(self, hypothesis, spec):
        if not self.rules:
            raise SpecificationError(f"{hypothesis}: rules must not be empty")
        for rule in self.rules:
            rule.check(hypothesis, spec)

    def changed(self, changes):
        return replace(self, rules=tuple(rule.changed(changes) for rule in self.rules))

    def describe(self):
        return " ".join(rule.describe() for rule in self.rules)

    def decide(self, results):
        return _worst([rule.decide(results) for rule in self.rules])


def every(*rules: Rule) -> All:
    """All of these rules must hold."""
    return All(rules[0].metric, tuple(rules))


def _same(a, b) -> bool:
    return a == b or str(a) == str(b)


def rule_from_json(value: Mapping) -> Rule:
    """The rule a stored specification describes, so that judging needs the store alone."""
    kinds = {kind.__name__: kind for kind in Rule.__subclasses__()}
    if value.get("type") not in kinds:
        raise SpecificationError(f"rule {value.get('type')!r} is not one of {sorted(kinds)}")
    fields = {k: v for k, v in value.items() if k != "type"}
    if "rules" in fields:
        fields["rules"] = tuple(rule_from_json(rule) for rule in fields["rules"])
    return kinds[value["type"]](**fields)


def hypothesis_from_json(value: Mapping) -> Hypothesis:
    """The inverse of `to_json` for a hypothesis with its rule and mutants."""
    fields = {k: v for k, v in value.items() if k != "type"}
    mutants = tuple(Mutant(m["name"], m["changes"]) for m in fields.pop("mutants"))
    return Hypothesis(**fields | {"rule": rule_from_json(fields["rule"]), "mutants": mutants})


def judge(hypothesis: Hypothesis, results: Results) -> Verdict:
    """Decide one hypothesis and let the same rule look at its mutants."""
    verdict = hypothesis.rule.decide(results)
    found = []
    for mutant in hypothesis.mutants:
        wrong = hypothesis.rule.changed(mutant.changes).decide(results)
        found.append((mutant.name, wrong.outcome, wrong.sentence))
    return replace(verdict, mutants=tuple(found))


def correct_for_multiplicity(verdicts: list[Verdict]) -> list[Verdict]:
    """Holm over all claims of a report; a decisive outcome that does not survive is undecided."""
    tested = [i for i, v in enumerate(verdicts) if v.p is not None]
    adjusted = dict(zip(tested, statistics.holm(verdicts[i].p for i in tested), strict=True))
    out = []
    for i, verdict in enumerate(verdicts):
        if i in adjusted:
            verdict = replace(verdict, p_holm=adjusted[i])
            if verdict.outcome == verdict.decisive and adjusted[i] > FAMILY_LEVEL:
                verdict = replace(
                    verdict,
                    outcome=UNDECIDED,
                    sentence=verdict.sentence + " Not significant after Holm's correction.",
                )
        out.append(verdict)
    return out
