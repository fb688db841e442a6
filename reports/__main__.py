"""`python -m reports build`: the page, from one or several stores."""

import time
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def main() -> None:
    """Shows what the store holds."""


@app.command()
def build(
    store: Annotated[
        list[Path] | None, typer.Option(help="A results file; may be given several times.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that is written.")] = Path("reports/out"),
    baseline: Annotated[
        Path | None, typer.Option(help="An earlier results file: the page says what changed.")
    ] = None,
    speed: Annotated[
        Path | None,
        typer.Option(help="Speed tables. Default: those beside the store, results.speed.json."),
    ] = None,
) -> None:
    """Judge what the stores hold and write index.html, claims.json and figures."""
    # Imported here so that --help answers at once: drawing takes seconds to load.
    from rich.console import Console
    from rich.table import Table

    from benchmarks.store import StoreError
    from reports.load import STATES
    from reports.page import build as build_page
    from reports.speed import SpeedError

    start = time.perf_counter()
    try:
        built = build_page(store or [Path("results.sqlite")], out, baseline, speed)
    except (StoreError, SpeedError, OSError) as error:
        typer.echo(str(error).splitlines()[0], err=True)
        raise typer.Exit(2) from None
    console = Console(width=None)
    table = Table("claim", "verdict", "as stated", "as corrected", "title", box=None)
    for claim in built.report.claims:
        if claim.cells or claim.problems:
            kinds = [(claim.state_of(k) or "").lower() for k in ("as stated", "as corrected")]
            table.add_row(claim.claim, claim.state, *kinds, claim.title)
    console.print(table)
    counts = {s: sum(c.state == s for c in built.report.claims) for s in STATES}
    typer.echo(", ".join(f"{n} {state.lower()}" for state, n in counts.items() if n))
    for warning in built.warnings:
        typer.echo(f"warning: {warning}", err=True)
    took = time.perf_counter() - start
    typer.echo(f"{built.path} ({built.size / 1000:.0f} kB, {built.figures} figures, {took:.1f} s)")


@app.command()
def slides(
    only: Annotated[
        list[str] | None, typer.Option(help="Claims by glob, e.g. 'C1*'. Default: all.")
    ] = None,
    store: Annotated[
        list[Path] | None, typer.Option(help="A results file; may be given several times.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("reports/out/slides.html"),
    title: Annotated[str, typer.Option(help="Title of the first slide.")] = "Deep Learning Basics",
) -> None:
    """Write chosen claims as a slide deck: one HTML file that needs nothing else."""
    from benchmarks.store import StoreError
    from reports.slides import NothingToShow, deck

    try:
        path, count = deck(store or [Path("results.sqlite")], out, only or [], title)
    except (StoreError, OSError, NothingToShow) as error:
        typer.echo(str(error).splitlines()[0], err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{path} ({path.stat().st_size / 1000:.0f} kB, {count} claims)")


if __name__ == "__main__":
    app()
