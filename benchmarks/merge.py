"""Joins the stores of several machines, say a laptop's and a GPU box's, into a new one."""

import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks import store_file
from benchmarks.store import Store, StoreError

# A run's and a batch's number differ from store to store; their random keys do not.
STATEMENTS = (
    "INSERT OR IGNORE INTO runs (key, started, finished, profile, command, environment, seconds) "
    "SELECT key, started, finished, profile, command, environment, seconds FROM other.runs",
    "INSERT INTO specifications SELECT * FROM other.specifications WHERE true "
    "ON CONFLICT (hash, code_version) DO UPDATE SET created = max(created, excluded.created)",
    "INSERT OR IGNORE INTO batches (key, cell, spec_hash, code_version, factors, budget, device, "
    "scale, run, created, compile_seconds, run_seconds, curves, shared, arrays) "
    "SELECT b.key, cell, spec_hash, code_version, factors, budget, device, scale, mine.id, "
    "created, compile_seconds, run_seconds, curves, shared, arrays FROM other.batches b "
    "JOIN other.runs theirs ON theirs.id = b.run JOIN main.runs mine ON mine.key = theirs.key",
    "INSERT OR IGNORE INTO trials SELECT t.key, mine.id, seed, metrics, diverged, diverged_at, "
    "t.curves FROM other.trials t JOIN other.batches theirs ON theirs.id = t.batch "
    "JOIN main.batches mine ON mine.key = theirs.key",
    "INSERT OR IGNORE INTO failures SELECT cell, spec_hash, code_version, factors, budget, device, "
    "scale, mine.id, created, reason, attempts FROM other.failures f "
    "JOIN other.runs theirs ON theirs.id = f.run JOIN main.runs mine ON mine.key = theirs.key",
    "INSERT OR IGNORE INTO broken SELECT * FROM other.broken",
    # What failed on one machine and finished on another has finished; a batch whose trials were
    # all there already has nothing to tell.
    "DELETE FROM failures WHERE cell IN (SELECT cell FROM batches)",
    "DELETE FROM batches WHERE id NOT IN (SELECT batch FROM trials)",
)


def merge(paths: Sequence[Path], out: Path) -> None:
    """Write `out` from `paths`. It appears whole or not at all; an existing file is refused."""
    if out.exists():
        raise StoreError(f"{out} exists already; choose another name for -o")
    for path in paths:
        Store.read(path).close()  # refuses a damaged one before anything is written
    part = out.with_name(out.name + ".part")
    _remove(part)
    try:
        database = store_file.connect_for_writing(part, create=True)
        try:
            for path in paths:
                _take(database, path)
        finally:
            database.close()
        os.replace(part, out)
    finally:
        _remove(part)


def _take(database, path: Path) -> None:
    try:
        database.execute("ATTACH ? AS other", (f"{path.resolve().as_uri()}?mode=ro",))
        try:
            database.execute("BEGIN IMMEDIATE")
            for statement in STATEMENTS:
                database.execute(statement)
            database.execute("COMMIT")
        finally:
            if database.in_transaction:
                database.execute("ROLLBACK")
            database.execute("DETACH other")
    except store_file.DatabaseError as error:
        raise StoreError(f"cannot merge {path}: {error}") from error


def _remove(part: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        part.with_name(part.name + suffix).unlink(missing_ok=True)
