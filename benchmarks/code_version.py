"""The code version of an experiment: a content hash of all the project's code its numbers need.

The experiment's own file and every module of `suite` and `benchmarks.experiments` that it
imports, directly or not, wherever the import stands. Rules and the runner do not count: they
change no number. Results of another code version are kept but not shown, and not reused.
"""

import ast
import hashlib
from pathlib import Path

from benchmarks.static_imports import ROOT, file_of, imports_of, modules_of, parse

COUNTED = ("suite", "benchmarks.experiments")


def code_version(file: Path, module: str, root: Path = ROOT) -> str:
    """Hash of the experiment in `file`, imported as `module`, with all it needs."""
    texts = {module: _text(file)}
    packages: set[str] = set()
    waiting = _needed(file, module, root)
    while waiting:
        name = waiting.pop()
        if name in texts or not _counts(name):
            continue
        found = file_of(name, root)
        if found is None:
            continue
        texts[name] = _text(found)
        packages |= {p for p in _parents(name) if _counts(p)}
        waiting |= _needed(found, name, root)
    for package in packages - set(texts):
        found = file_of(package, root)
        if found is not None:
            texts[package] = _what_runs(found)
    digest = hashlib.sha256()
    for name in sorted(texts):
        digest.update(f"{name}\0{texts[name]}\0".encode())
    return digest.hexdigest()[:16]


def _needed(file: Path, module: str, root: Path) -> set[str]:
    found = imports_of(parse(file), module, file.name == "__init__.py")
    return {name for i in found if _counts(i.module) for name in modules_of(i, root)}


def _counts(module: str) -> bool:
    return any(module == c or module.startswith(c + ".") for c in COUNTED)


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def _text(file: Path) -> str:
    return "\n".join(file.read_text(encoding="utf-8").splitlines())  # whatever the line endings


def _what_runs(package: Path) -> str:
    """What a package does besides passing names on: adding a layer must not change every hash."""
    text = _text(package)
    kept = []
    for node in ast.parse(text).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        exports = isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
        )
        if not (docstring or exports or isinstance(node, (ast.Import, ast.ImportFrom))):
            kept.append(ast.get_source_segment(text, node) or "")
    return "\n".join(kept)
