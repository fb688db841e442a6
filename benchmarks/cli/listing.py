"""`list`: what there is to run."""

import json
from pathlib import Path

from rich.console import Console

from benchmarks.cli import select
from benchmarks.cli.tables import table
from benchmarks.experiment import Comparison


def list_experiments(folder: Path | None, as_json: bool, console: Console) -> int:
    """Print every experiment, as a table or as JSON; broken files too."""
    found, broken = select.experiments(folder)
    if as_json:
        print(
            json.dumps(
                {
                    "experiments": [_as_json(f) for f in found],
                    "broken": [vars(b) for b in broken],
                },
                indent=2,
                ensure_ascii=False,
            )
        )
    else:
        rows = table("claim", "title", "lens", "hypotheses", "cells", "seeds", "figures")
        for f in found:
            row = _as_json(f)
            hypotheses = ", ".join(h["id"] for h in row["hypotheses"])
            rows.add_row(
                f.claim, f.spec.heading, row["lens"] or "all three", hypotheses,
                str(row["cells"]), str(row["seeds"]), ", ".join(row["figures"]),
            )  # fmt: skip
        console.print(rows)
        print_broken(broken, console)
    return 1 if broken else 0


def _as_json(found) -> dict:
    spec = found.spec
    comparison = isinstance(spec, Comparison)
    return {
        "claim": spec.claim,
        "kind": "comparison" if comparison else "experiment",
        "title": spec.heading,
        "section": None if comparison else spec.section,
        "lens": None if comparison else spec.lens,
        "hypotheses": []
        if comparison
        else [{"id": h.id, "kind": h.kind, "statement": h.statement} for h in spec.hypotheses],
        "figures": [] if comparison else list(spec.figures),
        "cells": len(spec.cells()),
        "seeds": spec.seeds,
        "file": found.file,
    }


def print_broken(broken, console: Console) -> None:
    """One line a file that could not be loaded."""
    for b in broken:
        where = b.file if b.line is None else f"{b.file}:{b.line}"
        console.print(
            f"broken: {where}: {b.message}", markup=False, highlight=False, soft_wrap=True
        )
