"""One worker: a process that measures cell after cell and sends back plain arrays.

It lives for many cells, since importing TensorFlow takes seconds. It uses one thread: two workers
of one thread each are faster than one of two threads, and compiling runs in parallel as well.
"""

import contextlib
import ctypes
import importlib
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from dataclasses import dataclass, fields, replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.experiment import Measurements

THREADS = 1
ENVIRONMENT = {
    **dict.fromkeys(
        (
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
        ),
        str(THREADS),
    ),
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
# By default TensorFlow takes the whole GPU, which then shows nobody how much a cell needs.
ON_DEVICE = {"cpu": {"CUDA_VISIBLE_DEVICES": ""}, "gpu": {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}}


@dataclass(frozen=True)
class Answer:
    """What came of a cell: `Measurements`, or the reason why there are none."""

    measurements: "Measurements | None" = None
    reason: str = ""
    retire: bool = False  # the worker has grown too large and should be replaced


def environment_of(device: str) -> dict[str, str]:
    """Variables to set before the process starts: libraries read them when they are loaded."""
    return ENVIRONMENT | ON_DEVICE[device]


def serve(connection: Connection, log: str, memory_limit: float) -> None:
    """Answer `(path, folder, cell, seeds)` until the other end closes.

    Args:
        connection: to the main process.
        log: file for whatever libraries print.
        memory_limit: bytes above which the worker asks to be replaced.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's business
    _print_into(log)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    warnings.simplefilter("default")  # a library's warning must not fail a cell
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        answer = _measure(*task)
        if _memory() > memory_limit:
            _return_freed_memory()
            answer = replace(answer, retire=_memory() > memory_limit)
        try:
            connection.send(answer)
        except OSError:
            return
        except Exception as error:  # what measure returned cannot be pickled
            connection.send(Answer(reason=f"cannot send the measurements: {error}"))
        if answer.retire:
            return


def _measure(path: str, folder: str, cell, seeds: tuple[int, ...]) -> Answer:
    try:
        # Inside, so that an experiment that no longer loads fails its cell, not the worker.
        import numpy as np

        from benchmarks.discover import specification_in

        spec = _loaded.get(path)
        if spec is None:
            spec = _loaded[path] = specification_in(Path(path), Path(folder))
            _import_libraries(Path(path))
        started = time.perf_counter()
        measurements = spec.measure(cell, np.array(seeds, np.int64))
        seconds = time.perf_counter() - started
        _check(measurements, spec, len(seeds))
        measurements = _plain(measurements)
        if not measurements.compile_seconds + measurements.run_seconds:
            measurements.run_seconds = seconds  # it did not time itself
        return Answer(measurements)
    except (Exception, SystemExit) as error:
        return Answer(reason=reason_of(error))


_loaded: dict = {}  # path -> specification: a file is imported once a worker


def _import_libraries(path: Path) -> None:
    """Seconds of importing belong to the worker's start, not to the cell that comes first."""
    from benchmarks.static_imports import imports_of, parse

    for found in imports_of(parse(path), path.stem, False):
        if found.module.split(".")[0] in ("suite", "tensorflow", "keras"):
            try:
                importlib.import_module(found.module)
            except ImportError:
                pass  # where it is needed, `measure` fails with the reason


def _check(measurements, spec, seeds: int) -> None:
    import numpy as np

    from benchmarks.experiment import Measurements

    if not isinstance(measurements, Measurements):
        raise TypeError(f"measure must return Measurements, received {measurements!r}"[:200])
    measurements.check(spec, seeds)
    for name in ("diverged", "diverged_at"):
        values = getattr(measurements, name)
        if values is not None and np.shape(values) != (seeds,):
            raise ValueError(f"{name} must have shape ({seeds},), received {np.shape(values)}")


def _plain(measurements):
    """NumPy arrays in place of tensors: the main process has no TensorFlow to unpickle them."""
    import numpy as np

    def plain(value):
        if isinstance(value, (int, float)) or value is None:
            return value
        if hasattr(value, "items"):
            return {str(k): np.asarray(v) for k, v in value.items()}
        return np.asarray(value)

    values = {f.name: plain(getattr(measurements, f.name)) for f in fields(measurements)}
    for name in ("compile_seconds", "run_seconds"):
        values[name] = float(values[name])
    return type(measurements)(**values)


def reason_of(error: BaseException) -> str:
    """The exception's first line, and where it was raised."""
    first = (str(error).strip().splitlines() or [""])[0]
    frames = traceback.extract_tb(error.__traceback__)
    # Libraries' own frames tell little: the last one of an experiment or of the suite is better.
    ours = [f for f in frames if "site-packages" not in f.filename] or frames
    where = f" ({Path(ours[-1].filename).name}:{ours[-1].lineno} in {ours[-1].name})"
    return f"{type(error).__name__}: {first}{where}"


def _print_into(log: str) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _die_with_parent() -> None:
    """A long cell does not notice that the main process is gone; this thread does."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _return_freed_memory() -> None:
    """Have the C library give back to the kernel what it keeps of freed memory.

    A compiler frees 0.1 to 0.2 GB after each recurrent network, which would count as resident and
    cost a worker that has not grown. Only glibc has this function.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _memory() -> float:
    """Resident bytes of this process; 0 where the kernel does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * float(os.sysconf("SC_PAGE_SIZE"))
