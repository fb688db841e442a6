import sqlite3
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import store_file
from benchmarks.experiment import Cell, Experiment, Hypothesis, Measurements, Metric, spec_hash
from benchmarks.store import Store, StoreError
from benchmarks.verdicts import AtMost

SPEC = Experiment(
    claim="C33",
    lens="convergence",
    hypotheses=(Hypothesis("C33.a", "It is small.", AtMost("error", 1)),),
    measure=lambda cell, seeds: None,
    metrics={"error": Metric("error", "1"), "steps": Metric("steps", "step")},
    figure=(),
    factors={"method": ("plain", "fancy"), "widths": ((8, 3), (2,)), "rate": (0.1,)},
    seeds=3,
    budget={"steps": 40},
    smoke={"steps": 4},
)
HASH = spec_hash(SPEC)
CELLS = SPEC.cells()


def measured(seeds, offset=0.0, points=5):
    n = len(seeds)
    return Measurements(
        metrics={"error": np.array(seeds) + offset, "steps": np.arange(n) * 10},
        # Quarters are exact in float32.
        curves={"loss": np.arange(n * points).reshape(n, points) / 4, "norm": np.full((n, 2), 9.0)},
        axes={"loss": np.linspace(0, 1, points)},
        theory={"loss": np.full(points, 0.1)},
        arrays={"file": np.arange(6).reshape(2, 3), "names": np.array(["a", "bc"])},
        compile_seconds=1.5,
        run_seconds=0.5,
    )


@pytest.fixture
def path(tmp_path):
    folder = tmp_path / "deeper"
    folder.mkdir()
    return folder / "results.sqlite"


@pytest.fixture
def store(path):
    with Store.open(path, create=True) as store:
        store.save_specification(SPEC, file="a.py", source={"suite.x": "class X: ..."})
        yield store


def begin(store, profile="lecture"):
    return store.start_run(profile, "run", {"python": "3"})


def test_what_goes_in_comes_out(store):
    run = begin(store)
    store.save_cell(HASH, CELLS[2], "v1", run, [4, 0, 9], measured([4, 0, 9]))
    store.finish_run(run, 12.5)
    (cell,) = store.cells("C33")
    assert cell.factors == {"method": "fancy", "widths": (8, 3), "rate": 0.1}
    assert (cell.status, cell.device, cell.budget) == ("done", "cpu", {"steps": 40})
    assert (cell.profile, cell.code_version, cell.run_id) == ("lecture", "v1", run)
    np.testing.assert_array_equal(cell.seeds, [0, 4, 9])
    np.testing.assert_array_equal(cell.metrics["error"], [0, 4, 9])
    np.testing.assert_array_equal(cell.metrics["steps"], [10, 0, 20])
    np.testing.assert_array_equal(cell.arrays["file"], [[0, 1, 2], [3, 4, 5]])
    assert cell.arrays["names"].tolist() == ["a", "bc"]
    assert (cell.compile_seconds, cell.run_seconds) == (1.5, 0.5)
    np.testing.assert_array_equal(cell.axes["loss"], [0, 0.25, 0.5, 0.75, 1])
    assert cell.slide == {}
    ((factors, axis, values, theory, slide),) = store.curves("C33", "loss")
    assert factors == cell.factors and slide is None
    np.testing.assert_array_equal(axis, cell.axes["loss"])
    np.testing.assert_array_equal(theory, [0.1] * 5)
    # Seed 0 came second: 5/4, 6/4, ...
    np.testing.assert_array_equal(values[0], [1.25, 1.5, 1.75, 2, 2.25])
    np.testing.assert_array_equal(store.curves("C33", "norm")[0][1], [0, 1])
    assert store.curves("C33", "unheard") == []
    (known,) = store.specifications()
    assert (known.claim, known.kind, known.file) == ("C33", "experiment", "a.py")
    assert known.json["budget"] == {"steps": 40} and known.source == {"suite.x": "class X: ..."}
    (run_row,) = store.runs()
    assert (run_row.seconds, run_row.environment, run_row.finished is None) == (
        12.5, {"python": "3"}, False,
    )  # fmt: skip


