"""One JSON file for all speed tables, so that the report has one file to read.

{"components": {"environment": {...}, "rows": [...]}, "modes": ..., "training": ...}
"""

import json
import os
from pathlib import Path


def keep(file: Path, table: str, environment: dict, rows: list[dict]) -> None:
    """Writes one table; the file's other tables stay.

    Raises:
        SystemExit: there is a file that is none of ours.
    """
    tables = read(file) if file.exists() else {}
    tables[table] = {"environment": environment, "rows": rows}
    draft = file.with_name(file.name + ".draft")
    draft.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, file)  # whoever is stopped here leaves the old file


def read(file: Path) -> dict[str, dict]:
    """All tables of a file."""
    try:
        tables = json.loads(file.read_text(encoding="utf-8"))
        if all(
            isinstance(t, dict) and {"environment", "rows"} <= t.keys() for t in tables.values()
        ):
            return tables
    except (OSError, ValueError, AttributeError):
        pass
    raise SystemExit(f"--json: {file} is no file of speed tables; name another")


def writable(file: Path | None) -> Path | None:
    """The file, looked at before minutes of measuring are spent on it."""
    if file is not None:
        if not file.resolve().parent.is_dir():
            raise SystemExit(f"--json: there is no folder {file.resolve().parent}")
        if file.exists():
            read(file)
    return file
