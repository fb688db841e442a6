import shutil
import subprocess
import sys

import pytest

from benchmarks.discover import EXPERIMENTS, discover, module_name
from benchmarks.static_imports import source_of

WITHOUT_RULE = """
from benchmarks.experiment import Experiment, Histogram, Hypothesis, Metric

EXPERIMENT = Experiment(
    claim="C33",
    lens="stability",
    hypotheses=(Hypothesis("C33.a", "It holds.", rule="obviously"),),
    metrics={"value": Metric("value", "1")},
    figure=(Histogram("value", "x", "t"),),
    measure=print,
)
"""


@pytest.fixture
def folder(tmp_path, experiments):
    shutil.copytree(experiments, tmp_path / "mine")
    return tmp_path / "mine"


def test_experiments_and_comparisons_are_found_by_claim(experiments):
    found, broken = discover(experiments)
    assert [f.claim for f in found] == ["C12", "C13", "C14", "compare.toys"]
    assert broken == []
    assert found[0].file == "tests/benchmarks/fixtures/experiments/steady.py"
    assert len({f.code_version for f in found}) == 4


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("x = 1\ndef f(:\n    pass\n", 2, "SyntaxError"),
        (WITHOUT_RULE, 4, "SpecificationError: C33.a: rule must come from benchmarks.verdicts"),
        (WITHOUT_RULE.replace("C33", "C99"), 4, "claim must be one of the lecture's"),
        ("x = 1\n", None, "neither EXPERIMENT nor COMPARISON"),
        ("EXPERIMENT = 3\n", None, "TypeError: EXPERIMENT must be of type Experiment, received 3"),
        ("\n\nimport not_there\n", 3, "ModuleNotFoundError: No module named 'not_there'"),
        ("raise SystemExit(4)\n", 1, "SystemExit"),
    ],
)
def test_a_broken_file_is_listed_and_the_others_work(folder, content, line, message):
    (folder / "deeper").mkdir()
    (folder / "deeper" / "bad.py").write_text(content)
    found, (broken,) = discover(folder)
    assert [f.claim for f in found] == ["C12", "C13", "C14", "compare.toys"]
    assert (broken.file, broken.line) == ("deeper/bad.py", line)
    assert message in broken.message and "\n" not in broken.message


def test_a_claim_belongs_to_one_file(folder):
    shutil.copy(folder / "steady.py", folder / "zz.py")
    found, (broken,) = discover(folder)
    assert len(found) == 4
    assert broken.file == "zz.py" and "claim C12 is already in steady.py" in broken.message


def test_helpers_beside_an_experiment_can_be_imported(folder):
    (folder / "_shared_numbers.py").write_text("FIVE = 5\n")
    text = (folder / "steady.py").read_text().replace("seeds=5", "seeds=_shared_numbers.FIVE")
    (folder / "steady.py").write_text("import _shared_numbers\n" + text)
    found, broken = discover(folder)
    assert broken == [] and found[0].spec.seeds == 5


def test_a_folder_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="experiments must be a folder, received .*nowhere"):
        discover(tmp_path / "nowhere")


def test_the_lectures_own_experiments_load_without_tensorflow():
    code = (
        "import sys; from benchmarks.discover import discover; discover();"
        "print({'tensorflow', 'keras', 'suite', 'matplotlib'} & set(sys.modules))"
    )
    root = EXPERIMENTS.parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root)
    assert done.stdout.strip() == "set()", done.stderr


def test_names_of_modules(tmp_path):
    assert module_name(EXPERIMENTS / "a" / "b.py", EXPERIMENTS) == "benchmarks.experiments.a.b"
    assert module_name(tmp_path / "a" / "b.py", tmp_path) == "a.b"


def test_the_source_of_a_component_is_read_not_imported(tmp_path):
    package = tmp_path / "suite" / "layers"
    package.mkdir(parents=True)
    (tmp_path / "suite" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("from suite.layers.dense import Dense\n")
    (package / "dense.py").write_text('"""Doc."""\n\nx = 1\n\nclass Dense:\n    units = 3\n')
    assert source_of("suite.layers.Dense", tmp_path) == "class Dense:\n    units = 3"
    assert source_of("suite.layers.dense.Dense", tmp_path) == "class Dense:\n    units = 3"
    assert source_of("suite.layers.Dens", tmp_path) is None
    assert source_of("Dense", tmp_path) is None
