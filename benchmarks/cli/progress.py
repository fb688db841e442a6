"""How a run is going: a live bar on a terminal, one line a cell elsewhere."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.cli.messages import counted


class RunProgress(AbstractContextManager):
    """Counts cells done, running and failed."""

    def __init__(self, total: int, console: Console):
        self.total, self.console = total, console
        self.done = self.failed = 0
        self.started = time.perf_counter()
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.completed:.0f} of {task.total:.0f} cells"),
                BarColumn(),
                TextColumn("{task.fields[state]}"),
                TimeRemainingColumn(),
                console=console,
                transient=True,
            )
            self._task = self._bar.add_task("cells", total=total, state="")

    def __enter__(self):
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_):
        if self._bar:
            self._bar.stop()

    def running(self, tasks: Sequence) -> None:
        """Show what is being measured now."""
        if self._bar:
            names = ", ".join(dict.fromkeys(t.found.claim for t in tasks))
            state = f"{len(tasks)} running ({names}), {self.failed} failed"
            self._bar.update(self._task, state=state)

    def finished(self, outcome) -> None:
        """Count a cell, and print its line where there is no bar or it failed."""
        self.done += 1
        self.failed += bool(outcome.reason)
        if self._bar:
            self._bar.update(self._task, completed=self.done)
        if outcome.reason or not self._bar:
            self.console.print(self._line(outcome), markup=False, highlight=False, soft_wrap=True)

    def _line(self, outcome) -> str:
        head = f"[{self.done}/{self.total}] {outcome.task.label}: "
        if outcome.reason:
            return f"{head}failed: {outcome.reason}"
        m = outcome.measurements
        compiling = f" (and {m.compile_seconds:.1f} s compiling)" if m.compile_seconds else ""
        return (
            f"{head}{counted(len(outcome.task.seeds), 'seed')} in {m.run_seconds:.1f} s{compiling}"
        )
