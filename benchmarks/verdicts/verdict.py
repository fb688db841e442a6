"""What a rule found, and how an interval and a region make an outcome."""

import math
from dataclasses import dataclass, replace
from functools import partial

from scipy import stats

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
    """Inside, outside or across.

    A result without spread has no interval, and its value alone is compared; a single trial says
    nothing about spread and decides nothing.
    """
    if interval.n < 2:
        return UNDECIDED
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
    plain = value == 0 or 1e-3 <= abs(value) < 1e5
    text = f"{abs(value):.4g}" if plain else f"{abs(value):.2e}"
    return ("\N{MINUS SIGN}" if value < 0 else "") + text


def in_words(region: tuple[float | None, float | None]) -> str:
    """A region as the end of "must lie ..."."""
    low, high = region
    if low is None:
        return f"below {number(high)}"
    return f"above {number(low)}" if high is None else f"between {number(low)} and {number(high)}"


def with_interval(interval: Interval) -> str:
    """An estimate with its limits and level, in words."""
    if interval.low is None:
        return f"{number(interval.estimate)} (no interval)"
    percent = f"{100 * float(interval.confidence or 0):.4g} %"
    return (
        f"{number(interval.estimate)} "
        f"[{number(interval.low)}, {number(interval.high)}] at {percent}"
    )


def p_at(interval: Interval, value: float) -> float:
    """Two-sided p of "the true value is `value`", by Student's t with the interval's own width.

    An interval of no width, as of a ratio of tied medians, tells its level and no more.
    """
    if interval.low is None or interval.high is None or not interval.confidence:
        raise ValueError("a result without an interval has no p")
    if interval.low == interval.high:
        return 1.0 if value == interval.low else 1 - interval.confidence
    freedom = interval.n - 1
    width = (interval.high - interval.low) / 2
    error = width / stats.t.ppf((1 + interval.confidence) / 2, freedom)
    return float(2 * stats.t.sf(abs(interval.estimate - value) / error, freedom))


def _p_of_region(interval: Interval, region, outcome: str, p_of) -> float | None:
    """Of the edge that decides: all edges must be excluded for support, one for refutation."""
    if interval.low is None or outcome == UNDECIDED or not math.isfinite(interval.low):
        return None
    p = [p_of(edge) for edge in region if edge is not None]
    return (max(p) if outcome == SUPPORTED else min(p)) if p else None


def verdict_of_interval(interval: Interval, region, label: str, expected, p_of=None) -> Verdict:
    """The verdict of a rule that compares one interval with one region.

    `p_of` is the test of one value that the interval inverts; Student's t unless it is given.
    """
    p_of = p_of or partial(p_at, interval)
    limits = None
    if interval.low is not None and interval.high is not None:
        limits = (interval.low, interval.high)
    outcome = judge_interval(interval, region)
    target = "" if expected is None else f"; theory {number(expected)}"
    return Verdict(
        outcome,
        interval.estimate,
        expected,
        limits,
        interval.confidence,
        interval.n,
        region,
        label,
        f"{label.capitalize()} {with_interval(interval)}{target}, n = {interval.n}.",
        p=_p_of_region(interval, region, outcome, p_of),
        decisive=None if outcome == UNDECIDED else outcome,
    )


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of several parts that must all hold.

    It is refuted if one part is, else undecided if one is; the part shown is the one furthest
    outside, or closest to its edge. Support needs every part's test, so its p is their largest; a
    refutation by any of k parts is a choice among k tests, so its p is k times the smallest.
    """
    if len(verdicts) == 1:
        return verdicts[0]
    outcome = next(
        (o for o in (REFUTED, UNDECIDED) if any(v.outcome == o for v in verdicts)), SUPPORTED
    )
    there = [v for v in verdicts if v.outcome == outcome]
    shown = min(there, key=_room)
    count = len(verdicts)
    said = {
        SUPPORTED: f"All {count} parts hold; the closest to its edge:",
        UNDECIDED: f"{len(there)} of {count} parts undecided:",
        REFUTED: f"{len(there)} of {count} parts fail; the clearest:",
    }[outcome]
    tested = [v.p for v in there if v.p is not None and v.decisive == outcome]
    p = None
    if tested:
        p = max(tested) if outcome == SUPPORTED else min(1.0, count * min(tested))
    return replace(shown, sentence=f"{said} {shown.sentence}", p=p, decisive=outcome)


def _room(verdict: Verdict) -> float:
    """Distance of the effect from the nearest edge, in a unit of its region; negative outside."""
    low, high = verdict.region
    unit = abs(high - low) / 2 if low is not None and high is not None else 0.0
    unit = unit or abs(next((edge for edge in (low, high) if edge), 1.0))
    room = [math.inf]
    if low is not None:
        room.append((verdict.effect - low) / unit)
    if high is not None:
        room.append((high - verdict.effect) / unit)
    return min(room)
