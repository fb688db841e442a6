"""The same networks with and without, and a tiny run is complete."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.comparisons import normalization as subject

COMPARISON = subject.COMPARISON
BUDGET = dict(COMPARISON.budget) | dict(COMPARISON.smoke)
SEEDS = np.arange(2)
NAMES = COMPARISON.contender[1]


def measured(name, learning_rate=0.1, depth=2, **budget):
    factors = {"depth": depth, "normalization": name, "learning_rate": learning_rate}
    found = subject.measure(Cell(factors, BUDGET | budget), SEEDS)
    found.check(COMPARISON, len(SEEDS))
    return found


def test_every_network_gets_every_rate_under_every_setting():
    assert len(COMPARISON.cells()) == 2 * 4 * 7
    np.testing.assert_allclose(np.diff(np.log10(subject.LEARNING_RATES)), 0.5, atol=0.03)


@pytest.mark.parametrize("depth", [2, 5])
def test_all_networks_have_the_same_kernels(depth):
    shapes = []
    for name in NAMES:
        model = subject.network(name, depth)
        model.build((None, 196))
        shapes.append([v.shape for v in model.trainable_variables if v.name == "kernel"])
    assert shapes[0] == [(196, 16)] + [(16, 16)] * (depth - 1) + [(16, 10)]
    assert all(found == shapes[0] for found in shapes)


@pytest.mark.parametrize("name", NAMES[1:3])
def test_what_is_normalized_is_the_input_of_each_activation(name):
    import keras

    model = subject.network(name, 3)
    kinds = [type(layer).__name__ for layer in model.layers]
    kind = {"batch normalization": "BatchNormalization", "whitening": "Whitening"}[name]
    assert kinds == ["Dense", kind, "Activation"] * 3 + ["Dense"]

    x = np.random.default_rng(0).random((64, 196), dtype="float32")
    z = np.asarray(model.layers[0](x), "float64")
    seen = keras.ops.convert_to_numpy(model.layers[1](model.layers[0](x), training=True))
    np.testing.assert_allclose(seen.mean(0), 0, atol=1e-5)
    # Unit variance, but for the epsilon next to the variances of this batch.
    assert np.all(seen.var(0) < 1) and np.all(seen.var(0) > 0.5), z.var(0)
    off = np.cov(seen.T, bias=True) - np.diag(seen.var(0))
    assert (np.abs(off).max() < 0.2) == (name == "whitening")


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_run_is_complete(name):
    found = measured(name, depth=3)
    assert set(found.curves) == {"train_loss", "validation_score", "gradient_norm"}
    np.testing.assert_array_equal(found.axes["train_loss"], [0, 1])
    np.testing.assert_array_equal(found.metrics["steps_to_target"], [2, 2])  # budget + 1
    assert np.all(found.curves["train_loss"][:, 0] != found.curves["train_loss"][:, 1])


def test_every_rate_starts_from_the_same_weights_and_every_seed_from_others():
    one, again = (measured("batch normalization", rate).curves for rate in (0.03, 3.0))
    start, after = (np.transpose([c["train_loss"][:, i] for c in (one, again)]) for i in (0, 1))
    np.testing.assert_array_equal(start[:, 0], start[:, 1])
    assert np.all(after[:, 0] != after[:, 1])
    assert start[0, 0] != start[1, 0]
