"""Doctests of the library see the library as users import it."""

from pathlib import Path

LIBRARY = Path(__file__).parent / "suite"


def pytest_collect_file(file_path):
    """Imports the package before pytest imports one of its files.

    Importing a file first would run it twice, and register its classes twice.
    """
    if LIBRARY in file_path.parents:
        import suite  # noqa: F401
