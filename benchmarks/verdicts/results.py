"""What rules see: the finished trials of one experiment, cell by cell."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


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
        """The cells whose factors have these values; a tuple or list allows any of its members."""
        kept = tuple(
            c for c in self.cells if all(allows(v, c.factors.get(k)) for k, v in where.items())
        )
        if not kept:
            raise MissingResults(f"no finished cell with {dict(where)}")
        return Results(kept)

    def levels(self, factor: str) -> list:
        """Levels of a factor, in order of appearance."""
        return list(dict.fromkeys(c.factors[factor] for c in self.cells))

    def values(self, metric: str) -> np.ndarray:
        """A metric over all trials of all cells."""
        return _finite(metric, np.concatenate([_measured(c, metric) for c in self.cells]))

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
                out.append(_measured(cell, metric)[at])
        first_values, second_values = (_finite(metric, np.concatenate(p)) for p in pairs)
        return first_values, second_values


class MissingResults(LookupError):
    """The store lacks what a rule needs; the verdict is withheld."""


def same(a, b) -> bool:
    """Equal levels, also after a journey through JSON, where keys become text."""
    return a == b or str(a) == str(b)


def allows(wanted, level) -> bool:
    """Whether a level is the one wanted, or among the several wanted."""
    many = isinstance(wanted, (tuple, list))
    return same(wanted, level) or (many and any(same(one, level) for one in wanted))


def _measured(cell: CellResult, metric: str) -> np.ndarray:
    """A rule that reads a partial metric where it was left out shall not pass by silence."""
    if metric not in cell.metrics:
        raise MissingResults(f"{dict(cell.factors)} has no {metric!r}")
    return cell.metrics[metric]


def _finite(metric: str, values: np.ndarray) -> np.ndarray:
    """A run that diverged has no such number, and leaving it out would favor who diverges."""
    gone = int(np.isnan(values).sum())
    if gone:
        raise MissingResults(f"{gone} of {len(values)} trials diverged and have no {metric!r}")
    return values
