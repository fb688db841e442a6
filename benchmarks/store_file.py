"""Opening a results file without ever harming one: every refusal happens before a byte is written.

The checks read through a read-only connection. Only a file that passed them, or a new one, is
opened for writing.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from benchmarks.store_format import APPLICATION, SCHEMA, VERSION

MAGIC = b"SQLite format 3\x00"
# Write-ahead logging needs memory shared by all processes at the file; these do not give it.
NETWORK_FILE_SYSTEMS = {
    "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "gpfs", "lustre", "nfs",
    "nfs4", "smb3", "smbfs",
}  # fmt: skip
DatabaseError = sqlite3.Error
BUSY_SECONDS = 30.0  # a writer waits this long for another one; a cell's transaction takes far less


class _Writer(sqlite3.Connection):
    """A connection that leaves one file behind: the store, without log and index beside it.

    The file goes back to the mode without a write-ahead log, since every reader of one with a log
    would make both again and, being read-only, could not remove them.
    """

    def close(self):
        """Fold the log into the file. Beside another process this waits for that one's close."""
        with suppress(sqlite3.Error):  # closed already, a full disk: the log keeps everything
            self.execute("PRAGMA busy_timeout = 0")
            self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self.execute("PRAGMA journal_mode = DELETE").fetchall()
        super().close()


class StoreError(Exception):
    """A store that cannot be used: one line says what is wrong and what to do."""


def connect_for_reading(path: Path) -> sqlite3.Connection:
    """A checked read-only connection."""
    _require_content(path)
    return _checked(path)


def connect_for_writing(path: Path, create: bool) -> sqlite3.Connection:
    """A checked connection in WAL mode; with `create`, a missing or empty file becomes a store."""
    kind = file_system(path)
    if kind in NETWORK_FILE_SYSTEMS:
        raise StoreError(
            f"{path} is on a network file system ({kind}), where SQLite's write-ahead log is not "
            "safe; choose a local --store and merge the stores of several machines later"
        )
    if not path.parent.is_dir():  # a typing error makes no folders
        raise StoreError(f"there is no folder {path.parent}; make it or choose another --store")
    fresh = not path.exists() or path.stat().st_size == 0
    if fresh and not create:
        _require_content(path)
    if not fresh:
        connection = _checked(path, may_be_empty=create)
        fresh = _is_empty(connection)
        connection.close()
        if not os.access(path, os.W_OK):
            raise StoreError(f"{path} is read-only; make it writable or choose another --store")
    try:
        # As a URI, so that `merge` may attach other stores by read-only ones.
        connection = sqlite3.connect(
            path.resolve().as_uri(),
            uri=True, timeout=BUSY_SECONDS, isolation_level=None, factory=_Writer,
        )  # fmt: skip
        connection.execute("PRAGMA journal_mode = WAL")
        # With a write-ahead log this survives a killed process; only a power cut may cost the
        # last cells, which are then computed again.
        connection.execute("PRAGMA synchronous = NORMAL")
        if fresh:
            _create(connection)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot write {path}: {error}; choose another --store") from error
    return connection


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if _is_empty(connection):  # else another process was faster
        for statement in SCHEMA.strip().rstrip(";").split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _require_content(path: Path) -> None:
    if not path.is_file():
        raise StoreError(f"there is no store at {path}; `python -m benchmarks run` writes one")
    if path.stat().st_size == 0:
        raise StoreError(f"{path} is empty; remove it, or let `python -m benchmarks run` fill it")


def _checked(path: Path, may_be_empty: bool = False) -> sqlite3.Connection:
    """A read-only connection to a file that is a sound store of a known version."""
    damaged = f"{path} is damaged; restore a copy, or move it away and run again"
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    if magic != MAGIC:
        raise StoreError(f"{path} is not a results store; choose another --store")
    connection = _connect_read_only(path)
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if may_be_empty and _is_empty(connection):
            return connection
        if application != APPLICATION:
            raise StoreError(f"{path} is not a results store; choose another --store")
        if version > VERSION:
            raise StoreError(
                f"{path} was written by a newer version (format {version}, this one knows "
                f"{VERSION}); update the checkout or choose another --store"
            )
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise StoreError(damaged)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{damaged} ({error})") from error
    except StoreError:
        connection.close()
        raise
    return connection


def _connect_read_only(path: Path) -> sqlite3.Connection:
    address = path.resolve().as_uri()
    connection = sqlite3.connect(
        f"{address}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None
    )
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # In a read-only folder the log's index cannot be made; without a log it is not needed.
        log = path.with_name(path.name + "-wal")
        if not log.exists() or log.stat().st_size == 0:
            connection.close()
            return sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True, isolation_level=None)
    except sqlite3.Error:
        pass  # damaged: the caller's first question says so
    return connection


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0


def file_system(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Type of the file system that holds `path`, or None where the kernel does not tell."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    target = path.absolute()
    best: tuple[int, str | None] = (-1, None)
    for line in lines:
        left, _, right = line.partition(" - ")
        point = Path(left.split()[4].replace("\\040", " "))
        # Of mounts at the same point the last one is on top.
        if target.is_relative_to(point) and len(point.parts) >= best[0]:
            best = (len(point.parts), right.split()[0])
    return best[1]