def test_divergence_keeps_what_is_not_a_number(store):
    measurements = Measurements(
        metrics={"error": np.array([np.nan, np.inf, 0.1]), "steps": np.array([1, -np.inf, 3])},
        diverged=np.array([True, True, False]),
        diverged_at=np.array([7, 0, -1]),
    )
    store.save_cell(HASH, CELLS[0], "v1", begin(store), [0, 1, 2], measurements)
    (cell,) = store.cells("C33")
    np.testing.assert_array_equal(cell.metrics["error"], [np.nan, np.inf, 0.1])
    np.testing.assert_array_equal(cell.metrics["steps"], [1, -np.inf, 3])
    assert cell.diverged.tolist() == [True, True, False] and cell.diverged_at.tolist() == [7, 0, -1]


def test_only_what_is_missing_is_asked_for_and_more_seeds_join(store):
    run = begin(store)
    assert store.missing_seeds(HASH, CELLS[1], "v1", range(3)) == [0, 1, 2]
    store.save_cell(HASH, CELLS[1], "v1", run, [0, 2], measured([0, 2]))
    assert store.missing_seeds(HASH, CELLS[1], "v1", range(4)) == [1, 3]
    assert store.missing_seeds(HASH, CELLS[1], "v2", [0]) == [0]
    assert store.missing_seeds("other", CELLS[1], "v1", [0]) == [0]
    assert store.missing_seeds(HASH, CELLS[0], "v1", [0]) == [0]
    gpu = replace(CELLS[1], device="gpu")
    assert store.missing_seeds(HASH, gpu, "v1", [0]) == [0]
    other_budget = Cell(CELLS[1].factors, {"steps": 41})
    assert store.missing_seeds(HASH, other_budget, "v1", [0]) == [0]
    store.save_cell(HASH, CELLS[1], "v1", begin(store, "deep"), [1, 3], measured([1, 3], 0.5))
    (cell,) = store.cells("C33")
    np.testing.assert_array_equal(cell.metrics["error"], [0, 1.5, 2, 3.5])
    assert cell.compile_seconds == 3.0
    assert store.curves("C33", "loss")[0][2].shape == (4, 5)


def test_the_first_value_of_a_trial_stays(store):
    run = begin(store)
    store.save_cell(HASH, CELLS[0], "v1", run, [0], measured([0]))
    store.save_cell(HASH, CELLS[0], "v1", run, [0], measured([0], offset=99))
    (cell,) = store.cells("C33")
    assert cell.metrics["error"].tolist() == [0] and cell.run_seconds == 0.5


def test_a_smoke_run_never_counts_as_a_result(store):
    # The same budget, as for an experiment without a smaller one.
    store.save_cell(HASH, CELLS[0], "v1", begin(store, "smoke"), [0, 1], measured([0, 1]))
    assert store.cells("C33") == [] and store.results("C33").cells == ()
    assert len(store.cells("C33", profile="smoke")) == 1
    assert store.missing_seeds(HASH, CELLS[0], "v1", [0, 1]) == [0, 1]
    assert store.missing_seeds(HASH, CELLS[0], "v1", [0, 1], "smoke") == []


def test_cells_come_in_the_order_of_the_levels(store):
    run = begin(store)
    for i in (3, 1, 0, 2):
        store.save_cell(HASH, CELLS[i], "v1", run, [0], measured([0]))
    assert [c.factors for c in store.cells("C33")] == [c.factors for c in CELLS]
    assert store.results("C33").levels("method") == ["plain", "fancy"]


def test_devices_stay_apart(store):
    run = begin(store)
    store.save_cell(HASH, CELLS[0], "v1", run, [0], measured([0]))
    store.save_cell(HASH, replace(CELLS[0], device="gpu"), "v1", run, [0], measured([0], 2))
    assert store.devices("C33") == ["cpu", "gpu"]
    assert store.results("C33").cells[0].metrics["error"].tolist() == [0]
    assert store.results("C33", "gpu").cells[0].metrics["error"].tolist() == [2]
    assert len(store.cells("C33")) == 2 and store.devices("C12") == []


def test_a_failure_is_kept_until_the_cell_finishes(store):
    run = begin(store)
    store.save_failure(HASH, CELLS[0], "v1", run, "it broke", 3)
    (cell,) = store.cells("C33")
    assert (cell.status, cell.reason, cell.attempts) == ("failed", "it broke", 3)
    assert store.results("C33").cells == () and store.devices("C33") == ["cpu"]
    assert store.missing_seeds(HASH, CELLS[0], "v1", [0]) == [0]
    store.save_cell(HASH, CELLS[0], "v1", run, [0], measured([0]))
    (cell,) = store.cells("C33")
    assert (cell.status, cell.reason) == ("done", "")


