import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks import devices
from benchmarks.cli.messages import unknown
from benchmarks.cli.show import _cell_table
from benchmarks.cli.tables import table
from benchmarks.store import Store, StoredCell

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.sqlite"


@pytest.fixture
def run(command, path, experiments):
    def run(*arguments):
        return command(
            "run", "--devices", "cpu", "--workers", 1, "--store", path,
            "--experiments", experiments, *arguments,
        )  # fmt: skip

    return run


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["show", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    code = (
        f"import sys; from benchmarks.__main__ import main; main({arguments});"
        "heavy = {'tensorflow', 'keras', 'numpy', 'scipy', 'pandas', 'suite', 'matplotlib'};"
        "sys.exit(f'imported {heavy & set(sys.modules)}' if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Usage: python -m benchmarks" in done.stdout


def test_list_as_json(command, experiments):
    code, out, err = command("list", "--json", "--experiments", experiments)
    listing = json.loads(out)
    assert (code, err, listing["broken"]) == (0, "", [])
    steady, *_, toys = listing["experiments"]
    assert steady == {
        "claim": "C12",
        "kind": "experiment",
        "title": "Steady values",
        "section": 2,
        "lens": "convergence",
        "hypotheses": [
            {"id": "C12.near", "kind": "as corrected", "statement": "It is near 3."},
            {"id": "C12.far", "kind": "as stated", "statement": "It is near 7."},
            {
                "id": "C12.larger",
                "kind": "as corrected",
                "statement": "Rate 3 exceeds rate 1 by 2.",
            },
        ],
        "figures": ["F05"],
        "cells": 6,
        "seeds": 5,
        "file": "tests/benchmarks/fixtures/experiments/steady.py",
    }
    assert (toys["claim"], toys["section"], toys["cells"]) == ("compare.toys", None, 6)


def test_list_for_people(command, experiments):
    code, out, _ = command("list", "--experiments", experiments)
    assert code == 0 and "Steady values" in out and "compare.toys" in out


def test_run_judges_and_show_explains(run, command, path, log):
    code, out, err = run("--only", "C12")
    assert (code, err) == (0, "")
    assert "1 experiment, 6 cells to run, 0 in the store already" in out
    assert "[6/6] C12 cpu rate=2, kind=a: 5 seeds in 0.2 s\n" in out
    rows = [line.replace("│", " ").split() for line in out.splitlines() if line.startswith("│")]
    # Six cells that said 0.25 s each.
    assert rows == [
        ["C12", "C12.near", "SUPPORTED", "6", "1.5"],
        ["C12.far", "REFUTED"],
        ["C12.larger", "SUPPORTED"],
    ]
    code, out, err = command("show", "c12", "--store", path)
    assert (code, err) == (0, "")
    assert "C12.far (as stated): REFUTED" in out and "It is near 7." in out
    assert "Rule: The 99 % interval of the mean paired difference rate 3 minus rate 1" in out
    assert "Found: Value, rate 3 minus rate 1" in out and "Mutant 'twice as large': REFUTED" in out
    assert "rate=3, kind=b" in out and "3.02" in out  # the mean over seeds 0 to 4


def test_a_second_run_computes_nothing(run, log):
    run("--only", "C12")
    assert len(log.read_text().splitlines()) == 30
    code, out, _ = run("--only", "C12")
    assert code == 0 and "0 cells to run, 6 in the store already" in out and "SUPPORTED" in out
    code, out, _ = run("--only", "C12", "--seeds", "7")
    assert code == 0 and "6 cells to run" in out
    lines = log.read_text().splitlines()
    assert len(lines) == len(set(lines)) == 42


def test_smoke_judges_nothing(run, path, log):
    code, out, _ = run("--only", "C12", "--profile", "smoke")
    assert code == 0 and "not judged" in out and "SUPPORTED" not in out
    with Store.read(path) as store:
        cells = store.cells("C12", profile="smoke")
        assert [len(c.seeds) for c in cells] == [2] * 6
        assert store.cells("C12") == []


def test_a_comparison_and_its_divergence(run, command, path):
    code, out, _ = run("--only", "compare.*", "--profile", "deep")
    assert code == 0 and "compare.toys" in out
    with Store.read(path) as store:
        cells = store.cells("compare.toys")
        assert [c.factors["rate"] for c in cells] == [1, 10, 100, 1, 10, 100]
        assert cells[2].diverged.all() and len(cells[2].seeds) == 12
    code, out, _ = command("show", "compare.toys", "--store", path)
    assert code == 0 and "toy=ball, rate=10" in out


def test_failed_cells_are_listed_and_the_exit_code_says_so(run, command, path):
    code, out, _ = run("--only", "C13")
    assert code == 1
    assert "failed: C13 cpu how=raises: RuntimeError: the kitchen is on fire" in out
    assert "failed: C13 cpu how=objects: cannot store the measurements" in out
    assert "not judged: 6 of 7 cells failed" in out
    code, out, _ = command("show", "C13", "--store", path)
    assert code == 0 and "failed: how=nan: ValueError: metric 'value' is nan" in out


def test_the_store_knows_the_run_but_not_its_owner(run, path):
    run("--only", "C12", "--profile", "smoke")
    with Store.read(path) as store:
        (record,) = store.runs()
        (specification,) = store.specifications("smoke")
    assert record.command == "run --profile smoke --only C12 --devices cpu --workers 1"
    assert record.seconds > 0 and record.environment["threads_per_worker"] == 1
    assert record.environment["libraries"]["numpy"]
    text = json.dumps(record.environment) + specification.file
    assert str(Path.home()) not in text and str(path.parent) not in text


BAD = [
    (["run", "--only", "C112"], "unknown claim 'C112'; did you mean C12"),
    (["run", "--only", "C12", "--only", "compare.toy"], "unknown claim 'compare.toy'"),
    (["run", "--profile", "lectur"], "unknown profile 'lectur'; did you mean lecture?"),
    (["run", "--devices", "cpu,gpx"], "unknown device 'gpx'; did you mean gpu?"),
    (["run", "--devices", ","], "--devices must name at least one of cpu, gpu, received ','"),
    (["run", "--seeds", "0"], "--seeds must be at least 1, received 0"),
    (["run", "--workers", "-2"], "--workers must be at least 1, received -2"),
    (["run", "--seeds", "many"], "Invalid value for '--seeds': 'many' is not a whole number"),
    (["run", "--workers", "1.5"], "Invalid value for '--workers': '1.5' is not a whole number"),
    (["show", "C12", "--device", "tpu"], "--device must be one of cpu, gpu, received 'tpu'"),
    (["run", "--sedes", "3"], "No such option"),
    (["rum"], "No such command 'rum'"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_bad_usage_is_one_line_and_writes_nothing(command, path, experiments, arguments, message):
    if arguments[0] == "run":
        arguments = [*arguments, "--store", path, "--experiments", experiments]
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1 and message in err
    assert list(path.parent.iterdir()) == []


def test_a_folder_that_is_not_there_is_not_made(command, tmp_path, experiments):
    store = tmp_path / "nope" / "nope" / "x.sqlite"
    code, out, err = command(
        "run", "--devices", "cpu", "--store", store, "--experiments", experiments
    )
    assert (code, out) == (2, "")
    assert err == f"error: there is no folder {store.parent}; make it or choose another --store\n"
    assert list(tmp_path.iterdir()) == []


def test_fewer_seeds_than_were_fixed_beforehand_judge_nothing(run, command, path):
    code, out, _ = run("--only", "C12", "--seeds", "1")
    assert code == 0 and "SUPPORTED" not in out and "REFUTED" not in out
    assert out.count("not judged: 1 of 5 seeds") == 3
    assert "[6/6] C12 cpu rate=2, kind=a: 1 seed in 0.2 s\n" in out
    code, out, _ = command("show", "C12", "--store", path)
    assert code == 0 and "C12.near (as corrected): not judged: 1 of 5 seeds" in out
    assert "SUPPORTED" not in run("--only", "C12", "--seeds", "4")[1]
    assert run("--only", "C12")[1].count("SUPPORTED") == 2


def test_tables_in_a_pipe_are_whole(command, path, tmp_path):
    # Far wider than any terminal.
    names = [f"a_metric_with_a_rather_long_name_{i}" for i in range(9)]
    (tmp_path / "wide.py").write_text(
        "import numpy as np\n"
        "from benchmarks.experiment import *\n"
        "from benchmarks.verdicts import AtMost\n"
        f"names = {names}\n"
        "EXPERIMENT = Experiment(claim='C12', lens='stability', seeds=2,\n"
        "    hypotheses=(Hypothesis('C12.a', 'It is small.', AtMost(names[0], 2)),),\n"
        "    metrics={n: Metric(n, '1') for n in names},\n"
        "    figure=(Histogram(names[0], x_label='x', title='x'),),\n"
        "    measure=lambda c, s: Measurements(metrics={n: np.ones(len(s)) for n in names}))\n"
    )
    command(
        "run", "--devices", "cpu", "--workers", 1, "--store", path, "--experiments", tmp_path
    )  # fmt: skip
    code, out, _ = command("show", "C12", "--store", path)
    assert code == 0 and "…" not in out and all(name in out for name in names)


def test_tables_on_a_narrow_terminal_fold():
    console = Console(width=24, file=io.StringIO())
    rows = table("claim", "a_metric_with_a_rather_long_name")
    rows.add_row("C12", "3.25")
    console.print(rows)
    assert "…" not in console.file.getvalue()


def test_show_without_results(command, path, run, log):
    code, out, err = command("show", "C12", "--store", path)
    assert code == 2 and "there is no store" in err and err.count("\n") == 1
    run("--only", "C12", "--profile", "smoke")
    code, out, err = command("show", "C33", "--store", path)
    assert code == 1 and "C33 is not in" in out
    code, out, err = command("show", "C111", "--store", path)
    assert code == 2 and "unknown claim 'C111'; did you mean C12" in err


def test_a_gpu_that_is_not_there(run, path, monkeypatch):
    monkeypatch.setattr(devices, "why_no_gpu", lambda: "this host has no NVIDIA GPU")
    code, out, err = run("--devices", "cpu,gpu")
    assert (code, out, err) == (
        2, "", "error: cannot run on device 'gpu': this host has no NVIDIA GPU\n",
    )  # fmt: skip
    assert devices.available() == ("cpu",)
    assert not path.exists()


def test_a_hidden_gpu_is_not_there(monkeypatch):
    monkeypatch.setattr(devices, "gpu_name", lambda: "A GPU")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    devices.why_no_gpu.cache_clear()
    try:
        assert devices.why_no_gpu() == "CUDA_VISIBLE_DEVICES hides the GPU"
    finally:
        devices.why_no_gpu.cache_clear()


def test_merge_on_the_command_line(run, command, path, log):
    run("--only", "C12", "--profile", "smoke")
    out_path = path.with_name("c.sqlite")
    assert command("merge", path, path, "-o", out_path) == (0, "", "")
    with Store.read(out_path) as store:
        assert len(store.cells("C12", profile="smoke")) == 6
    code, _, err = command("merge", path, "-o", out_path)
    assert code == 2 and "exists already" in err and err.count("\n") == 1


def test_far_names_list_what_is_known():
    assert str(unknown("fruit", "zzz", ["fig", "kiwi"])) == "unknown fruit 'zzz'; known: fig, kiwi"
    assert str(unknown("fruit", "z", [])) == "unknown fruit 'z'; known: none"


def test_a_metric_that_a_cell_leaves_out_is_a_dash():
    cells = [
        StoredCell({"arm": arm}, {}, "cpu", "done", "v1", "lecture", 1, "", seeds=np.arange(2),
                   metrics=metrics, diverged=np.zeros(2, bool))
        for arm, metrics in (("a", {"x": np.full(2, 0.5)}), ("b", {"y": np.full(2, 7.0)}))
    ]  # fmt: skip
    rows = _cell_table(cells, ["x", "y"], "cpu")
    assert [list(column.cells) for column in rows.columns][3:5] == [["0.5", "-"], ["-", "7"]]
