"""Which devices this host has. TensorFlow is asked in a process of its own, and only if a driver
says that there is something to ask about.
"""

import os
import subprocess
import sys
from functools import lru_cache

from benchmarks.environment import gpu_name

KNOWN = ("cpu", "gpu")
PROBE = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"


def available() -> tuple[str, ...]:
    """The CPU, and the GPU if TensorFlow can use one."""
    return KNOWN if why_no_gpu() is None else ("cpu",)


@lru_cache(maxsize=1)
def why_no_gpu() -> str | None:
    """What is missing for cells on a GPU; None if nothing is."""
    if gpu_name() is None:
        return "this host has no NVIDIA GPU"
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return "CUDA_VISIBLE_DEVICES hides the GPU"
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        probe = subprocess.run(
            [sys.executable, "-c", PROBE],
            capture_output=True, text=True, env=environment, timeout=120,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "TensorFlow did not answer within two minutes"
    if probe.returncode != 0 or probe.stdout.strip() in ("", "0"):
        return "TensorFlow sees no GPU; install the extra 'gpu'"
    return None
