"""Two stores compared: planted shifts are found, noise is not, and SciPy agrees on the size."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.changes import changes
from benchmarks.discover import discover
from benchmarks.experiment import Measurements
from benchmarks.store import Store


@pytest.fixture
def steady(experiments):
    return discover(experiments)[0][0]


def write(path, found, metric, cells=None):
    """A store whose cells have the values that `metric(cell number)` returns, one a seed."""
    with Store.open(path, create=True) as store:
        run = store.start_run("lecture", path.stem, {"cpu": "one"})
        store.save_specification(
            found.spec, file=found.file, source={}, code_version=found.code_version
        )
        for i, cell in enumerate(found.spec.cells("cpu")[:cells]):
            values = np.asarray(metric(i), float)
            measured = Measurements(metrics={"value": values, "twice": 2 * values + 1})
            store.save_cell(found.hash, cell, found.code_version, run, range(len(values)), measured)
    return path


def compared(first, second):
    with Store.read(first) as old, Store.read(second) as new:
        return changes(old, new)


def noise(seed, n=20):
    return lambda i: np.random.default_rng([seed, i]).normal(3.0, 0.5, n)


def test_a_store_does_not_differ_from_itself(tmp_path, steady):
    path = write(tmp_path / "a", steady, noise(1))
    found = compared(path, path)
    assert not found
    assert (found.compared, found.values, found.same) == (12, 240, 240)


def test_other_seeds_are_noise(tmp_path, steady):
    found = compared(
        write(tmp_path / "a", steady, noise(1)), write(tmp_path / "b", steady, noise(2))
    )
    assert found.shifts == () and found.compared == 12 and found.same == 0


def test_a_planted_shift_is_found_with_welchs_p(tmp_path, steady):
    def moved(i):
        return noise(2, n=15)(i) + (2.0 if i == 4 else 0.0)

    found = compared(write(tmp_path / "a", steady, noise(1)), write(tmp_path / "b", steady, moved))
    assert {s.metric for s in found.shifts} == {"value", "twice"} and len(found.shifts) == 2
    for shift in found.shifts:
        scale = {"value": 1, "twice": 2}[shift.metric]
        oracle = stats.ttest_ind(scale * moved(4), scale * noise(1)(4), equal_var=False)
        assert shift.in_errors == pytest.approx(oracle.statistic)
        assert shift.p == pytest.approx(oracle.pvalue)
        assert shift.p_holm >= shift.p * 11  # of 12 metrics


def test_false_alarms_are_rare(tmp_path, steady):
    alarms = [
        bool(
            compared(
                write(tmp_path / f"a{k}", steady, noise(2 * k)),
                write(tmp_path / f"b{k}", steady, noise(2 * k + 1)),
            )
        )
        for k in range(20)
    ]
    assert sum(alarms) <= 2  # at most 1 % each: three of twenty have a chance of 0.1 %


def test_exact_values_may_not_move_at_all_but_may_round(tmp_path, steady):
    constant = write(tmp_path / "a", steady, lambda i: np.full(5, 7.0))
    rounded = write(tmp_path / "b", steady, lambda i: np.full(5, 7.0 * (1 + 1e-9)))
    other = write(tmp_path / "c", steady, lambda i: np.full(5, 7.0 + (i == 2)))
    assert not compared(constant, rounded)
    found = compared(constant, other)
    assert {(s.metric, s.in_errors) for s in found.shifts} == {("value", np.inf), ("twice", np.inf)}


def test_missing_cells_and_claims_are_not_changes(tmp_path, steady, experiments):
    one = write(tmp_path / "a", steady, noise(1))
    part = write(tmp_path / "b", steady, noise(1), cells=2)
    found = compared(one, part)
    assert found.compared == 4 and found.shifts == ()
    with Store.open(tmp_path / "empty", create=True):
        pass
    found = compared(one, tmp_path / "empty")
    assert found.only_old == ("C12",) and found.compared == 0 and not found.verdicts


def test_the_command_says_it_and_its_exit_code_does(tmp_path, steady, command):
    one = write(tmp_path / "a", steady, noise(1))
    other = write(tmp_path / "b", steady, lambda i: noise(1)(i) + 3.0)
    assert command("compare", one, one)[0] == 0
    code, out, _ = command("compare", one, other)
    assert code == 1 and "12 of 12 metrics moved beyond noise" in out
    code, _, err = command("compare", one, tmp_path / "no")
    assert code == 2 and "no" in err and len(err.splitlines()) == 1
