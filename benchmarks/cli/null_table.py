"""The table at the end of a null control: what was compared with itself, and what it found."""

from collections.abc import Iterable

from rich.table import Table

from benchmarks.cli.tables import table
from benchmarks.discover import Found
from benchmarks.null import most_allowed, null_control
from benchmarks.store import Store


def null_table(found: Iterable[Found], store: Store, profile: str, device: str) -> Table:
    """One row a comparison of a level with itself, and what their number allows."""
    results = [
        result
        for f in found
        for result in null_control(
            getattr(f.spec, "hypotheses", ()),
            store.results(f.claim, device, profile),
            f.spec.seeds,
        )
    ]
    positives = sum(r.found for r in results)
    expected = sum(r.rate for r in results)
    out = table(
        "hypothesis", "comparison", "values", "difference found", "may be found",
        title=f"Null control on the {device}: {positives} of {len(results)} comparisons found a "
        f"difference where there is none; {expected:.2g} expected, {most_allowed(results)} allowed",
    )  # fmt: skip
    for r in results:
        out.add_row(
            r.hypothesis, r.comparison, str(r.trials),
            "[red]yes[/]" if r.found else "no", f"{r.rate:.2g}",
        )  # fmt: skip
    return out
