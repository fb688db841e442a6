"""What is left to compute: cells x devices, with the seeds that the store does not have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.discover import Found
from benchmarks.experiment import Cell
from benchmarks.store import Store

PROFILES = ("smoke", "lecture", "deep")
SMOKE_SEEDS = 2  # enough to see that seeds differ and shapes hold
DEEP_FACTOR = 4  # four times the seeds: half the standard error


@dataclass(frozen=True)
class Task:
    """One cell with the seeds it lacks."""

    found: Found
    cell: Cell
    seeds: tuple[int, ...]

    @property
    def label(self) -> str:
        """Claim, device and factors in one line."""
        return f"{self.found.claim} {self.cell.device} {self.cell.label}"


def seeds_of(found: Found, profile: str, seeds: int | None = None) -> range:
    """The seeds of a profile: 0, 1, 2, ..., so that more of them extend the earlier ones."""
    if seeds is not None:
        return range(seeds)
    if profile == "smoke":
        return range(min(SMOKE_SEEDS, found.spec.seeds))
    return range(found.spec.seeds * (DEEP_FACTOR if profile == "deep" else 1))


def plan(
    experiments: Iterable[Found],
    store: Store,
    profile: str = "lecture",
    devices: Sequence[str] = ("cpu",),
    seeds: int | None = None,
) -> tuple[list[Task], int]:
    """The tasks left, and how many cells the store already has in full."""
    tasks, stored = [], 0
    for found in experiments:
        wanted = seeds_of(found, profile, seeds)
        digest = found.hash
        for device in devices:
            for cell in found.spec.cells(device, profile):
                missing = store.missing_seeds(digest, cell, found.code_version, wanted, profile)
                if missing:
                    tasks.append(Task(found, cell, tuple(missing)))
                else:
                    stored += 1
    return tasks, stored
