"""Doctests see the library as users import it, and long runs keep their memory."""

import sys
from pathlib import Path

LIBRARY = Path(__file__).parent / "suite"
torn_down = 0


def pytest_collect_file(file_path):
    """Imports the package before pytest imports one of its files.

    Importing a file first would run it twice, and register its classes twice.
    """
    if LIBRARY in file_path.parents:
        import suite  # noqa: F401


def pytest_runtest_teardown(item):
    """Forgets JAX's compiled programs now and then; thousands of tests would keep gigabytes."""
    global torn_down
    torn_down += 1
    if torn_down % 100 == 0 and "jax" in sys.modules:
        import jax

        jax.clear_caches()
