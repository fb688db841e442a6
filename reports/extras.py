"""What stands on the page beside the claims: the null control, and what an earlier run had."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.changes import Changes, changes
from benchmarks.null import NullResult, most_allowed, null_controls, null_path
from benchmarks.store import Store
from reports.speed import SpeedTables, speed_path, speed_tables


@dataclass(frozen=True)
class Extras:
    """What stands beside the claims.

    Args:
        changes: what differs from an earlier store, if one was given.
        nulls: what the null control found, and how many false positives chance allows.
        speed: tables of how fast the library is, and how exact its classes are.
    """

    changes: Changes | None = None
    nulls: tuple[NullResult, ...] = ()
    allowed: int = 0
    speed: SpeedTables = SpeedTables()


def extras_of(stores: list[Store], baseline: Path | None, speed: Path | None = None) -> Extras:
    """The comparison with `baseline`, and what lies beside the first store: null control, speed."""
    found = None
    if baseline is not None:
        with Store.read(baseline) as old:
            found = changes(old, stores[0])
    beside = null_path(Path(stores[0].path))
    nulls: tuple[NullResult, ...] = ()
    if beside.exists():
        with Store.read(beside) as store:
            nulls = tuple(null_controls(store, "cpu"))
    beside = speed or speed_path(Path(stores[0].path))
    tables = speed_tables(beside) if speed or beside.exists() else SpeedTables()
    return Extras(found, nulls, most_allowed(nulls), tables)
