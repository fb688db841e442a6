"""The code path of the speed comparison, on tiny sizes; what it finds is never asserted."""

from functools import partial

import keras
import numpy as np
import pytest

import suite
from benchmarks.speed import __main__ as speed
from benchmarks.speed import components, deviation, modes
from benchmarks.speed.contenders import Fit, Jax, Ours
from benchmarks.speed.measure import environment, in_turns, peak_memory, spread
from benchmarks.speed.problems import LOGISTIC, Problem
from benchmarks.speed.record import keep, read, writable

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
    stored = read(file)["training"]
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


def test_each_pair_says_how_far_apart_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.speed.__main__.limit_threads", lambda threads: threads)
    monkeypatch.setattr(components, "SECONDS", 1e-4)
    monkeypatch.setattr(components, "LOOP", 1)
    file = tmp_path / "speed.json"
    keep(file, "training", {}, [])
    asked = [f"--only={name}" for name in ("HeNormal", "MeanSquaredError", "SGD", "Dense forward")]
    components.main([*asked, "--repeats=1", f"--json={file}"])
    assert "HeNormal" in capsys.readouterr().out
    tables = read(file)
    rows = {row["name"]: row for row in tables["components"]["rows"]}
    assert list(rows) == [
        "Dense forward", "MeanSquaredError value and gradient", "SGD update", "HeNormal draw",
    ]  # fmt: skip
    assert all(row["deviation"] <= row["rounding"] < 1e-8 for row in rows.values())
    assert "training" in tables  # what was there stays


class Sloppy(keras.layers.Dense):
    """A float32 product inside: wrong in the seventh digit, as no float64 layer may be."""

    def call(self, inputs, training=None):
        product = keras.ops.matmul(
            keras.ops.cast(inputs, "float32"), keras.ops.cast(self.kernel, "float32")
        )
        return keras.ops.cast(product, "float64") + self.bias


def test_a_deviation_beyond_rounding_is_seen():
    makers = [partial(cls, units=4) for cls in (Sloppy, keras.layers.Dense)]
    found, rounding = deviation.of_layer(*makers, (3, 5), training=False)
    assert 1e-9 < found < 1e-5 and found > rounding
    makers = [partial(cls, units=4) for cls in (suite.layers.Dense, keras.layers.Dense)]
    found, rounding = deviation.of_layer(*makers, (3, 5), training=True)
    assert found <= rounding


@pytest.mark.parametrize("name", ["Adam", "gelu", "leaky_relu"])
def test_numpy_says_that_ours_is_exact(name):
    """Keras keeps constants of these in float32; should it mend that, this still passes."""
    ours, theirs = deviation.against_numpy(name)
    assert ours < deviation.allowed(deviation.STEPS)
    assert theirs < 1e-4


def test_a_gradient_that_vanishes_hides_nothing():
    """The squares of a normalized batch have no slope: weights that differ make one."""
    makers = [partial(m.layers.BatchNormalization) for m in (suite, keras)]
    found, rounding = deviation.of_layer(*makers, (6, 5, 3), training=True)
    assert found < 1e-12 < rounding


def test_your_layer_is_measured_against_kerass():
    cls, name = components.your_layer("suite.layers:GRU=LSTM")
    assert cls is suite.layers.GRU and name == "LSTM"


@pytest.mark.parametrize("text", ["nonsense", "suite.layers:GRU=Nothing", "no.where:X=LSTM"])
def test_a_layer_that_is_not_there_is_named(text):
    with pytest.raises(SystemExit, match=f"--yours.*{text}"):
        components.your_layer(text)


def test_all_ways_to_run_do_the_same_steps(monkeypatch):
    monkeypatch.setattr(modes, "devices", lambda: {"CPU": "/CPU:0"})
    rows = modes.measure(TINY, steps=7, repeats=1)
    assert [row["way"] for row in rows] == ["eager", "graph", "XLA", "train"]
    assert rows[0]["deviation"] == 0
    assert all(row["deviation"] < 1e-4 for row in rows)  # float32, 7 steps
    assert rows[3]["ratio"] == [1, 1, 1] and "train" in modes.line(rows[3])


def test_other_data_would_be_seen(monkeypatch):
    """Mutant: batches of another seed give other weights, so that agreement means something."""
    from suite.training import batch_indices, streams

    def other(problem, steps):
        stream = streams(1)["batches"]
        return batch_indices(stream, problem.samples, problem.batch_size, steps)

    monkeypatch.setattr(modes, "batches", other)
    assert modes.measure(TINY, steps=7, repeats=1)[3]["deviation"] > 1e-3


def test_a_file_of_something_else_is_not_written_over(tmp_path):
    file = tmp_path / "other.json"
    file.write_text('{"mine": 1}')
    with pytest.raises(SystemExit, match=str(file)):
        keep(file, "modes", {}, [])
    assert file.read_text() == '{"mine": 1}'
    with pytest.raises(SystemExit, match="no folder"):
        writable(tmp_path / "nowhere" / "speed.json")
