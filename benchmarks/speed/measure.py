"""Timing in turns, and what comes of it: medians, spreads and ratios."""

import platform
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata

import numpy as np

from benchmarks.speed.contenders import Contender


@dataclass(frozen=True)
class Timing:
    """Seconds of one contender.

    Args:
        name: the contender.
        compile_seconds: of its first call, once.
        seconds: for one step of one seed, (repeats,).
    """

    name: str
    compile_seconds: float
    seconds: np.ndarray


def in_turns(contenders: Sequence[Contender], repeats: int) -> list[Timing]:
    """Every contender once, then every one again, ...: a slow minute hits all of them alike."""
    compiled = [contender.warm_up() for contender in contenders]
    rounds = [[contender.run() for contender in contenders] for _ in range(repeats)]
    return [
        Timing(contender.name, seconds, np.array(runs))
        for contender, seconds, runs in zip(contenders, compiled, np.array(rounds).T, strict=True)
    ]


def spread(values: np.ndarray) -> tuple[float, float, float]:
    """Median, 10 % and 90 % quantile."""
    median, low, high = np.quantile(values, (0.5, 0.1, 0.9))
    return float(median), float(low), float(high)


def environment(threads: int) -> dict:
    """What the numbers depend on."""
    import tensorflow as tf

    versions = {}
    for package in ("tensorflow", "keras", "jax", "numpy"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "device": ", ".join(
            tf.config.experimental.get_device_details(device).get("device_name", device.name)
            for device in tf.config.list_physical_devices("GPU")
        )
        or f"CPU ({_processor()})",
        "threads": threads,
        "python": platform.python_version(),
        **versions,
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def peak_memory() -> float:
    """Largest resident set of this process so far, in GB."""
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
