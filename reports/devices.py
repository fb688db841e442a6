"""Where it ran: what each device cost, and whether two devices found the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.store import StoredCell
from reports.load import ClaimView, ComparisonView, Report


@dataclass(frozen=True)
class Cost:
    """All finished cells of one device.

    Args:
        device: "cpu" or "gpu".
        claims: how many claims and comparisons have a result there.
        cells: finished.
        compile_seconds: until programs were there, of all cells together.
        run_seconds: spent in them.
    """

    device: str
    claims: int
    cells: int
    compile_seconds: float
    run_seconds: float


@dataclass(frozen=True)
class Agreement:
    """One claim on two devices.

    Args:
        claim: its name.
        devices: first and second.
        verdicts: of both, in words.
        values: numbers that both have: same cell, seed and metric.
        same: how many of them are equal to the last bit.
        largest: difference of two such numbers, relative to the largest in cell and metric.
    """

    claim: str
    devices: tuple[str, str]
    verdicts: tuple[str, str]
    values: int
    same: int
    largest: float


def costs(report: Report) -> list[Cost]:
    """A row a device, in the order of their names."""
    found: dict[str, list[tuple[str, StoredCell]]] = {}
    for view in _stored(report):
        for cell in view.store.cells(view.claim) if view.store else ():
            if cell.status == "done":
                found.setdefault(cell.device, []).append((view.claim, cell))
    return [
        Cost(
            device,
            len({claim for claim, _ in cells}),
            len(cells),
            sum(cell.compile_seconds for _, cell in cells),
            sum(cell.run_seconds for _, cell in cells),
        )
        for device, cells in sorted(found.items())
    ]


def _stored(report: Report) -> Iterator[ClaimView | ComparisonView]:
    yield from (claim for claim in report.claims if claim.cells)
    yield from report.comparisons


def agreements(report: Report) -> list[Agreement]:
    """Every claim that ran on more than one device, against its first."""
    out = []
    for claim in report.claims:
        if not claim.other_devices or claim.store is None:
            continue
        cells = claim.store.cells(claim.claim)
        first = [c for c in cells if c.device == claim.device]
        said = ", ".join(f"{v.name}: {v.state.lower()}" for v in claim.hypotheses)
        for device, verdicts in claim.other_devices:
            second = [c for c in cells if c.device == device]
            numbers = compared(first, second)
            out.append(Agreement(claim.claim, (claim.device, device), (said, verdicts), *numbers))
    return out


def compared(first: Sequence[StoredCell], second: Sequence[StoredCell]) -> tuple[int, int, float]:
    """Numbers that both have, how many are equal, and the largest relative difference."""
    there = {tuple(sorted(c.factors.items(), key=str)): c for c in second if c.status == "done"}
    values, same, largest = 0, 0, 0.0
    for cell in first:
        other = there.get(tuple(sorted(cell.factors.items(), key=str)))
        if other is None or cell.status != "done":
            continue
        _, mine, theirs = np.intersect1d(cell.seeds, other.seeds, return_indices=True)
        for name in cell.metrics.keys() & other.metrics.keys():
            a, b = (np.asarray(v, float) for v in (cell.metrics[name], other.metrics[name]))
            a, b = a[mine], b[theirs]
            values += len(a)
            same += int(np.sum((a == b) | (np.isnan(a) & np.isnan(b))))
            both = np.isfinite(a) & np.isfinite(b)
            size = np.abs(np.concatenate([a[both], b[both]])).max(initial=0.0)
            if size:
                largest = max(largest, float(np.abs(a - b)[both].max() / size))
    return values, same, largest
