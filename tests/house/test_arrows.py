"""The house rules that a newcomer could break without noticing."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {  # of the project's own packages
    "suite": {"suite"},
    "benchmarks": {"benchmarks", "suite"},
    "reports": {"reports", "benchmarks"},
}
HEAVY = {"tensorflow", "keras", "suite", "tensorflow_datasets", "jax"}


def modules_imported(tree, top_level_only=False):
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_arrows_go_one_way(package):
    for path in sources(package):
        for module in modules_imported(ast.parse(path.read_text())):
            top = module.split(".")[0]
            if top in MAY_IMPORT:
                assert top in MAY_IMPORT[package], f"{path.relative_to(ROOT)} imports {module}"


def test_reports_read_the_store_and_nothing_that_computes():
    allowed = {
        "changes", "discover", "experiment", "judging", "lecture", "null", "static_imports",
        "statistics", "store", "verdicts",
    }  # fmt: skip
    for path in sources("reports"):
        for module in modules_imported(ast.parse(path.read_text())):
            if module.startswith("benchmarks."):
                assert module.split(".")[1] in allowed, f"{path.relative_to(ROOT)}: {module}"


@pytest.mark.parametrize("package", ["benchmarks", "reports"])
def test_nothing_heavy_at_import(package):
    """Listing experiments and writing pages must not wait 5 s for TensorFlow."""
    for path in sources(package):
        if "speed" in path.parts:  # measures TensorFlow itself
            continue
        for module in modules_imported(ast.parse(path.read_text()), top_level_only=True):
            assert module.split(".")[0] not in HEAVY, f"{path.relative_to(ROOT)}: {module}"


@pytest.mark.parametrize("module", ["benchmarks.__main__", "benchmarks.store", "reports.page"])
def test_runs_without_tensorflow(module):
    program = (
        f"import sys, importlib; importlib.import_module({module!r}); "
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_the_wheel_ships_the_library_alone(tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"suite", next(top for top in tops if top.endswith(".dist-info"))}
    assert "suite/layers/dense.py" in names


def test_no_init_under_tests():
    """A tests/suite/__init__.py would shadow the library."""
    assert not list((ROOT / "tests").rglob("__init__.py"))
