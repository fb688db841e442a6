"""The table at the end of a run: claim, hypothesis, verdict, time."""

from collections.abc import Iterable

from rich.table import Table

from benchmarks.cli.tables import table
from benchmarks.store import Store
from benchmarks.verdicts import REFUTED, SUPPORTED, UNDECIDED

STYLES = {SUPPORTED: "green", REFUTED: "red", UNDECIDED: "yellow"}


def verdict_table(store: Store, profile: str, claims: Iterable[str], device: str) -> Table:
    """One row a hypothesis; a smoke run judges nothing and gets a row a claim."""
    from benchmarks.judging import judge_all

    judgments = [] if profile == "smoke" else judge_all(store, device)
    out = table("claim", "hypothesis", "verdict", "cells", "seconds", title=f"On the {device}")
    for claim in claims:
        cells = store.cells(claim, device, profile)
        failed = sum(cell.status == "failed" for cell in cells)
        count = f"{len(cells)}" + (f", {failed} failed" if failed else "")
        seconds = f"{sum(c.compile_seconds + c.run_seconds for c in cells):.1f}"
        rows = [(j.hypothesis.id, _outcome(j)) for j in judgments if j.claim == claim]
        for i, (hypothesis, outcome) in enumerate(rows or [("", "not judged")]):
            # Only the first row carries what holds for the claim as a whole.
            out.add_row(
                claim if i == 0 else "", hypothesis, outcome,
                *((count, seconds) if i == 0 else ("", "")),
            )  # fmt: skip
    return out


def _outcome(judgment) -> str:
    if judgment.verdict is None:
        return f"not judged: {judgment.reason}"
    outcome = judgment.verdict.outcome
    return f"[{STYLES[outcome]}]{outcome}[/]"
