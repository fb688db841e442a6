"""Everything that was measured, in one SQLite file. No TensorFlow.

A trial is keyed by the content hash of its specification, cell, code version and seed, so what is
in the store is never computed again, and stores of several machines merge. The specification lies
beside its trials: verdicts and pages need this file alone. A cell is one transaction: a process
killed at any moment leaves a store that opens.
"""

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import groupby, product
from pathlib import Path

import numpy as np

from benchmarks import store_file
from benchmarks.experiment import Cell, Comparison, Experiment, Measurements, spec_hash, to_json
from benchmarks.store_file import StoreError
from benchmarks.store_format import (
    canonical,
    cell_key,
    pack_arrays,
    pack_curves,
    pack_metrics,
    scale_of,
    trial_key,
    unpack_arrays,
    unpack_curve,
    unpack_factors,
    unpack_metrics,
)

__all__ = ["Broken", "Run", "Store", "StoreError", "StoredCell", "StoredSpecification"]


@dataclass(frozen=True)
class StoredSpecification:
    """An experiment or comparison as it was when it ran; `json` is `experiment.to_json` of it."""

    claim: str
    kind: str  # "experiment" or "comparison"
    json: dict
    hash: str
    code_version: str
    file: str
    source: dict[str, str]  # dotted name of a component -> excerpt of its source
    created: str


@dataclass(frozen=True)
class Run:
    """One call of the runner. `finished` and `seconds` are None for one that was cut off."""

    id: int
    started: str
    finished: str | None
    profile: str
    command: str
    environment: dict
    seconds: float | None


@dataclass(frozen=True)
class Broken:
    """An experiment file that could not be loaded."""

    file: str
    line: int | None
    message: str


@dataclass(frozen=True)
class StoredCell:
    """All finished trials of a cell, or why there are none.

    A cell that ran in several batches (more seeds later) is joined; its seconds are added.
    """

    factors: dict
    budget: dict
    device: str
    status: str  # "done" or "failed"
    code_version: str
    profile: str
    run_id: int
    created: str
    reason: str = ""
    attempts: int = 0
    seeds: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    metrics: dict[str, np.ndarray] = field(default_factory=dict)
    diverged: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    diverged_at: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    compile_seconds: float = 0.0
    run_seconds: float = 0.0
    _shared: bytes | None = field(default=None, repr=False)
    _arrays: bytes | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """The factors in one line, for people."""
        return ", ".join(f"{k}={v}" for k, v in self.factors.items()) or "(single cell)"

    @cached_property
    def _curve_arrays(self) -> dict[str, dict[str, np.ndarray]]:
        return _split_shared(self._shared)

    @property
    def axes(self) -> dict[str, np.ndarray]:
        """Name of a curve -> its x values."""
        return self._curve_arrays["axes"]

    @property
    def theory(self) -> dict[str, np.ndarray]:
        """Name of a curve -> what theory predicts."""
        return self._curve_arrays["theory"]

    @property
    def slide(self) -> dict[str, np.ndarray]:
        """Name of a curve -> what the slide predicts."""
        return self._curve_arrays["slide"]

    @cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """What a picture needs, of the newest batch; unpacked when first asked for."""
        return unpack_arrays(self._arrays)


