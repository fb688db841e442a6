"""The command line: `python -m benchmarks list | run | show | merge`.

Exit codes: 0 done, 1 some cells failed or files are broken, 2 bad usage, 130 stopped by Ctrl-C.
TensorFlow is imported by the workers alone, NumPy and SciPy by the commands that need them.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Run the experiments behind the lecture's claims and judge them.",
)

StoreOption = Annotated[Path, typer.Option("--store", help="The results file.")]
FolderOption = Annotated[
    Path | None,
    typer.Option("--experiments", help="Another folder of experiment files.", hidden=True),
]


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # said here because Typer leaves out what was typed
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


SeedsOption = Annotated[
    int | None,
    typer.Option(parser=_whole, metavar="INTEGER", help="Seeds a cell, instead of its own."),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(parser=_whole, metavar="INTEGER", help="Processes. Default: one a core."),
]
DEFAULT_STORE = Path("results.sqlite")


def _console():
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console.width = 10_000  # a pipe has no width: rows stay whole, for people and for grep
    return console


@app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    experiments: FolderOption = None,
):
    """List every experiment and comparison, and the files that cannot be loaded."""
    from benchmarks.cli.listing import list_experiments

    raise typer.Exit(list_experiments(experiments, as_json, _console()))


@app.command("run")
def run_command(
    profile: Annotated[
        str, typer.Option(help="smoke (2 seeds, tiny budget), lecture, or deep (4 x the seeds).")
    ] = "lecture",
    only: Annotated[
        list[str] | None, typer.Option(help="Claims by glob, e.g. 'C1*' or 'compare.*'.")
    ] = None,
    devices: Annotated[
        str | None, typer.Option(help="cpu, gpu or cpu,gpu. Default: all that there are.")
    ] = None,
    seeds: SeedsOption = None,
    workers: WorkersOption = None,
    store: StoreOption = DEFAULT_STORE,
    experiments: FolderOption = None,
    null: Annotated[
        bool, typer.Option("--null", help="Compare every level with itself, to count false alarms.")
    ] = False,
):
    """Compute what the store lacks, and judge. A run that was cut off goes on where it stopped."""
    from benchmarks.cli.run import Options, run

    options = Options(profile, tuple(only or ()), devices, seeds, workers, store, experiments, null)
    raise typer.Exit(run(options, _console()))


@app.command("show")
def show_command(
    claim: Annotated[str, typer.Argument(help="A claim of the store, e.g. C12.")],
    device: Annotated[str, typer.Option(help="cpu or gpu.")] = "cpu",
    store: StoreOption = DEFAULT_STORE,
):
    """Show one claim: verdicts, rules in words, cells."""
    from benchmarks.cli.show import show

    raise typer.Exit(show(claim, store, device, _console()))


@app.command("compare")
def compare_command(
    old: Annotated[Path, typer.Argument(help="A results file.")],
    new: Annotated[Path, typer.Argument(help="A later one.")],
    device: Annotated[str, typer.Option(help="cpu or gpu.")] = "cpu",
):
    """Say what changed between two stores, beyond noise. Exit code 1 if anything did."""
    from benchmarks.cli.compare import compare

    raise typer.Exit(compare(old, new, device, _console()))


@app.command("merge")
def merge_command(
    stores: Annotated[list[Path], typer.Argument(help="Results files.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
):
    """Join the stores of several machines into a new file."""
    from benchmarks.cli.messages import BadUsage
    from benchmarks.merge import merge
    from benchmarks.store import StoreError

    try:
        merge(stores, output)
    except StoreError as error:
        raise BadUsage(str(error)) from error


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; whatever goes wrong is one line on stderr."""
    # Typer carries its own copy of Click; BadParameter leads to the class of all usage errors.
    click_error: Any = typer.BadParameter.__mro__[2]
    try:
        return app(args=arguments, prog_name="python -m benchmarks", standalone_mode=False) or 0
    except typer.Exit as done:
        return done.exit_code
    except click_error as error:
        if message := error.format_message():
            print(f"error: {' '.join(message.split())}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        print("stopped", file=sys.stderr)
        return 130
    except Exception as error:
        if type(error).__name__ not in ("BadUsage", "StoreError"):  # not imported: NumPy is slow
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2 if type(error).__name__ == "BadUsage" else 1


if __name__ == "__main__":
    sys.exit(main())
