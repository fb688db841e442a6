import pytest

from benchmarks.code_version import code_version

FILES = {
    "suite/__init__.py": "from suite import layers, extras\n",
    "suite/layers/__init__.py": (
        "from suite.layers.dense import Dense\nfrom suite.layers.other import Other\n"
        "FLAG = 1\n__all__ = ['Dense']\n"
    ),
    "suite/layers/dense.py": "from .. import extras\nfrom suite.activations import relu as r\n",
    "suite/layers/other.py": "class Other: pass\n",
    "suite/activations.py": "def relu(): pass\n",
    "suite/extras.py": "from suite.layers import dense\n",  # a circle
    "suite/lonely.py": "x = 1\n",
    "benchmarks/verdicts.py": "x = 1\n",
    "benchmarks/experiments/_helper.py": "def help():\n    import suite.lonely\n",
    "benchmarks/experiments/one.py": (
        "from benchmarks import verdicts\nimport numpy\n\n"
        "def measure():\n    from suite.layers import Dense\n"
        "    from benchmarks.experiments._helper import help\n"
    ),
}


@pytest.fixture
def version(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    file = tmp_path / "benchmarks" / "experiments" / "one.py"
    return lambda: code_version(file, "benchmarks.experiments.one", tmp_path)


@pytest.mark.parametrize(
    "file",
    [
        "benchmarks/experiments/one.py",
        "suite/layers/dense.py",  # imported inside a function, through the package
        "suite/activations.py",  # by what is imported
        "suite/extras.py",  # by a relative import
        "benchmarks/experiments/_helper.py",
        "suite/lonely.py",  # as `import a.b`, inside a function
    ],
)
def test_code_that_is_needed_counts(version, tmp_path, file):
    before = version()
    with (tmp_path / file).open("a") as f:
        f.write("y = 2\n")
    assert version() != before


@pytest.mark.parametrize("file", ["suite/layers/other.py", "benchmarks/verdicts.py"])
def test_code_that_is_not_needed_does_not_count(version, tmp_path, file):
    before = version()
    (tmp_path / file).write_text("y = 2\n")
    assert version() == before


def test_a_package_counts_for_what_it_runs_not_for_what_it_passes_on(version, tmp_path):
    before = version()
    init = tmp_path / "suite" / "layers" / "__init__.py"
    init.write_text('"""A docstring."""\nfrom suite.layers.third import Third\n' + init.read_text())
    assert version() == before
    init.write_text(init.read_text().replace("FLAG = 1", "FLAG = 2"))
    assert version() != before


def test_line_endings_do_not_count(version, tmp_path):
    before = version()
    file = tmp_path / "suite" / "activations.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert version() == before
