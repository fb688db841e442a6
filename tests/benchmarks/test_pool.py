import os
import threading
import time
from collections import deque

import numpy as np
import pytest

from benchmarks import worker
from benchmarks.discover import discover
from benchmarks.plan import Task
from benchmarks.pool import Pool, _Worker


@pytest.fixture
def tasks(experiments):
    """Tasks of a claim, with as many seeds as it wants."""

    def tasks(claim):
        found = next(f for f in discover(experiments)[0] if f.claim == claim)
        return [Task(found, cell, tuple(range(found.spec.seeds))) for cell in found.spec.cells()]

    return tasks


def outcomes(pool, tasks):
    return {o.task.cell.label: o for o in pool.run(tasks)}


def test_every_cell_is_measured_once(tasks, log):
    got = outcomes(Pool({"cpu": 2}), tasks("C12"))
    assert len(got) == 6 and not any(o.reason for o in got.values())
    cell = got["rate=2, kind=a"]
    np.testing.assert_allclose(cell.measurements.metrics["value"], [2, 2.01, 2.02, 2.03, 2.04])
    assert cell.measurements.run_seconds == 0.25 and cell.attempts == 1
    assert len(log.read_text().splitlines()) == 6 * 5


def test_a_worker_keeps_to_its_experiment_and_to_its_leading_factors(tasks):
    mixed = [*tasks("C12"), *tasks("C14")]
    pool, waiting = Pool({"cpu": 2}), deque(mixed)
    one, two = (_Worker(None, None, "cpu", None) for _ in range(2))

    def take(worker):
        if worker in pool._busy:
            pool._busy.remove(worker)
        worker.task = pool._take(waiting, worker)
        pool._busy.append(worker)
        return worker.task

    first, other = take(one), take(two)
    assert (first, other.found.claim) == (mixed[0], "C14")  # not the experiment of the other
    assert take(one) == mixed[1]
    for _ in range(2):
        assert take(two).found.claim == "C14"
    # Nothing of its own is left: it helps, as far as it can from where the other is.
    assert (take(two).cell.rate, take(one).cell.rate) == (1, 2)
    assert (take(two).cell.rate, take(one).cell.rate) == (1, 2)
    assert not waiting


def test_bad_cells_fail_with_their_reason_and_the_others_go_on(tasks):
    got = outcomes(Pool({"cpu": 1}), tasks("C13"))
    reasons = {o.task.cell.how: o.reason for o in got.values()}
    assert reasons["warns"] == ""
    assert reasons["raises"].startswith("RuntimeError: the kitchen is on fire (fails.py:")
    assert reasons["raises"].endswith("in measure)")
    assert "metric 'value' is nan for seed number 1" in reasons["nan"]
    assert "must have shape (3,), received (3, 7)" in reasons["shape"]
    assert "measure must return Measurements" in reasons["type"]
    assert reasons["exits"].startswith("SystemExit: 3")
    assert not any("\n" in reason for reason in reasons.values())
    # What measures without timing itself is timed.
    assert got["how=warns"].measurements.run_seconds > 0


def test_a_killed_worker_loses_only_its_cell(tasks, log):
    got = outcomes(Pool({"cpu": 2}), tasks("C14"))
    assert got["how=always"].reason == "worker died three times (signal 9: out of luck)"
    assert got["how=always"].attempts == 3
    assert got["how=twice"].reason == "" and got["how=twice"].attempts == 3
    assert got["how=never"].attempts == 1
    lines = log.read_text().splitlines()
    assert [lines.count(f"dies {how}") for how in ("always", "twice", "never")] == [3, 3, 1]


def test_a_worker_killed_from_outside(tasks, log, monkeypatch):
    monkeypatch.setenv("FIXTURE_SLEEP", "0.6")
    killed = []
    pool = Pool({"cpu": 2})

    def kill(running):
        if not killed and len(pool._busy) == 2 and pool._busy[1].process.pid:
            killed.append(pool._busy[1].process.pid)
            os.kill(killed[0], 9)

    pool.tick = kill
    got = outcomes(pool, tasks("C12"))
    assert killed and len(got) == 6 and not any(o.reason for o in got.values())
    assert sorted(o.attempts for o in got.values()) == [1, 1, 1, 1, 1, 2]


def test_stop_hands_out_what_is_finished_and_ends_the_workers(tasks, monkeypatch):
    monkeypatch.setenv("FIXTURE_SLEEP", "0.2")
    stop = threading.Event()
    pool = Pool({"cpu": 1}, stop=stop.is_set)
    processes = []
    finished = 0
    for _ in pool.run(tasks("C12")):
        finished += 1
        processes += [w.process for w in [*pool._busy, *pool._idle]]
        stop.set()
        time.sleep(0)
    assert 1 <= finished <= 2
    assert processes and not any(p.is_alive() for p in processes)


def test_a_worker_that_has_grown_too_large_is_replaced(tasks, monkeypatch, log):
    monkeypatch.setattr("benchmarks.pool.memory_bytes", lambda: 1.0)
    got = outcomes(Pool({"cpu": 1}), tasks("C12")[:2])
    assert [o.attempts for o in got.values()] == [1, 1]
    assert len(log.read_text().splitlines()) == 10


def test_memory_that_was_freed_is_not_held_against_a_worker(monkeypatch):
    """Blocks below the threshold for `mmap`; one on top keeps the heap from shrinking."""
    blocks = [b"x" * (60_000 + i % 7) for i in range(3000)]
    top = b"x" * 60_000
    full = worker._memory()
    del blocks
    kept = worker._memory()
    worker._return_freed_memory()
    if kept > full - 1e8:  # else this allocator gives back by itself
        assert worker._memory() < full - 1e8
    del top
    monkeypatch.setattr(worker.ctypes, "CDLL", lambda name: object())  # another C library
    worker._return_freed_memory()


@pytest.mark.parametrize(("after", "retires"), [(1.2e9, False), (1.5e9, True)])
def test_a_worker_asks_to_be_replaced_only_for_what_it_still_holds(monkeypatch, after, retires):
    resident, sent = iter([1.6e9, after]), []
    monkeypatch.setattr(worker, "_memory", lambda: next(resident))
    monkeypatch.setattr(worker, "_measure", lambda *task: worker.Answer())
    monkeypatch.setattr(worker, "_print_into", lambda log: None)
    monkeypatch.setattr(worker.signal, "signal", lambda *_: None)
    monkeypatch.setattr(worker.warnings, "simplefilter", lambda _: None)
    tasks = iter([()])

    class Connection:
        def recv(self):
            try:
                return next(tasks)
            except StopIteration:
                raise EOFError from None

        send = staticmethod(sent.append)

    worker.serve(Connection(), "log", memory_limit=1.4e9)
    assert [answer.retire for answer in sent] == [retires]


def test_the_cpu_hides_the_gpu_and_threads_are_one(monkeypatch):
    from benchmarks.pool import _environment
    from benchmarks.worker import environment_of

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    with _environment(environment_of("cpu")):
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
        assert os.environ["TF_NUM_INTRAOP_THREADS"] == os.environ["OMP_NUM_THREADS"] == "1"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3"
    assert "TF_NUM_INTRAOP_THREADS" not in os.environ
    assert "CUDA_VISIBLE_DEVICES" not in environment_of("gpu")
