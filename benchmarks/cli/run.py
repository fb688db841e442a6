"""`run`: compute what the store lacks, store each cell as it finishes, judge."""

import signal
import time
from collections.abc import Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from benchmarks.cli import select
from benchmarks.cli.listing import print_broken
from benchmarks.cli.messages import BadUsage, counted, unknown
from benchmarks.cli.progress import RunProgress
from benchmarks.environment import cores, environment
from benchmarks.null import comparisons, null_path, plan_null
from benchmarks.plan import PROFILES, Task, plan
from benchmarks.pool import Outcome, Pool
from benchmarks.store import Store, StoreError

INTERRUPTED = 130  # the shell's code for a command ended by Ctrl-C: 128 + SIGINT


@dataclass(frozen=True)
class Options:
    """The options of `run`, as typed."""

    profile: str = "lecture"
    only: Sequence[str] = ()
    devices: str | None = None
    seeds: int | None = None
    workers: int | None = None
    store: Path = Path("results.sqlite")
    experiments: Path | None = None
    null: bool = False

    @property
    def command(self) -> str:
        """The call as the store keeps it: without paths, which tell about their owner."""
        parts = ["run", "--profile", self.profile]
        for glob in self.only:
            parts += ["--only", glob]
        for name in ("devices", "seeds", "workers"):
            value = getattr(self, name)
            if value is not None:
                parts += [f"--{name}", str(value)]
        if self.null:
            parts.append("--null")
        return " ".join(parts)


def run(options: Options, console: Console) -> int:
    """Run, and return the exit code."""
    if options.profile not in PROFILES:
        raise unknown("profile", options.profile, PROFILES)
    for name in ("seeds", "workers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise BadUsage(f"--{name} must be at least 1, received {value}")
    found, broken = select.experiments(options.experiments)
    chosen = select.matching(found, options.only, broken)
    devices = select.devices(options.devices)
    if options.null:
        if options.seeds is not None:
            raise BadUsage(
                f"--null takes twice an experiment's seeds, received --seeds {options.seeds}"
            )
        chosen = [f for f in chosen if any(comparisons(getattr(f.spec, "hypotheses", ())))]
    path = null_path(options.store) if options.null else options.store
    try:
        store = Store.open(path, create=True)
    except StoreError as error:
        raise BadUsage(str(error)) from error
    with store:
        started = time.perf_counter()
        run_id = store.start_run(options.profile, options.command, environment())
        store.clear_broken()
        for b in broken:
            store.save_broken(b.file, b.line, b.message)
        for f in chosen:
            store.save_specification(
                f.spec, file=f.file, source=f.source, code_version=f.code_version
            )
        if options.null:
            tasks, stored = plan_null(chosen, store, options.profile, devices)
        else:
            tasks, stored = plan(chosen, store, options.profile, devices, options.seeds)
        workers = {"cpu": options.workers or cores(), "gpu": 1}
        workers = {device: min(workers[device], max(1, len(tasks))) for device in devices}
        console.print(
            f"{counted(len(chosen), 'experiment')}, {counted(len(tasks), 'cell')} to run, "
            f"{stored} in the store already"
        )
        finished, failures, stopped = _execute(tasks, workers, store, run_id, console)
        store.finish_run(run_id, time.perf_counter() - started)
        if not stopped and options.null:
            from benchmarks.cli.null_table import null_table

            for device in devices:
                console.print(null_table(chosen, store, options.profile, device))
        elif not stopped:
            _report(store, options.profile, [f.claim for f in chosen], devices, console)
        print_broken(broken, console)
        for label, reason in failures:
            console.print(
                f"failed: {label}: {reason}", markup=False, highlight=False, soft_wrap=True
            )
        if stopped:
            console.print(
                f"stopped: {counted(finished, 'cell')} stored, {len(tasks) - finished} left; "
                "the same command goes on from here"
            )
            return INTERRUPTED
    return 1 if failures or broken else 0


def _execute(tasks: list[Task], workers, store: Store, run_id: int, console: Console):
    finished, failures = 0, []
    with _stop_on_signal() as stop, RunProgress(len(tasks), console) as progress:
        pool = Pool(workers, stop=stop, tick=progress.running)
        # Closed by name: after an error here, no worker may outlive this block.
        with closing(pool.run(tasks)) as outcomes:
            for outcome in outcomes:
                reason = _keep(outcome, store, run_id)
                if reason:
                    failures.append((outcome.task.label, reason))
                else:
                    finished += 1
                progress.finished(replace(outcome, reason=reason))
        return finished, failures, stop()


def _keep(outcome: Outcome, store: Store, run_id: int) -> str:
    """Store a cell's numbers, or the reason why there are none; the reason is returned."""
    task = outcome.task
    place = (task.found.hash, task.cell, task.found.code_version, run_id)
    reason = outcome.reason
    if outcome.measurements is not None:
        try:
            store.save_cell(*place, task.seeds, outcome.measurements)
        except (TypeError, ValueError) as error:  # arrays that the file format does not hold
            reason = f"cannot store the measurements: {error}"
    if reason:
        store.save_failure(*place, reason, outcome.attempts)
    return reason


@contextmanager
def _stop_on_signal():
    """The first Ctrl-C lets what is finished be stored; the second one ends at once."""
    stopped = []

    def ask(number, frame):
        if stopped:
            raise KeyboardInterrupt
        stopped.append(number)

    before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(stopped)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(store: Store, profile: str, claims, devices, console: Console) -> None:
    from benchmarks.cli.verdict_table import verdict_table

    for device in devices:
        console.print(verdict_table(store, profile, claims, device))
