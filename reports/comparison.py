"""Contenders under one tuning budget, through three lenses, with intervals. NumPy only.

The tuning value of each contender is the one with the best median validation score; its test score
is read once, there. A run that diverged counts as infinitely bad, never as absent. Ranks are those
of resampled seeds: all contenders are resampled together, because they share their seeds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import statistics
from benchmarks.statistics import Interval

RESAMPLES = 2000  # of the seeds: a share near 0.99 has a Monte-Carlo error of 0.002
CLEAR = 0.99  # share of resamples in which a clear winner ranks first
NAMED = ("steps_to_target", "train_score", "validation_score", "test_score")  # in every comparison
LENSES = ("convergence", "stability", "generalization")


@dataclass(frozen=True)
class Tuned:
    """A contender at one tuning value: metrics of all seeds, and who diverged."""

    value: object
    seeds: np.ndarray
    metrics: Mapping[str, np.ndarray]
    diverged: np.ndarray


@dataclass(frozen=True)
class Contender:
    """What the three lenses see of one contender."""

    name: str
    chosen: object
    steps: Interval
    reached: float | None  # share of seeds that reached the target; None if the budget is unknown
    diverged: list[tuple[object, float]]  # tuning value -> share
    usable: tuple[object, object] | None
    decades: float | None
    spread: float | None  # standard deviation of the test score over seeds
    test: Interval
    gap: Interval  # train minus test, paired by seed
    validation: list[tuple[object, float, float, float]]  # value, median, low, high
    others: dict[str, Interval]  # metric beyond those of every comparison -> mean


@dataclass(frozen=True)
class Ranking:
    """Who is first under one lens, and how sure that is."""

    lens: str
    first: dict[str, float]  # contender -> share of resamples in which it is first
    ranks: dict[str, tuple[float, float, float]]  # contender -> median rank, 99 % limits

    @property
    def winner(self) -> str | None:
        """The contender that is first in at least 99 % of resamples, if there is one."""
        best = max(self.first, key=lambda name: self.first[name])
        return best if self.first[best] >= CLEAR else None


@dataclass(frozen=True)
class ComparisonResult:
    """All contenders and the three rankings."""

    contenders: list[Contender]
    rankings: list[Ranking]


def scores(tuned: Tuned, metric: str, sign: float) -> np.ndarray:
    """A metric turned so that more is better; diverged and missing values are minus infinity."""
    values = sign * np.asarray(tuned.metrics[metric], float)
    return np.where(np.asarray(tuned.diverged, bool) | ~np.isfinite(values), -np.inf, values)


def best_of(medians: np.ndarray) -> int:
    """Position of the best median; the first of equals, so that ties have one answer."""
    return int(np.argmax(medians))


def usable_range(medians: np.ndarray, margin: float) -> tuple[int, int] | None:
    """First and last position of the unbroken stretch around the best that is within `margin`.

    >>> usable_range(np.array([0.1, 0.8, 0.9, 0.85, 0.2, 0.89]), 0.1)
    (1, 3)
    """
    best = best_of(medians)
    if not np.isfinite(medians[best]):
        return None
    good = medians >= medians[best] - margin - 1e-12  # rounding of the difference itself
    first = last = best
    while first > 0 and good[first - 1]:
        first -= 1
    while last < len(medians) - 1 and good[last + 1]:
        last += 1
    return first, last


def decades_of(values: Sequence, stretch: tuple[int, int] | None) -> float | None:
    """Width of a stretch of tuning values in powers of ten; None for names or without one."""
    if stretch is None:
        return None
    ends = [values[i] for i in stretch]
    if not all(isinstance(v, (int, float)) and v > 0 for v in ends):
        return None
    return float(np.log10(ends[1] / ends[0]))


def _median(values: np.ndarray, axis=None):
    # numpy's median of -inf and +inf neighbors would warn; nothing here holds +inf.
    with np.errstate(invalid="ignore"):
        return np.median(values, axis=axis)


def _mean(values: np.ndarray) -> Interval:
    finite = values[np.isfinite(values)]
    if not len(finite):
        return Interval(float("nan"), None, None, None, 0)
    return statistics.mean_interval(finite)


def _steps(values: np.ndarray) -> Interval:
    middle, low, high = (float(v) for v in statistics.median_band(values))
    return Interval(middle, low, high, 0.99, len(values))


def study(name: str, tuned: Sequence[Tuned], margin: float, sign: float, budget=None) -> Contender:
    """One contender through the three lenses.

    Args:
        name: of the contender.
        tuned: its cells, in the order of the tuning values.
        margin: of the usable range, in units of the validation score.
        sign: +1 where a higher score is better, -1 where a lower one is.
        budget: steps of a run; more in `steps_to_target` means "not reached".
    """
    validation = [scores(t, "validation_score", sign) for t in tuned]
    medians = np.array([_median(v) for v in validation])
    best = best_of(medians)
    values = [t.value for t in tuned]
    stretch = usable_range(medians, margin)
    at = tuned[best]
    steps = np.asarray(at.metrics["steps_to_target"], float)
    test = np.where(at.diverged, np.nan, np.asarray(at.metrics["test_score"], float))
    train = np.asarray(at.metrics["train_score"], float)
    finite = test[np.isfinite(test)]
    bands = []
    for value, row in zip(values, validation, strict=True):
        middle, low, high = (sign * float(v) for v in statistics.median_band(row))
        bands.append((value, middle, min(low, high), max(low, high)))
    return Contender(
        name=name,
        chosen=at.value,
        steps=_steps(steps),
        reached=None if budget is None else float(np.mean(steps <= budget)),
        diverged=[(t.value, float(np.mean(t.diverged))) for t in tuned],
        usable=None if stretch is None else (values[stretch[0]], values[stretch[1]]),
        decades=decades_of(values, stretch),
        spread=float(np.std(finite, ddof=1)) if len(finite) > 1 else None,
        test=_mean(test),
        gap=_mean(train - test),
        validation=bands,
        others={
            metric: _mean(np.where(at.diverged, np.nan, np.asarray(values, float)))
            for metric, values in at.metrics.items()
            if metric not in NAMED
        },
    )


def rank(names: Sequence[str], table: np.ndarray, lens: str) -> Ranking:
    """Ranks from `table (resamples, contenders)`, more is better; ties share their places."""
    best = table.max(axis=1, keepdims=True)
    winners = table == best
    share = (winners / winners.sum(axis=1, keepdims=True)).mean(axis=0)
    ahead = (table[:, :, None] < table[:, None, :]).sum(axis=2)
    tied = (table[:, :, None] == table[:, None, :]).sum(axis=2) - 1
    ranks = 1 + ahead + tied / 2
    limits = np.quantile(ranks, (0.5, 0.005, 0.995), axis=0)
    return Ranking(
        lens,
        {name: float(s) for name, s in zip(names, share, strict=True)},
        {
            name: (float(a), float(b), float(c))
            for name, (a, b, c) in zip(names, limits.T, strict=True)
        },
    )


def compare(
    contenders: Mapping[str, Sequence[Tuned]], margin: float, sign: float = 1.0, budget=None
) -> ComparisonResult:
    """All contenders and, lens by lens, their ranks over resampled seeds."""
    studied = [study(name, tuned, margin, sign, budget) for name, tuned in contenders.items()]
    common = sorted(
        set.intersection(*(set(t.seeds.tolist()) for c in contenders.values() for t in c))
    )
    if not common:
        return ComparisonResult(studied, [])

    def aligned(t: Tuned, values) -> np.ndarray:
        order = {seed: i for i, seed in enumerate(t.seeds.tolist())}
        return np.asarray(values)[[order[seed] for seed in common]]

    picks = np.random.default_rng(0).integers(0, len(common), (RESAMPLES, len(common)))
    columns: dict[str, list[np.ndarray]] = {lens: [] for lens in LENSES}
    for contender, tuned in zip(studied, contenders.values(), strict=True):
        at = next(t for t in tuned if t.value == contender.chosen)
        steps = aligned(at, np.asarray(at.metrics["steps_to_target"], float))
        columns["convergence"].append(-np.median(steps[picks], axis=1))
        test = aligned(at, scores(at, "test_score", sign))
        columns["generalization"].append(test[picks].mean(axis=1))
        validation = np.stack([aligned(t, scores(t, "validation_score", sign)) for t in tuned])
        medians = _median(validation[:, picks], axis=2)  # (tuning values, resamples)
        values = [t.value for t in tuned]
        widths = [decades_of(values, usable_range(column, margin)) for column in medians.T]
        columns["stability"].append(np.array([-1.0 if w is None else w for w in widths]))
    names = list(contenders)
    # Without tuning values in numbers no range of them is wider than another.
    grids = [[t.value for t in tuned] for tuned in contenders.values()]
    if not any(decades_of(values, (0, len(values) - 1)) for values in grids):
        del columns["stability"]
    return ComparisonResult(
        studied, [rank(names, np.stack(table, axis=1), lens) for lens, table in columns.items()]
    )


@dataclass(frozen=True)
class Decision:
    """What one lens says over all settings of a comparison.

    Args:
        lens: the lens.
        winners: contender -> in how many settings it is the clear winner, most first.
        open: settings without a clear winner.
        ruled_out: contenders that are first in under 1 % of resamples in every setting.
    """

    lens: str
    winners: dict[str, int]
    open: int
    ruled_out: list[str]

    @property
    def settings(self) -> int:
        """How many there are."""
        return sum(self.winners.values()) + self.open


def decide(results: Sequence[ComparisonResult]) -> dict[str, Decision]:
    """Lens -> decision, over the settings that are complete."""
    found = {}
    for lens in LENSES:
        rankings = [r for result in results for r in result.rankings if r.lens == lens]
        if not rankings:
            continue
        names = dict.fromkeys(name for r in rankings for name in r.first)
        winners = {name: sum(r.winner == name for r in rankings) for name in names}
        kept = sorted(((n, k) for n, k in winners.items() if k), key=lambda item: -item[1])
        best = {name: max(r.first.get(name, 0.0) for r in rankings) for name in names}
        out = [name for name, share in best.items() if share < 1 - CLEAR]
        found[lens] = Decision(lens, dict(kept), sum(not r.winner for r in rankings), out)
    return found
