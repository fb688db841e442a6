"""Two stores compared: which verdicts changed, and which numbers moved by more than their noise.

Every metric of every cell that both stores have is held against itself:

    z = (mean_new - mean_old) / sqrt(s_new^2 / n_new + s_old^2 / n_old)

with Welch's p-value and Holm's correction over all of them. Seeds decide everything here, so the
same code gives the same numbers; how many values came out the same is counted too. Times are not
compared: they belong to a machine and an hour.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from benchmarks.judging import judge_all
from benchmarks.statistics import holm
from benchmarks.store import Store, StoredCell

CONFIDENCE = 0.99
# Compilers and processors round differently; what agrees to six digits has not changed.
SAME = 1e-6


@dataclass(frozen=True)
class Shift:
    """A metric of one cell in two stores; means with their standard errors, over finite values."""

    claim: str
    cell: str
    metric: str
    old: float
    new: float
    error: float  # of the difference
    p: float
    p_holm: float = math.nan

    @property
    def in_errors(self) -> float:
        """The shift in standard errors; infinite where nothing scatters, and yet it moved."""
        difference = self.new - self.old
        return difference / self.error if self.error else math.copysign(math.inf, difference)


@dataclass(frozen=True)
class Changes:
    """What differs between two stores.

    Args:
        verdicts: (hypothesis, before, after), where "absent" stands for a store that lacks it.
        specifications: claims whose specification is another.
        only_old, only_new: claims with results in one store alone.
        shifts: metrics that moved beyond noise, largest first.
        compared: metrics of cells that both stores have.
        values, same: single values with the same seed in both, and how many of them agree.
    """

    verdicts: tuple[tuple[str, str, str], ...]
    specifications: tuple[str, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    shifts: tuple[Shift, ...]
    compared: int
    values: int
    same: int

    def __bool__(self) -> bool:
        """Whether a verdict or a number changed."""
        return bool(self.verdicts or self.shifts)


def changes(old: Store, new: Store, device: str = "cpu") -> Changes:
    """Compare what two stores have in common; nothing is pooled."""
    before, after = ({s.claim: s for s in store.specifications()} for store in (old, new))
    cells = [
        {claim: held for claim in specs if (held := store.cells(claim, device))}
        for specs, store in ((before, old), (after, new))
    ]
    have = [set(by_claim) for by_claim in cells]
    shifts: list[Shift] = []
    compared = values = same = 0
    for claim in sorted(have[0] & have[1]):
        for first, second in _pairs(cells[0][claim], cells[1][claim]):
            for metric in (m for m in first.metrics if m in second.metrics):
                compared += 1
                a, b = _common(first, second, metric)
                values += len(a)
                same += int(_alike(a, b).sum())
                if (shift := _shift(claim, first, second, metric)) is not None:
                    shifts.append(shift)
    adjusted = holm([s.p for s in shifts] + [1.0] * (compared - len(shifts)))
    found = [replace(s, p_holm=p) for s, p in zip(shifts, adjusted, strict=False)]
    found = [s for s in found if s.p_holm < 1 - CONFIDENCE]
    return Changes(
        tuple(_verdicts(old, new, device)),
        tuple(sorted(c for c in have[0] & have[1] if before[c].hash != after[c].hash)),
        tuple(sorted(have[0] - have[1])),
        tuple(sorted(have[1] - have[0])),
        tuple(sorted(found, key=lambda s: -abs(s.in_errors))),
        compared, values, same,
    )  # fmt: skip


def _pairs(old: Sequence[StoredCell], new: Sequence[StoredCell]) -> Iterator[tuple]:
    """Finished cells with the same levels and the same budget."""

    def key(cell):
        return sorted(cell.factors.items(), key=str), sorted(cell.budget.items(), key=str)

    finished = [cell for cell in new if cell.status == "done"]
    for cell in old:
        for other in finished:
            if cell.status == "done" and key(cell) == key(other):
                yield cell, other


def _common(first: StoredCell, second: StoredCell, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Values of the seeds that both have."""
    a, b = (dict(zip(c.seeds, c.metrics[metric], strict=True)) for c in (first, second))
    seeds = sorted(a.keys() & b.keys())
    return np.array([a[s] for s in seeds], float), np.array([b[s] for s in seeds], float)


def _alike(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.isclose(a, b, rtol=SAME, atol=0, equal_nan=True)


def _shift(claim: str, first: StoredCell, second: StoredCell, metric: str) -> Shift | None:
    """How far a metric moved, or None where it did not, or cannot be compared."""
    a, b = (np.asarray(c.metrics[metric], float)[~c.diverged] for c in (first, second))
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if not len(a) or not len(b) or _alike(a.mean(), b.mean()):
        return None
    spread = [v.var(ddof=1) / len(v) if len(v) > 1 else 0.0 for v in (a, b)]
    error = math.sqrt(sum(spread))
    if error == 0:  # both are exact, and differ
        p = 0.0
    else:
        dof = error**4 / sum(s**2 / (len(v) - 1) for s, v in zip(spread, (a, b), strict=True) if s)
        p = float(2 * stats.t.sf(abs(b.mean() - a.mean()) / error, dof))
    return Shift(claim, first.label, metric, float(a.mean()), float(b.mean()), error, p)


def _verdicts(old: Store, new: Store, device: str) -> Iterator[tuple[str, str, str]]:
    """Hypotheses whose verdict is another, of claims that both stores have."""
    outcomes = [
        {j.hypothesis.id: (j.claim, j.verdict.outcome if j.verdict else "not judged")
         for j in judge_all(store, device)}
        for store in (old, new)
    ]  # fmt: skip
    claims = [{claim for claim, _ in found.values()} for found in outcomes]
    for name in sorted(outcomes[0].keys() | outcomes[1].keys()):
        claim = (outcomes[0].get(name) or outcomes[1][name])[0]
        before, after = (found.get(name, ("", "absent"))[1] for found in outcomes)
        if before != after and claim in claims[0] & claims[1]:
            yield name, before, after
