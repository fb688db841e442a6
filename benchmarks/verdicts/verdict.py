"""What a rule found, and how an interval and a region make an outcome."""

import math
from dataclasses import dataclass, replace

from benchmarks.statistics import Interval

SUPPORTED, REFUTED, UNDECIDED = "SUPPORTED", "REFUTED", "UNDECIDED"


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


def with_interval(interval: Interval) -> str:
    """An estimate with its limits and level, in words."""
    if interval.low is None:
        return f"{number(interval.estimate)} (no interval)"
    percent = f"{100 * float(interval.confidence or 0):.4g} %"
    return (
        f"{number(interval.estimate)} "
        f"[{number(interval.low)}, {number(interval.high)}] at {percent}"
    )


def verdict_of_interval(interval, region, label, expected, **more) -> Verdict:
    """The verdict of a rule that compares one interval with one region."""
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
        f"{label.capitalize()} {with_interval(interval)}{target}, n = {interval.n}.",
        **more,
    )


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several that must all hold: the first refuted, else undecided, else first."""
    for outcome in (REFUTED, UNDECIDED):
        for verdict in verdicts:
            if verdict.outcome == outcome:
                return verdict
    together = " ".join(v.sentence for v in verdicts)
    return replace(verdicts[0], sentence=together, n=sum(v.n for v in verdicts))
