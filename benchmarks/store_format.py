"""How results lie in the file: tables, keys, and numbers packed into blobs.

One row a trial. A trial's curves are one zlib-compressed float32 blob: against a row a step that
is several times faster and smaller. What all trials of a measured batch share (axes, theory,
pictures) is stored once, in an npz archive.
"""

import hashlib
import io
import json
import math
import zlib
from collections.abc import Mapping

import numpy as np

from benchmarks.experiment import Cell, to_json

APPLICATION = 0x444C4253  # "DLBS", in the SQLite header: tells a store from other databases
VERSION = 1  # of the tables below; a newer store is refused, never guessed at

SCHEMA = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, started TEXT NOT NULL, finished TEXT,
    profile TEXT NOT NULL, command TEXT NOT NULL, environment TEXT NOT NULL, seconds REAL);
CREATE TABLE specifications (
    hash TEXT NOT NULL, code_version TEXT NOT NULL, claim TEXT NOT NULL, kind TEXT NOT NULL,
    json TEXT NOT NULL, file TEXT NOT NULL, source TEXT NOT NULL, created TEXT NOT NULL,
    PRIMARY KEY (hash, code_version));
CREATE TABLE batches (
    id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, cell TEXT NOT NULL,
    spec_hash TEXT NOT NULL, code_version TEXT NOT NULL, factors TEXT NOT NULL,
    budget TEXT NOT NULL, device TEXT NOT NULL, scale TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES runs, created TEXT NOT NULL,
    compile_seconds REAL NOT NULL, run_seconds REAL NOT NULL,
    curves TEXT NOT NULL, shared BLOB, arrays BLOB);
CREATE INDEX batches_of_a_specification ON batches (spec_hash, code_version);
CREATE TABLE trials (
    key TEXT PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches, seed INTEGER NOT NULL,
    metrics TEXT NOT NULL, diverged INTEGER NOT NULL, diverged_at INTEGER NOT NULL,
    curves BLOB) WITHOUT ROWID;
CREATE INDEX trials_of_a_batch ON trials (batch);
CREATE TABLE failures (
    cell TEXT PRIMARY KEY, spec_hash TEXT NOT NULL, code_version TEXT NOT NULL,
    factors TEXT NOT NULL, budget TEXT NOT NULL, device TEXT NOT NULL, scale TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES runs, created TEXT NOT NULL, reason TEXT NOT NULL,
    attempts INTEGER NOT NULL);
CREATE TABLE broken (file TEXT PRIMARY KEY, line INTEGER, message TEXT NOT NULL);
"""


def scale_of(profile: str) -> str:
    """Trials of a smoke run never count as results, even where its budget is the full one."""
    return "smoke" if profile == "smoke" else "full"


def canonical(value) -> str:
    """JSON with sorted keys: equal content, equal text."""
    return json.dumps(to_json(value), sort_keys=True, ensure_ascii=False)


def cell_key(spec_hash: str, cell: Cell, code_version: str, scale: str) -> str:
    """Content hash of everything a cell's numbers depend on, but the seed."""
    text = canonical([spec_hash, cell.factors, cell.budget, cell.device, code_version, scale])
    return hashlib.sha256(text.encode()).hexdigest()


def trial_key(cell: str, seed: int) -> str:
    """Content hash of a trial."""
    return hashlib.sha256(f"{cell} {int(seed)}".encode()).hexdigest()


def pack_metrics(names: list[str], values: list[float]) -> str:
    """Strict JSON, which has no NaN: numbers that are not finite become strings."""
    plain = {n: v if math.isfinite(v) else str(v) for n, v in zip(names, values, strict=True)}
    return json.dumps(plain)


def unpack_metrics(text: str) -> dict[str, float]:
    """The inverse of `pack_metrics`."""
    return {name: float(value) for name, value in json.loads(text).items()}


def pack_curves(curves: Mapping[str, np.ndarray], seeds: int) -> tuple[list, list]:
    """The layout `[[name, points], ...]` and one blob a seed, the curves one after another."""
    if not curves:
        return [], [None] * seeds
    layout = [[name, int(np.shape(values)[1])] for name, values in curves.items()]
    rows = np.concatenate([np.asarray(v) for v in curves.values()], axis=1).astype("<f4")
    # Level 1: curves of noisy losses hardly compress further, at several times the cost.
    return layout, [zlib.compress(row.tobytes(), 1) for row in rows]


def unpack_curve(layout: list, blobs: list[bytes], name: str) -> np.ndarray:
    """One curve as `(seeds, points)`; `KeyError` if the layout has none of that name."""
    start = 0
    for known, points in layout:
        if known == name:
            rows = [np.frombuffer(zlib.decompress(b), "<f4")[start : start + points] for b in blobs]
            return np.stack(rows).astype(float)
        start += points
    raise KeyError(name)


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes | None:
    """Named arrays as one npz archive; None for none."""
    if not arrays:
        return None
    for name, values in arrays.items():
        if np.asarray(values).dtype.hasobject:  # would be pickled, which `unpack_arrays` refuses
            raise ValueError(f"array {name!r} must hold numbers or text, received objects")
    buffer = io.BytesIO()
    # The prefix keeps names such as "file" from meeting savez's own arguments.
    prefixed: dict = {f"/{name}": np.asarray(v) for name, v in arrays.items()}
    np.savez_compressed(buffer, **prefixed)
    return buffer.getvalue()


def unpack_arrays(blob: bytes | None) -> dict[str, np.ndarray]:
    """The inverse of `pack_arrays`. Pickled objects are refused: stores travel."""
    if blob is None:
        return {}
    with np.load(io.BytesIO(blob), allow_pickle=False) as archive:
        return {name.removeprefix("/"): archive[name] for name in archive.files}


def unpack_factors(text: str) -> dict:
    """Levels as they were: JSON turns tuples into lists."""
    return {k: _tuples(v) for k, v in json.loads(text).items()}


def _tuples(value):
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value