class Store:
    """A results file. Writing is for the runner's main process alone; reading is for anyone."""

    def __init__(self, connection: sqlite3.Connection, path: Path):
        """Use `Store.open` or `Store.read`, which check the file first."""
        self._db = connection
        self.path = path
        self._as_of: tuple | None = None  # state of the file that `_known` was read from
        self._known: dict = {}

    @classmethod
    def open(cls, path, *, create: bool = False) -> "Store":
        """Open for writing; a file that is no store, or a newer one, is refused untouched."""
        return cls(store_file.connect_for_writing(Path(path), create), Path(path))

    @classmethod
    def read(cls, path) -> "Store":
        """Open for reading; works on a read-only file and beside a running writer."""
        return cls(store_file.connect_for_reading(Path(path)), Path(path))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- writing ------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise StoreError(
                f"cannot write {self.path}: {error}; what was stored before is kept"
            ) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self):
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def start_run(self, profile: str, command: str, environment: Mapping) -> int:
        """Note that a run begins, on what machine and with what libraries."""
        with self._transaction() as db:
            number = db.execute(
                "INSERT INTO runs (key, started, profile, command, environment) "
                "VALUES (?, ?, ?, ?, ?)",
                (uuid.uuid4().hex, _now(), profile, command, canonical(environment)),
            ).lastrowid
            assert number is not None  # an INSERT always has one
            return number

    def finish_run(self, run_id: int, seconds: float) -> None:
        """Note that a run came to its end."""
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET finished = ?, seconds = ? WHERE id = ?",
                (_now(), seconds, run_id),
            )

    def save_specification(
        self,
        spec: Experiment | Comparison,
        *,
        file: str,
        source: Mapping[str, str],
        code_version: str = "",
    ) -> None:
        """Keep the specification beside its trials, and mark it as the newest of its claim."""
        kind = "comparison" if isinstance(spec, Comparison) else "experiment"
        with self._transaction() as db:
            # The text keeps the order of factors and metrics, which figures follow.
            db.execute(
                "INSERT OR REPLACE INTO specifications VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    spec_hash(spec),
                    code_version,
                    spec.claim,
                    kind,
                    json.dumps(to_json(spec), ensure_ascii=False),
                    str(file),
                    json.dumps(dict(source), ensure_ascii=False),
                    _now(),
                ),
            )

    def save_broken(self, file: str, line: int | None, message: str) -> None:
        """Keep a file that could not be loaded, so that the report shows the gap."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO broken VALUES (?, ?, ?)", (str(file), line, message))

    def clear_broken(self) -> None:
        """Forget earlier broken files, before a new scan."""
        with self._transaction() as db:
            db.execute("DELETE FROM broken")

    def save_cell(
        self,
        spec_hash: str,
        cell: Cell,
        code_version: str,
        run_id: int,
        seeds,
        measurements: Measurements,
    ) -> None:
        """Store the trials of a cell in one transaction; trials it already has stay as they are."""
        scale = self._scale_of_run(run_id)
        key = cell_key(spec_hash, cell, code_version, scale)
        n = len(seeds)
        layout, blobs = pack_curves(measurements.curves, n)
        names = list(measurements.metrics)
        columns = np.stack([np.asarray(v, float) for v in measurements.metrics.values()], axis=1)
        diverged = np.zeros(n, bool) if measurements.diverged is None else measurements.diverged
        diverged_at = (
            np.full(n, -1) if measurements.diverged_at is None else measurements.diverged_at
        )
        shared = {
            f"{kind}/{name}": values
            for kind in ("axes", "theory", "slide")
            for name, values in getattr(measurements, kind).items()
        }
        with self._transaction() as db:
            batch = db.execute(
                "INSERT INTO batches (key, cell, spec_hash, code_version, factors, budget, device, "
                "scale, run, created, compile_seconds, run_seconds, curves, shared, arrays) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    uuid.uuid4().hex, key, spec_hash, code_version, _text(cell.factors),
                    _text(cell.budget), cell.device, scale, run_id, _now(),
                    float(measurements.compile_seconds), float(measurements.run_seconds),
                    json.dumps(layout), pack_arrays(shared), pack_arrays(measurements.arrays),
                ),
            ).lastrowid  # fmt: skip
            inserted = db.executemany(
                "INSERT OR IGNORE INTO trials VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        trial_key(key, seed), batch, int(seed), pack_metrics(names, row),
                        int(diverged[i]), int(diverged_at[i]), blobs[i],
                    )
                    for i, (seed, row) in enumerate(zip(seeds, columns.tolist(), strict=True))
                ],
            ).rowcount  # fmt: skip
            if not inserted:  # another run was faster
                db.execute("DELETE FROM batches WHERE id = ?", (batch,))
            db.execute("DELETE FROM failures WHERE cell = ?", (key,))

    def save_failure(
        self,
        spec_hash: str,
        cell: Cell,
        code_version: str,
        run_id: int,
        reason: str,
        attempts: int,
    ) -> None:
        """Keep why a cell has no numbers. Its seeds stay missing, so the next run tries again."""
        scale = self._scale_of_run(run_id)
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    cell_key(spec_hash, cell, code_version, scale), spec_hash, code_version,
                    _text(cell.factors), _text(cell.budget), cell.device, scale, run_id, _now(),
                    reason, attempts,
                ),
            )  # fmt: skip

    def _scale_of_run(self, run_id: int) -> str:
        row = self._db.execute("SELECT profile FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise ValueError(f"run_id must be one that start_run returned, received {run_id!r}")
        return scale_of(row[0])

    def missing_seeds(
        self, spec_hash: str, cell: Cell, code_version: str, seeds, profile: str = "lecture"
    ) -> list[int]:
        """Those of `seeds` that have no finished trial yet, in their order."""
        key = cell_key(spec_hash, cell, code_version, scale_of(profile))
        rows = self._rows(
            "SELECT seed FROM trials JOIN batches ON batches.id = batch WHERE cell = ?", key
        )
        done = {row[0] for row in rows}
        return [int(seed) for seed in seeds if int(seed) not in done]

    # --- reading ------------------------------------------------------------------------------

    def _rows(self, query: str, *values) -> list[tuple]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"cannot read {self.path}: {error}") from error

    def _remember(self, key: tuple, read: Callable) -> list:
        """What `read` gives, once until anyone writes: parsing many trials takes seconds."""
        as_of = (*self._rows("PRAGMA data_version"), self._db.total_changes)
        if as_of != self._as_of:
            self._as_of, self._known = as_of, {}
        if key not in self._known:
            self._known[key] = read()
        return list(self._known[key])

    def specifications(self, profile: str = "lecture") -> list[StoredSpecification]:
        """The newest of each claim, those with results of the profile's scale before others."""
        return self._remember((profile,), lambda: self._specifications(profile))

    def _specifications(self, profile: str) -> list[StoredSpecification]:
        rows = self._rows(
            "SELECT claim, kind, json, hash, code_version, file, source, created, "
            "  EXISTS (SELECT 1 FROM batches b WHERE b.spec_hash = s.hash "
            "    AND (s.code_version IN ('', b.code_version)) AND b.scale = ?1) OR "
            "  EXISTS (SELECT 1 FROM failures f WHERE f.spec_hash = s.hash "
            "    AND (s.code_version IN ('', f.code_version)) AND f.scale = ?1) AS has_results "
            "FROM specifications s ORDER BY claim, has_results DESC, created DESC, rowid DESC",
            scale_of(profile),
        )
        newest = [next(group) for _, group in groupby(rows, key=lambda row: row[0])]
        return [
            StoredSpecification(
                claim, kind, json.loads(text), digest, version, file, json.loads(source), created
            )
            for claim, kind, text, digest, version, file, source, created, _ in newest
        ]

    def specification(self, claim: str, profile: str = "lecture") -> StoredSpecification:
        """The newest specification of a claim; `KeyError` if the store has none."""
        for stored in self.specifications(profile):
            if stored.claim == claim:
                return stored
        raise KeyError(f"the store has no claim {claim!r}")

    def _batches(self, claim: str, device: str | None, profile: str) -> list[tuple[str, list]]:
        """Batches of each cell, oldest first, cells in the order of the factors' levels."""
        try:
            stored = self.specification(claim, profile)
        except KeyError:
            return []
        version = stored.code_version or self._newest_code_version(stored.hash, profile)
        select = (
            "SELECT {columns} FROM {table} WHERE spec_hash = ? AND code_version = ? AND scale = ? "
            "AND (?4 IS NULL OR device = ?4) ORDER BY created, rowid"
        )
        found = (stored.hash, version, scale_of(profile), device)
        done = self._rows(
            select.format(
                table="batches",
                columns="'done', cell, factors, budget, device, code_version, run, created, id, "
                "compile_seconds, run_seconds, curves, shared, arrays",
            ),
            *found,
        )
        failed = self._rows(
            select.format(
                table="failures",
                columns="'failed', cell, factors, budget, device, code_version, run, created, "
                "reason, attempts",
            ),
            *found,
        )
        grouped: dict[str, list] = {}
        for row in [*done, *failed]:
            grouped.setdefault(row[1], []).append(row)
        position = _positions(stored.json)
        return sorted(
            grouped.items(),
            key=lambda item: (position.get(_sorted(item[1][0][2]), len(position)), item[1][0][4]),
        )

    def _newest_code_version(self, spec_hash: str, profile: str) -> str:
        rows = self._rows(
            "SELECT code_version FROM (SELECT code_version, created FROM batches "
            "WHERE spec_hash = ?1 AND scale = ?2 UNION ALL SELECT code_version, created "
            "FROM failures WHERE spec_hash = ?1 AND scale = ?2) ORDER BY created DESC LIMIT 1",
            spec_hash, scale_of(profile),
        )  # fmt: skip
        return rows[0][0] if rows else ""

    def cells(
        self, claim: str, device: str | None = None, profile: str = "lecture"
    ) -> list[StoredCell]:
        """Cells of the newest specification and code version. Smoke runs only by name."""
        found = self._remember((profile, claim), lambda: self._cells(claim, profile))
        return [cell for cell in found if device in (None, cell.device)]

    def _cells(self, claim: str, profile: str) -> list[StoredCell]:
        profiles = dict(self._rows("SELECT id, profile FROM runs"))
        return [self._cell(rows, profiles) for _, rows in self._batches(claim, None, profile)]

    def _cell(self, rows: list[tuple], profiles: Mapping[int, str]) -> StoredCell:
        done = [row for row in rows if row[0] == "done"]
        failure = next((row for row in rows if row[0] == "failed"), None)
        newest = done[-1] if done else rows[-1]
        _, _, factors, budget, device, version, run, created, *rest = newest
        common = dict(
            factors=unpack_factors(factors),
            budget=unpack_factors(budget),
            device=device,
            code_version=version,
            profile=profiles.get(run, ""),
            run_id=run,
            created=created,
            reason=failure[8] if failure else "",
            attempts=failure[9] if failure else 0,
        )
        if not done:
            return StoredCell(status="failed", **common)
        marks = ",".join("?" * len(done))
        trials = self._rows(
            f"SELECT seed, metrics, diverged, diverged_at FROM trials WHERE batch IN ({marks}) "
            "ORDER BY seed",
            *(row[8] for row in done),
        )
        metrics = [unpack_metrics(row[1]) for row in trials]
        return StoredCell(
            status="done",
            seeds=np.array([row[0] for row in trials], np.int64),
            metrics={name: np.array([m[name] for m in metrics]) for name in metrics[0]},
            diverged=np.array([row[2] for row in trials], bool),
            diverged_at=np.array([row[3] for row in trials], np.int64),
            compile_seconds=sum(row[9] for row in done),
            run_seconds=sum(row[10] for row in done),
            _shared=rest[4],
            _arrays=rest[5],
            **common,
        )

    def results(self, claim: str, device: str = "cpu", profile: str = "lecture"):
        """Finished trials as the rules see them: `verdicts.Results`."""
        from benchmarks.verdicts import CellResult, Results  # SciPy, which writing does not need

        return Results(
            tuple(
                CellResult(c.factors, c.seeds, c.metrics, c.diverged)
                for c in self.cells(claim, device, profile)
                if c.status == "done"
            )
        )

    def curves(
        self, claim: str, name: str, device: str = "cpu", profile: str = "lecture"
    ) -> list[tuple]:
        """One `(factors, axis, values, theory, slide)` a cell; values `(seeds, points)`.

        Seeds are in the order of `StoredCell.seeds`. If a later batch has another number of
        points, the earlier ones are left out: they cannot be drawn over the same axis.
        """
        out = []
        for _, rows in self._batches(claim, device, profile):
            parts: list[np.ndarray] = []
            seeds: list[int] = []
            shared = _split_shared(None)
            for row in rows:
                if row[0] != "done":
                    continue
                layout = json.loads(row[11])
                if name not in dict(layout):
                    continue
                trials = self._rows("SELECT seed, curves FROM trials WHERE batch = ?", row[8])
                values = unpack_curve(layout, [blob for _, blob in trials], name)
                if parts and parts[0].shape[1] != values.shape[1]:
                    parts, seeds = [], []
                parts.append(values)
                seeds += [seed for seed, _ in trials]
                shared = _split_shared(row[12])
            if parts:
                values = np.concatenate(parts)[np.argsort(seeds)]
                axis = shared["axes"].get(name, np.arange(values.shape[1]))
                theory, slide = shared["theory"].get(name), shared["slide"].get(name)
                out.append((unpack_factors(rows[0][2]), axis, values, theory, slide))
        return out

    def devices(self, claim: str, profile: str = "lecture") -> list[str]:
        """Devices on which the claim has finished or failed cells, the CPU first."""
        return sorted({rows[0][4] for _, rows in self._batches(claim, None, profile)})

    def broken(self) -> list[Broken]:
        """Files that could not be loaded in the last scan."""
        return [
            Broken(*row)
            for row in self._rows("SELECT file, line, message FROM broken ORDER BY file")
        ]

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        rows = self._rows(
            "SELECT id, started, finished, profile, command, environment, seconds FROM runs "
            "ORDER BY started, id"
        )
        return [
            Run(number, started, finished, profile, command, json.loads(text), seconds)
            for number, started, finished, profile, command, text, seconds in rows
        ]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _text(mapping: Mapping) -> str:
    """JSON in the order written: titles and legends follow it."""
    return json.dumps(to_json(mapping), ensure_ascii=False)


def _sorted(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True)


def _positions(spec: Mapping) -> dict[str, int]:
    """Factors of a cell -> its place in the product of the levels."""
    factors = spec.get("factors")
    if factors is None:  # a comparison
        factors = dict(spec.get("settings", {})) | dict((spec["contender"], spec["tuning"]))
    combinations = product(*factors.values())
    return {
        json.dumps(dict(zip(factors, levels, strict=True)), sort_keys=True): i
        for i, levels in enumerate(combinations)
    }


def _split_shared(blob: bytes | None) -> dict[str, dict[str, np.ndarray]]:
    out: dict[str, dict[str, np.ndarray]] = {"axes": {}, "theory": {}, "slide": {}}
    for key, values in unpack_arrays(blob).items():
        kind, name = key.split("/", 1)
        out[kind][name] = values
    return out
