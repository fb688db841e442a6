"""The code path of the speed comparison, on tiny sizes; what it finds is never asserted."""

import json

import numpy as np
import pytest

from benchmarks.speed import __main__ as speed
from benchmarks.speed.contenders import Fit, Jax, Ours
from benchmarks.speed.measure import environment, in_turns, peak_memory, spread
from benchmarks.speed.problems import LOGISTIC, Problem

TINY = Problem("tiny", 5, (4,), 3, 37, "adam", batch_size=8)


class Counting:
    """A contender whose clock says how many runs were made by anyone before."""

    calls = 0

    def __init__(self, name):
        self.name = name

    def warm_up(self):
        return 0.5

    def run(self):
        Counting.calls += 1
        return float(Counting.calls)


def test_contenders_take_turns():
    first, second = in_turns([Counting("a"), Counting("b")], repeats=3)
    np.testing.assert_array_equal(first.seconds, [1, 3, 5])
    np.testing.assert_array_equal(second.seconds, [2, 4, 6])


def test_spread_of_eleven_equidistant_values():
    assert spread(np.arange(11.0)) == (5.0, 1.0, 9.0)


def test_the_whole_path_on_a_tiny_problem(monkeypatch, tmp_path, capsys):
    def groups(quick):
        return {
            "tiny": [
                Ours("train", TINY, 6, seeds=2, seeds_at_once=2),
                Fit("fit, 9-step epochs", TINY, 1, TINY.samples, {}),
            ]
        }

    monkeypatch.setattr(speed, "groups", groups)
    monkeypatch.setattr(speed, "limit_threads", lambda threads: threads)
    file = tmp_path / "speed.json"
    speed.main(["--quick", "--repeats", "1", "--json", str(file)])
    printed = capsys.readouterr().out
    assert "train" in printed and ">= 500" in printed and "tensorflow" in printed
    stored = json.loads(file.read_text())
    assert [row["name"] for row in stored["rows"]] == ["train", "fit, 9-step epochs"]
    assert stored["rows"][0]["ratio"] == [1, 1, 1]
    assert {"device", "threads", "keras", "peak_memory_gb"} <= stored["environment"].keys()


def test_a_missing_peer_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(speed, "jax_installed", lambda: False)
    monkeypatch.setattr(
        speed, "groups", lambda quick: {"peers": [Counting("a"), Jax("JAX", TINY, 2)]}
    )
    rows = speed.measure(quick=True, repeats=1)
    assert rows[1] == {"group": "peers", "name": "JAX", "note": "not installed"}
    assert "not installed" in speed.table(rows)


@pytest.mark.parametrize("problem", [TINY, LOGISTIC], ids=["adam", "sgd"])
def test_jax_does_the_same_arithmetic(problem):
    """The same weights, batches and data; the same weights after 12 steps."""
    pytest.importorskip("jax")
    from benchmarks.speed import jax_peer
    from suite.training import batch_indices, streams, train

    x, y = problem.data()
    history = train(
        problem.model(),
        problem.new_optimizer(),
        problem.loss(),
        x,
        y,
        steps=12,
        batch_size=problem.batch_size,
        probes=(),
    )
    start = [w[None] for w in history.build(0).get_weights()]
    rows = batch_indices(streams(0)["batches"], problem.samples, problem.batch_size, 12)[None]
    pairs = list(zip(start[::2], start[1::2], strict=True))
    found = jax_peer.program(problem)(pairs, rows, x, y)
    for layer, expected in zip(found, zip(*[iter(history.final[0])] * 2, strict=True), strict=True):
        for ours, theirs in zip(expected, layer, strict=True):
            np.testing.assert_allclose(ours, theirs[0], rtol=1e-4, atol=1e-5)  # float32, 12 steps


def test_no_more_than_this_process_ever_held():
    assert 0.01 < peak_memory() < 1000  # GB: a wrong unit is off by a factor of 1024
    assert environment(1)["threads"] == 1


def test_bad_thread_count_is_named():
    with pytest.raises(SystemExit, match="received 0"):
        speed.main(["--threads", "0"])
