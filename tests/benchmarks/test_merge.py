import shutil

import numpy as np
import pytest

from benchmarks.discover import discover
from benchmarks.experiment import Measurements
from benchmarks.merge import merge
from benchmarks.store import Store, StoreError


@pytest.fixture
def steady(experiments):
    return discover(experiments)[0][0]


def write(path, found, cells, seeds, offset, fail=()):
    with Store.open(path, create=True) as store:
        run = store.start_run("lecture", path.stem, {"cpu": path.stem})
        store.save_specification(
            found.spec, file=found.file, source={}, code_version=found.code_version
        )
        for cell in cells:
            place = (found.hash, cell, found.code_version, run)
            if cell.label in fail:
                store.save_failure(*place, "no luck", 3)
                continue
            values = np.array(seeds) + offset
            store.save_cell(
                *place,
                seeds,
                Measurements(
                    metrics={"value": values, "twice": values},
                    curves={"path": np.outer(values, [1, 2, 3])},
                    run_seconds=1.0,
                ),
            )
    return path


def test_trials_of_two_machines_join(tmp_path, steady):
    cpu, gpu = steady.spec.cells("cpu"), steady.spec.cells("gpu")
    a = write(tmp_path / "a", steady, cpu[:2], [0, 1], 0.0, fail=[cpu[1].label])
    b = write(tmp_path / "b", steady, [*cpu[:2], *gpu], [1, 2, 3], 10.0)
    out = tmp_path / "c"
    merge([a, b], out)
    with Store.read(out) as store:
        assert [run.environment["cpu"] for run in store.runs()] == ["a", "b"]
        first, second = store.cells("C12", "cpu")
        # Seed 1 of the first file stays.
        assert first.metrics["value"].tolist() == [0, 1, 12, 13]
        assert first.seeds.tolist() == [0, 1, 2, 3]
        # What failed on one machine finished on the other.
        assert (second.status, second.metrics["value"].tolist()) == ("done", [11, 12, 13])
        assert len(store.cells("C12", "gpu")) == 6
        assert store.curves("C12", "path")[0][2].tolist() == [
            [0, 0, 0], [1, 2, 3], [12, 24, 36], [13, 26, 39],
        ]  # fmt: skip
        assert store.missing_seeds(steady.hash, cpu[0], steady.code_version, range(5)) == [4]


def test_a_copy_adds_nothing(tmp_path, steady):
    a = write(tmp_path / "a", steady, steady.spec.cells(), [0, 1], 0.0)
    shutil.copy(a, tmp_path / "copy")
    merge([a, tmp_path / "copy", a], tmp_path / "c")
    with Store.read(tmp_path / "c") as store:
        assert len(store.runs()) == 1
        assert [c.run_seconds for c in store.cells("C12")] == [1.0] * 6


def test_sources_are_left_alone_and_nothing_half_made_remains(tmp_path, steady):
    a = write(tmp_path / "a", steady, steady.spec.cells(), [0, 1], 0.0)
    before = a.read_bytes()
    merge([a], tmp_path / "c")
    assert a.read_bytes() == before
    bad = tmp_path / "bad"
    bad.write_bytes(before[:9000])
    with pytest.raises(StoreError, match="bad is damaged"):
        merge([a, bad], tmp_path / "d")
    with pytest.raises(StoreError, match="c exists already"):
        merge([a], tmp_path / "c")
    with pytest.raises(StoreError, match="there is no store at .*nothing"):
        merge([a, tmp_path / "nothing"], tmp_path / "d")
    names = {p.name for p in tmp_path.iterdir()}
    assert not {n for n in names if n.startswith("d") or n.endswith(".part")}
