"""What a run ran on. No host names, no user names, no paths: stores are shared."""

import os
import platform
import shutil
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from benchmarks.static_imports import ROOT
from benchmarks.worker import THREADS

LIBRARIES = (
    "tensorflow", "keras", "numpy", "scipy", "scikit-learn", "statsmodels", "mlxtend",
    "tensorflow-datasets",
)  # fmt: skip


def environment() -> dict:
    """Python, system, processor, memory, libraries, GPU and commit."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": cpu_model(),
        "cores": cores(),
        "memory_gib": round(memory_bytes() / 2**30, 1),
        "threads_per_worker": THREADS,
        "libraries": {name: v for name in LIBRARIES if (v := _version(name))},
        "gpu": gpu_name(),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
    }


def cores() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> float:
    """Memory of the machine, or of the container where that is less."""
    try:
        total = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return 8.0 * 2**30  # Windows: a cautious guess
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, float(Path(file).read_text()))
        except (OSError, ValueError):  # no such limit, or "max"
            continue
    return total


def cpu_model() -> str:
    """The processor's name."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@lru_cache(maxsize=1)
def gpu_name() -> str | None:
    """The first GPU's name from its driver; None without one. TensorFlow may still not see it."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "NVIDIA GPU" if Path("/dev/nvidia0").exists() else None
    lines = (_output([tool, "--query-gpu=name", "--format=csv,noheader"]) or "").splitlines()
    return lines[0].strip() if lines else None


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)  # reads metadata; imports nothing
    except metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    return _output(["git", "-C", str(ROOT), *arguments])


def _output(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
