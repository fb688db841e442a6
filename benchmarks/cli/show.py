"""`show C12`: one claim on the terminal, from the store alone."""

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import lecture
from benchmarks.cli.messages import BadUsage, unknown
from benchmarks.cli.tables import table
from benchmarks.store import Store, StoreError
from benchmarks.verdicts import number


def show(claim: str, path: Path, device: str, console: Console) -> int:
    """Print verdicts, rules in words, and the cells of a claim."""
    from benchmarks.devices import KNOWN

    if device not in KNOWN:
        raise BadUsage(f"--device must be one of {', '.join(KNOWN)}, received {device!r}")
    try:
        store = Store.read(path)
    except StoreError as error:
        raise BadUsage(str(error)) from error
    with store:
        stored = {s.claim.upper(): s for s in store.specifications()}
        if claim.upper() not in stored:
            if claim.upper() in lecture.CLAIMS:
                console.print(f"{claim.upper()} is not in {path}; run it with --only {claim}")
                return 1
            raise unknown("claim", claim, [s.claim for s in stored.values()])
        specification = stored[claim.upper()]
        name = specification.claim
        title = specification.json["title"] or lecture.title_of(name)
        console.print(f"{name}  {title}", style="bold", markup=False)
        cells = store.cells(name, device)
        if specification.kind == "experiment":
            _print_verdicts(store, name, device, console)
        console.print(_cell_table(cells, specification.json["metrics"], device))
        for cell in cells:
            if cell.reason:
                console.print(
                    f"failed: {cell.label}: {cell.reason}",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
    return 0


def _print_verdicts(store: Store, claim: str, device: str, console: Console) -> None:
    from benchmarks.judging import judge_all

    for j in judge_all(store, device):
        if j.claim != claim:
            continue
        outcome = j.verdict.outcome if j.verdict else f"not judged: {j.reason}"
        lines = [f"\n{j.hypothesis.id} ({j.hypothesis.kind}): {outcome}"]
        lines += [f"  {j.hypothesis.statement}", f"  Rule: {j.rule_in_words}"]
        if j.verdict:
            lines.append(f"  Found: {j.verdict.sentence}")
            if j.verdict.p_holm is not None:
                lines.append(f"  p = {j.verdict.p:.2g}, after Holm {j.verdict.p_holm:.2g}")
            lines += [f"  Mutant {n!r}: {o}. {s}" for n, o, s in j.verdict.mutants]
        console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


def _cell_table(cells, metrics, device: str) -> Table:
    """Means over the seeds that did not diverge."""
    rows = table("cell", "seeds", "diverged", *metrics, "seconds", title=f"Means on the {device}")
    for cell in cells:
        if cell.status == "failed":
            rows.add_row(cell.label, "failed")
            continue
        kept = ~cell.diverged
        means = [
            number(float(np.mean(cell.metrics[m][kept])))
            if kept.any() and m in cell.metrics  # a partial metric has its own cells
            else "-"
            for m in metrics
        ]
        rows.add_row(
            cell.label, str(len(cell.seeds)), str(int(cell.diverged.sum())), *means,
            f"{cell.compile_seconds + cell.run_seconds:.1f}",
        )  # fmt: skip
    return rows
