"""Finds the experiments: every file below a folder that defines `EXPERIMENT` or `COMPARISON`.

No list is kept by hand. A file that cannot be loaded is reported with its line; the others work.
"""

import importlib
import importlib.util
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from benchmarks.code_version import code_version
from benchmarks.experiment import Comparison, Experiment, spec_hash
from benchmarks.static_imports import ROOT, source_of
from benchmarks.store import Broken

EXPERIMENTS = ROOT / "benchmarks" / "experiments"


@dataclass(frozen=True)
class Found:
    """An experiment or comparison, with the file it comes from."""

    spec: Experiment | Comparison
    path: Path
    folder: Path
    code_version: str

    @property
    def claim(self) -> str:
        """Its id."""
        return self.spec.claim

    @property
    def file(self) -> str:
        """The file as people know it: relative to the checkout, or to its folder."""
        return shown_path(self.path, self.folder)

    @property
    def hash(self) -> str:
        """Content hash of the specification."""
        return spec_hash(self.spec)

    @property
    def source(self) -> dict[str, str]:
        """Dotted name -> source of the components that could be found."""
        sources = {name: source_of(name) for name in self.spec.components}
        return {name: text for name, text in sources.items() if text}


def discover(folder: Path | None = None) -> tuple[list[Found], list[Broken]]:
    """Load every experiment below `folder`, by claim; and what could not be loaded.

    Files and folders whose name starts with an underscore are helpers.
    """
    folder = (folder or EXPERIMENTS).resolve()
    if not folder.is_dir():
        raise ValueError(f"experiments must be a folder, received {str(folder)!r}")
    found: dict[str, Found] = {}
    broken = []
    for path in sorted(folder.rglob("*.py")):
        if any(part.startswith("_") for part in path.relative_to(folder).parts):
            continue
        try:
            spec = specification_in(path, folder)
            if spec.claim in found:
                raise ImportError(f"claim {spec.claim} is already in {found[spec.claim].file}")
            version = code_version(path, module_name(path, folder))
            found[spec.claim] = Found(spec, path, folder, version)
        except (Exception, SystemExit) as error:
            file = shown_path(path, folder)
            broken.append(Broken(file, _line(error, path), describe(error)))
    return [found[claim] for claim in sorted(found)], broken


def specification_in(path: Path, folder: Path) -> Experiment | Comparison:
    """Import one file and take its `EXPERIMENT` or `COMPARISON`."""
    module = _load(path, folder)
    for name, kind in (("EXPERIMENT", Experiment), ("COMPARISON", Comparison)):
        spec = getattr(module, name, None)
        if spec is not None:
            if not isinstance(spec, kind):
                raise TypeError(f"{name} must be of type {kind.__name__}, received {spec!r}")
            return spec
    raise ImportError("the file defines neither EXPERIMENT nor COMPARISON")


def module_name(path: Path, folder: Path) -> str:
    """The dotted name a file is imported under."""
    path = path.resolve()
    base = ROOT if path.is_relative_to(EXPERIMENTS) else folder.resolve()
    return ".".join(path.relative_to(base).with_suffix("").parts)


def _load(path: Path, folder: Path) -> ModuleType:
    name = module_name(path, folder)
    if path.resolve().is_relative_to(EXPERIMENTS):
        if str(ROOT) not in sys.path:
            sys.path.insert(0, str(ROOT))
        return importlib.import_module(name)
    # A folder of the user's own: its files may import helpers that lie beside them, and share
    # no module names with the rest of the process.
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    loader = importlib.util.spec_from_file_location(f"_experiments_of_a_user.{name}", path)
    assert loader is not None and loader.loader is not None
    module = importlib.util.module_from_spec(loader)
    loader.loader.exec_module(module)
    return module


def shown_path(path: Path, folder: Path) -> str:
    """A path that tells nothing about the machine it is on."""
    path = path.resolve()
    base = ROOT if path.is_relative_to(ROOT) else folder.resolve()
    return path.relative_to(base).as_posix()


def _line(error: BaseException, path: Path) -> int | None:
    """The last line of `path` on the way to the error; None for errors of the file as a whole."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename) == path:
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno for f in reversed(frames) if Path(f.filename) == path), None)


def describe(error: BaseException) -> str:
    """An exception in one line."""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return " ".join(f"{type(error).__name__}: {message}".split())
