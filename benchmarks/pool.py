"""A pool that knows which cell killed a worker.

Each worker has a pipe of its own and one cell at a time. If it dies (the kernel kills what
takes too much memory), only that cell is lost; it is tried again, and after three deaths it is
recorded as failed. Pools that share a queue lose every cell in flight instead.
"""

import itertools
import multiprocessing
import os
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

from benchmarks.environment import memory_bytes
from benchmarks.experiment import Measurements
from benchmarks.plan import Task
from benchmarks.worker import Answer, environment_of, serve

DEATHS = 3  # of workers at the same cell, before it counts as failed
# TensorFlow takes 0.9 GB, and each program it compiles keeps about 18 MB for ever. A worker above
# this is replaced between two cells, at the cost of one import and of its compiled programs, so
# that none grows without end. Where memory is short, 0.7 of it is shared by the workers.
RETIRE_BYTES = 3e9
POLL_SECONDS = 0.25  # how soon Ctrl-C and the progress display are looked after


@dataclass(frozen=True)
class Outcome:
    """A finished or failed cell."""

    task: Task
    measurements: Measurements | None
    reason: str
    attempts: int


@dataclass
class _Worker:
    process: multiprocessing.process.BaseProcess
    connection: Connection
    device: str
    log: Path
    task: Task | None = None


def _likeness(task: Task, other: Task) -> int:
    """How much two cells can share: 0 between experiments, else 1 and their equal leading factors.

    What an experiment keeps between cells (data, a compiled program) is one worker's own.
    """
    if task.found.path != other.found.path:
        return 0
    pairs = zip(task.cell.factors.values(), other.cell.factors.values(), strict=True)
    return 1 + len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))


@dataclass
class Pool:
    """Workers by device: `Pool({"cpu": 2, "gpu": 1})`.

    Args:
        workers: device -> number of processes.
        stop: asked a few times a second; once True, what is finished is handed out and the rest
            is given up.
        tick: called a few times a second with the tasks that are running.
    """

    workers: Mapping[str, int]
    stop: Callable[[], bool] = lambda: False
    tick: Callable[[list[Task]], None] = lambda running: None
    _busy: list[_Worker] = field(default_factory=list)
    _idle: list[_Worker] = field(default_factory=list)

    def run(self, tasks: Iterable[Task]) -> Generator[Outcome, None, None]:
        """Hand out the outcome of each task as soon as it is there."""
        waiting: dict[str, deque[Task]] = {device: deque() for device in self.workers}
        for task in tasks:
            waiting[task.cell.device].append(task)
        deaths: dict[int, int] = {}
        with tempfile.TemporaryDirectory() as logs:
            try:
                while True:
                    stopping = self.stop()
                    if not stopping:
                        self._assign(waiting, Path(logs))
                    if not self._busy:
                        return
                    self.tick([w.task for w in self._busy if w.task])
                    pause = 0 if stopping else POLL_SECONDS
                    ready = wait([w.connection for w in self._busy], pause)
                    for worker in [w for w in self._busy if w.connection in ready]:
                        self._busy.remove(worker)
                        outcome = self._receive(worker, deaths)
                        if outcome is None and worker.task:
                            waiting[worker.device].append(worker.task)
                        elif outcome:
                            yield outcome
                    if stopping:
                        return
            finally:
                self._end()

    def _assign(self, waiting: Mapping[str, deque[Task]], logs: Path) -> None:
        for device, tasks in waiting.items():
            while tasks:
                worker = next((w for w in self._idle if w.device == device), None)
                if worker is not None:
                    self._idle.remove(worker)
                elif sum(w.device == device for w in self._busy) < self.workers[device]:
                    worker = _start(device, logs, sum(self.workers.values()))
                else:
                    break
                worker.task = task = self._take(tasks, worker)
                self._busy.append(worker)
                try:
                    found = task.found
                    worker.connection.send(
                        (str(found.path), str(found.folder), task.cell, task.seeds)
                    )
                except OSError:
                    pass  # it is dead already: `_receive` meets the end of the pipe

    def _take(self, tasks: deque[Task], worker: _Worker) -> Task:
        """The task most like the worker's last and least like those of others; of equals the first.

        First come, first served would compile every program in every worker.
        """
        busy = [w.task for w in self._busy if w.task]

        def preference(index):
            task = tasks[index]
            own = _likeness(task, worker.task) if worker.task else 0
            return -own, max((_likeness(task, other) for other in busy), default=0), index

        best = min(range(len(tasks)), key=preference)
        task = tasks[best]
        del tasks[best]
        return task

    def _receive(self, worker: _Worker, deaths: dict[int, int]) -> Outcome | None:
        """The outcome of the worker's task, or None if the task is to be tried again."""
        task = worker.task
        assert task is not None  # the worker was busy
        died = deaths.get(id(task), 0)
        try:
            answer: Answer = worker.connection.recv()
        except (EOFError, OSError):
            died = deaths[id(task)] = died + 1
            reason = _autopsy(worker)
            if died < DEATHS:
                return None
            return Outcome(task, None, f"worker died three times ({reason})", died)
        except Exception as error:
            _kill(worker)
            return Outcome(task, None, f"cannot read the measurements: {error}", died + 1)
        if answer.retire:
            _kill(worker)
        else:
            self._idle.append(worker)
        return Outcome(task, answer.measurements, answer.reason, died + 1)

    def _end(self) -> None:
        for worker in [*self._busy, *self._idle]:
            _kill(worker)
        self._busy, self._idle = [], []


def _start(device: str, logs: Path, workers: int) -> _Worker:
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    ours, theirs = context.Pipe()
    descriptor, log = tempfile.mkstemp(dir=logs)
    os.close(descriptor)
    process = context.Process(
        target=serve,
        args=(theirs, log, min(RETIRE_BYTES, 0.7 * memory_bytes() / workers)),
        daemon=True,
    )
    with _environment(environment_of(device)), _no_interrupt():
        process.start()
    theirs.close()
    return _Worker(process, ours, device, Path(log))


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """A process inherits the signals its parent has blocked: none hits it while it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill(worker: _Worker) -> None:
    worker.connection.close()
    worker.process.kill()
    worker.process.join()


def _autopsy(worker: _Worker) -> str:
    """How a worker ended, with the last line it printed."""
    worker.connection.close()
    worker.process.join(5)
    if worker.process.is_alive():
        _kill(worker)
    code = worker.process.exitcode
    text = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    lines = worker.log.read_text(errors="replace").strip().splitlines()
    return f"{text}: {lines[-1].strip()[:200]}" if lines else text
