import numpy as np
import pytest

from benchmarks.discover import discover
from benchmarks.experiment import Measurements
from benchmarks.plan import plan, seeds_of
from benchmarks.store import Store


@pytest.fixture
def steady(experiments):
    return discover(experiments)[0][0]


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "a.sqlite", create=True) as store:
        yield store


def save(store, task, profile="lecture"):
    n = len(task.seeds)
    measurements = Measurements(metrics={"value": np.zeros(n), "twice": np.zeros(n)})
    run = store.start_run(profile, "", {})
    f = task.found
    store.save_cell(f.hash, task.cell, f.code_version, run, task.seeds, measurements)


def test_seeds_of_the_profiles(steady, experiments):
    assert [len(seeds_of(steady, p)) for p in ("smoke", "lecture", "deep")] == [2, 5, 20]
    assert list(seeds_of(steady, "deep", seeds=3)) == [0, 1, 2]


def test_everything_then_nothing(steady, store):
    tasks, stored = plan([steady], store)
    assert (len(tasks), stored) == (6, 0)
    assert [(t.cell.rate, t.cell.kind) for t in tasks[:3]] == [(3, "b"), (3, "a"), (1, "b")]
    assert all(t.seeds == (0, 1, 2, 3, 4) for t in tasks)
    for task in tasks:
        save(store, task)
    assert plan([steady], store) == ([], 6)


def test_more_seeds_compute_only_the_new_ones(steady, store):
    for task in plan([steady], store)[0]:
        save(store, task)
    tasks, stored = plan([steady], store, "deep")
    assert len(tasks) == 6 and tasks[0].seeds == tuple(range(5, 20))
    assert plan([steady], store, seeds=4) == ([], 6)


def test_devices_and_budgets_are_cells_of_their_own(steady, store):
    for task in plan([steady], store, "smoke")[0]:
        assert task.cell.steps == 3
        save(store, task, "smoke")
    assert plan([steady], store, "smoke") == ([], 6)
    tasks, stored = plan([steady], store, devices=("cpu", "gpu"))
    assert (len(tasks), stored) == (12, 0)
    assert [t.cell.device for t in tasks] == ["cpu"] * 6 + ["gpu"] * 6
    assert tasks[6].label == "C12 gpu rate=3, kind=b"
