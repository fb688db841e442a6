"""`compare OLD NEW`: what changed between two stores, beyond noise."""

from pathlib import Path

from rich.console import Console

from benchmarks.changes import CONFIDENCE, Changes, changes
from benchmarks.cli.messages import BadUsage
from benchmarks.cli.tables import table
from benchmarks.store import Store, StoreError
from benchmarks.verdicts import number

SHOWN = 40  # rows; the rest is counted


def compare(old: Path, new: Path, device: str, console: Console) -> int:
    """Print what changed; 1 if a verdict or a number did."""
    try:
        with Store.read(old) as first, Store.read(new) as second:
            found = changes(first, second, device)
    except StoreError as error:
        raise BadUsage(str(error)) from error
    console.print(summary(found), markup=False, highlight=False, soft_wrap=True)
    if found.verdicts:
        rows = table("hypothesis", "before", "after", title="Verdicts that changed")
        for row in found.verdicts:
            rows.add_row(*row)
        console.print(rows)
    if found.shifts:
        rows = table(
            "claim", "cell", "metric", "before", "after", "standard errors",
            title="Numbers that moved beyond noise",
        )  # fmt: skip
        for s in found.shifts[:SHOWN]:
            rows.add_row(
                s.claim, s.cell, s.metric, number(s.old), number(s.new), number(s.in_errors)
            )
        console.print(rows)
        if len(found.shifts) > SHOWN:
            console.print(f"and {len(found.shifts) - SHOWN} more")
    return 1 if found else 0


def summary(found: Changes) -> str:
    """The comparison in a few sentences."""
    lines = [
        f"{len(found.verdicts)} verdicts changed; {len(found.shifts)} of {found.compared} metrics "
        f"moved beyond noise (Welch, {CONFIDENCE:.0%} after Holm).",
        f"{found.same} of {found.values} values with the same seed are the same.",
    ]
    for words, claims in (
        ("Other specification", found.specifications),
        ("Only in the old store", found.only_old),
        ("Only in the new store", found.only_new),
    ):
        if claims:
            lines.append(f"{words}: {', '.join(claims)}.")
    return "\n".join(lines)