def test_the_newest_specification_and_code_are_shown(store):
    run = begin(store)
    store.save_specification(SPEC, file="a.py", source={}, code_version="v1")
    store.save_cell(HASH, CELLS[0], "v1", run, [0], measured([0]))
    changed = replace(SPEC, limits="none")
    store.save_specification(changed, file="a.py", source={}, code_version="v2")
    # Nothing has run under the new one yet.
    assert store.specifications()[0].code_version == "v1"
    store.save_cell(spec_hash(changed), CELLS[1], "v2", run, [0], measured([0], 5))
    assert store.specifications()[0].json["limits"] == "none"
    (cell,) = store.cells("C33")
    assert cell.metrics["error"].tolist() == [5]
    # Going back to the old code shows the old numbers, without running anything.
    store.save_specification(SPEC, file="a.py", source={}, code_version="v1")
    assert store.cells("C33")[0].metrics["error"].tolist() == [0]


def test_broken_files_are_listed_until_the_next_scan(store):
    store.save_broken("a.py", 7, "SyntaxError: no")
    store.save_broken("b.py", None, "ImportError: no")
    assert [(b.file, b.line) for b in store.broken()] == [("a.py", 7), ("b.py", None)]
    store.clear_broken()
    assert store.broken() == []


def test_reading_beside_a_writer_and_from_a_read_only_file(store, path):
    store.save_cell(HASH, CELLS[0], "v1", begin(store), [0], measured([0]))
    with Store.read(path) as reader:
        assert len(reader.cells("C33")) == 1
        with pytest.raises(StoreError, match="cannot write .*readonly"):
            reader.save_broken("a.py", 1, "x")
    store.close()
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        with Store.read(path) as reader:
            assert len(reader.cells("C33")) == 1
    finally:
        path.parent.chmod(0o755)


def test_a_cell_is_stored_whole_or_not_at_all(store, path):
    run = begin(store)
    bad = measured([0, 1])
    bad.metrics["error"] = np.array([1.0, 2.0, 3.0])  # one more than there are seeds
    bad.metrics["steps"] = np.array([1.0, 2.0, 3.0])
    with pytest.raises(ValueError):
        store.save_cell(HASH, CELLS[0], "v1", run, [0, 1], bad)
    assert store.cells("C33") == []
    store.save_cell(HASH, CELLS[0], "v1", run, [0, 1], measured([0, 1]))  # still usable


def test_a_run_id_of_nobody_is_refused(store):
    with pytest.raises(ValueError, match="run_id .* received 77"):
        store.save_failure(HASH, CELLS[0], "v1", 77, "x", 1)


def test_a_full_disk_keeps_what_was_stored(store, path):
    run = begin(store)
    store.save_cell(HASH, CELLS[0], "v1", run, [0], measured([0]))
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages + 3}")
    big = Measurements(
        metrics={"error": np.zeros(40), "steps": np.zeros(40)},
        curves={"loss": np.random.default_rng(3).normal(size=(40, 700))},
    )
    with pytest.raises(StoreError, match="disk is full; what was stored before is kept"):
        store.save_cell(HASH, CELLS[1], "v1", run, range(40), big)
    store.close()
    with Store.read(path) as reader:
        assert [c.factors for c in reader.cells("C33")] == [CELLS[0].factors]


# --- files that are refused, byte for byte as they were ---------------------------------------


def damage_random(path):
    path.write_bytes(np.random.default_rng(5).bytes(9000))


def damage_header(path):
    content = path.read_bytes()
    path.write_bytes(content[:100] + np.random.default_rng(6).bytes(len(content) - 100))


def damage_truncated(path):
    path.write_bytes(path.read_bytes()[: 4096 * 3 + 17])


def newer(path):
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()


def other_database(path):
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE songs (title)")
    database.close()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damage_random, "not a results store"),
        (damage_header, "damaged; restore a copy"),
        (damage_truncated, "damaged; restore a copy"),
        (newer, "newer version .format 99"),
        (other_database, "not a results store"),
        (lambda path: path.write_text("claim,verdict\n"), "not a results store"),
    ],
)
def test_a_file_that_is_no_sound_store_is_refused_untouched(store, path, spoil, message):
    store.save_cell(HASH, CELLS[0], "v1", begin(store), [0], measured([0]))
    store.close()
    spoil(path)
    before = path.read_bytes()
    for attempt in (Store.read, Store.open, lambda p: Store.open(p, create=True)):
        with pytest.raises(StoreError, match=message) as refusal:
            attempt(path)
        assert "\n" not in str(refusal.value) and str(path) in str(refusal.value)
        assert path.read_bytes() == before


