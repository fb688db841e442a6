"""What must not happen: lost results, overwritten files, processes left behind."""

import os
import resource
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.judging import judge_all
from benchmarks.store import Store, StoreError

DEADLINE = 120.0  # seconds; generous, since nothing here measures time


def wait_for(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def stored(path):
    try:
        with Store.read(path) as store:
            return store.cells("C12")
    except StoreError:  # not made yet
        return []


def children_of(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.sqlite"


@pytest.fixture
def start_run(start, path, experiments, log):
    def start_run(*arguments, sleep=0.0, **options):
        return start(
            "run", "--only", "C12", "--devices", "cpu", "--workers", 2, "--store", path,
            "--experiments", experiments, *arguments,
            env={"FIXTURE_LOG": str(log), "FIXTURE_SLEEP": str(sleep)}, **options,
        )  # fmt: skip

    return start_run


def judge_half(path):
    with Store.read(path) as store:
        return {judgment.reason for judgment in judge_all(store)}


def finish_and_count(start_run, log, path, before):
    """The rest is computed, and nothing that was stored is computed again."""
    kept = {f"steady {c.factors['rate']} {c.factors['kind']} {s}" for c in before for s in c.seeds}
    log.write_text("")
    process = start_run()
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, err
    again = log.read_text().splitlines()
    assert not kept & set(again) and len(kept) + len(again) == 30
    assert max(Counter(again).values()) == 1
    assert len(stored(path)) == 6
    assert "SUPPORTED" in out


def test_the_main_process_killed_mid_run(start_run, log, path):
    process = start_run(sleep=0.8)
    wait_for(lambda: len(stored(path)) >= 2)
    workers = children_of(process.pid)
    assert len(workers) >= 2
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    # The workers end by themselves, mid-cell or not.
    wait_for(lambda: not any(alive(pid) for pid in workers))
    before = stored(path)
    assert 2 <= len(before) < 6
    assert all(len(cell.seeds) == 5 for cell in before)
    finish_and_count(start_run, log, path, before)


def test_ctrl_c_mid_run(start_run, log, path):
    process = start_run(sleep=0.8, start_new_session=True)
    wait_for(lambda: len(stored(path)) >= 2)
    workers = children_of(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers too
    out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (130, "")
    assert "the same command goes on from here" in out and "Traceback" not in out
    # Soon, not at once: Python's own resource tracker ends after its parent.
    wait_for(lambda: not any(alive(pid) for pid in workers))
    before = stored(path)
    assert f"stopped: {len(before)} cells stored, {6 - len(before)} left" in out
    # Rules do not judge half an experiment.
    assert judge_half(path) == {f"{6 - len(before)} of 6 cells have not run"}
    finish_and_count(start_run, log, path, before)


def test_a_disk_that_fills_up(start_run, path):
    # Enough for the tables, not for six cells: the kernel refuses to let files grow further.
    limit = 110_000
    process = start_run()
    # Not by `preexec_fn`, which forks: JAX, imported for another test of this process, warns of it.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit,) * 2)
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert err.startswith("error: cannot write ") and err.count("\n") == 1
    assert "what was stored before is kept" in err
    assert 0 <= len(stored(path)) < 6  # it opens


def test_a_nan_fails_its_cell_alone(command, experiments, path):
    code, out, err = command(
        "run", "--only", "C13", "--devices", "cpu", "--workers", 1, "--store", path,
        "--experiments", experiments,
    )  # fmt: skip
    assert (code, err) == (1, "")
    reason = "metric 'value' is nan for seed number 1, which is not marked as diverged"
    assert f"failed: C13 cpu how=nan: ValueError: {reason}" in out
    assert "C13 cpu how=warns: 3 seeds in" in out
    with Store.read(path) as store:
        status = {cell.factors["how"]: cell.status for cell in store.cells("C13")}
    assert (status["nan"], status["warns"]) == ("failed", "done")


def test_a_run_leaves_one_file(command, start_run, path):
    process = start_run("--profile", "smoke")
    assert process.communicate(timeout=DEADLINE)[1] == ""
    assert [p.name for p in path.parent.glob("*.sqlite*")] == [path.name]
    assert command("show", "C12", "--store", path)[0] == 0
    assert [p.name for p in path.parent.glob("*.sqlite*")] == [path.name]


@pytest.mark.parametrize("size", [9000, 40])
def test_a_store_that_is_none_is_not_overwritten(command, experiments, path, size):
    content = np.random.default_rng(size).bytes(size)
    path.write_bytes(content)
    code, out, err = command(
        "run", "--devices", "cpu", "--store", path, "--experiments", experiments
    )
    assert (code, out) == (2, "") and "is not a results store" in err and err.count("\n") == 1
    assert path.read_bytes() == content
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_broken_files_do_not_stop_the_others(command, experiments, path, tmp_path, log):
    folder = tmp_path / "mine"
    shutil.copytree(experiments, folder)
    (folder / "bad.py").write_text("x = (\n")
    code, out, err = command(
        "run", "--only", "C12", "--devices", "cpu", "--profile", "smoke", "--store", path,
        "--workers", 1, "--experiments", folder,
    )  # fmt: skip
    assert (code, err) == (1, "")
    assert "broken: bad.py:1: SyntaxError: '(' was never closed" in out
    with Store.read(path) as store:
        assert [(b.file, b.line) for b in store.broken()] == [("bad.py", 1)]
        assert len(store.cells("C12", profile="smoke")) == 6
    code, out, err = command(
        "run", "--only", "C33", "--store", path, "--experiments", folder, "--devices", "cpu"
    )
    assert code == 2 and "(1 file cannot be loaded: see `list`)" in err
    assert command("list", "--experiments", folder)[0] == 1