def test_what_was_read_is_read_again_once_somebody_wrote(store, path):
    run = begin(store)
    store.save_cell(HASH, CELLS[0], "v1", run, [1, 2], measured([1, 2]))
    with Store.read(path) as reader:
        first = reader.cells(SPEC.claim)
        assert reader.cells(SPEC.claim)[0] is first[0]  # nothing parsed twice
        first.clear()  # the caller's own list
        store.save_cell(HASH, CELLS[0], "v1", run, [3], measured([3]))
        for side in (reader, store):  # another's change, and one's own
            assert side.cells(SPEC.claim, "cpu")[0].seeds.tolist() == [1, 2, 3]
        store.save_specification(replace(SPEC, seeds=77), file="a.py", source={})
        assert reader.specifications()[0].json == store.specifications()[0].json


def test_a_read_only_file_is_not_opened_for_writing(store, path, monkeypatch):
    store.close()
    before = path.read_bytes()
    path.chmod(0o444)
    # The superuser may write anything, so the answer of the system is given here.
    monkeypatch.setattr(store_file.os, "access", lambda p, mode: False)
    with pytest.raises(StoreError, match="read-only; make it writable"):
        Store.open(path, create=True)
    assert path.read_bytes() == before


def test_missing_and_empty_files(tmp_path):
    with pytest.raises(StoreError, match="there is no store at .*a.sqlite"):
        Store.read(tmp_path / "a.sqlite")
    with pytest.raises(StoreError, match="there is no store"):
        Store.open(tmp_path / "a.sqlite")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "b.sqlite").touch()
    with pytest.raises(StoreError, match="is empty"):
        Store.read(tmp_path / "b.sqlite")
    Store.open(tmp_path / "b.sqlite", create=True).close()
    assert Store.read(tmp_path / "b.sqlite").runs() == []


def test_a_database_without_tables_was_a_run_killed_at_once(tmp_path):
    path = tmp_path / "a.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.close()
    Store.open(path, create=True).close()
    assert Store.read(path).runs() == []


@pytest.mark.parametrize("folder", ["file", "none", "none/deeper"])
def test_a_folder_that_is_none(tmp_path, folder):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=f"there is no folder .*/{folder}; make it or choose"):
        Store.open(tmp_path / folder / "a.sqlite", create=True)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_closed_store_is_one_file_also_after_a_reader(store, path):
    store.save_cell(HASH, CELLS[0], "v1", begin(store), [0], measured([0]))
    store.close()
    with Store.read(path) as reader:
        assert len(reader.cells("C33")) == 1
        assert list(path.parent.iterdir()) == [path]
    assert list(path.parent.iterdir()) == [path]


def test_closing_beside_others_keeps_their_log(store, path):
    run = begin(store)
    with Store.open(path) as other:
        reader = Store.read(path)
        assert reader.cells("C33") == []
        store.close()  # does not wait for them
        other.save_cell(HASH, CELLS[0], "v1", run, [0], measured([0]))
        assert len(reader.cells("C33")) == 1
        reader.close()
    assert list(path.parent.iterdir()) == [path]


def test_a_reader_that_came_first_sees_what_a_writer_adds(store, path):
    run = begin(store)
    store.close()
    with Store.read(path) as reader:
        assert reader.cells("C33") == []
        with Store.open(path) as writer:
            writer.save_cell(HASH, CELLS[0], "v1", run, [0], measured([0]))
            assert len(reader.cells("C33")) == 1
        assert len(reader.cells("C33")) == 1


MOUNTS = """\
21 1 8:1 / / rw - ext4 /dev/sda1 rw
30 21 0:40 / /home rw - nfs4 server:/home rw
31 30 8:2 / /home/local\\040disk rw - xfs /dev/sdb rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/var/a", "ext4"), ("/home/me/a", "nfs4"), ("/home/local disk/a", "xfs"), ("/homes", "ext4")],
)
def test_the_innermost_mount_decides(tmp_path, path, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert store_file.file_system(store_file.Path(path), mounts) == kind
    assert store_file.file_system(store_file.Path(path), tmp_path / "none") is None


def test_a_network_file_system_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(store_file, "file_system", lambda path: "nfs4")
    with pytest.raises(StoreError, match="network file system .nfs4.*local --store"):
        Store.open(tmp_path / "a.sqlite", create=True)
    assert list(tmp_path.iterdir()) == []
