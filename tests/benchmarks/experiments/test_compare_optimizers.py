"""The contenders are what they are called, they share their starts, and a tiny run is complete."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.comparisons import optimizers as subject

COMPARISON = subject.COMPARISON
BUDGET = dict(COMPARISON.budget) | dict(COMPARISON.smoke)
SEEDS = np.arange(2)


def measured(name, learning_rate, **budget):
    cell = Cell({"optimizer": name, "learning_rate": learning_rate}, BUDGET | budget)
    found = subject.measure(cell, SEEDS)
    found.check(COMPARISON, len(SEEDS))
    return found


def test_every_optimizer_gets_every_learning_rate():
    cells = COMPARISON.cells()
    contenders, rates = COMPARISON.contender[1], COMPARISON.tuning[1]
    assert len(cells) == len(contenders) * len(rates) == 36
    # A grid in logarithms, so that a usable width in decades means the same everywhere.
    np.testing.assert_allclose(np.diff(np.log10(rates)), 0.5, atol=0.03)


@pytest.mark.parametrize(
    ("name", "first_step"),
    # At a gradient of 3 and a rate of 1/2: the gradient itself; a tenth of it; the gradient over
    # sqrt(0.1 * 3^2); its sign.
    [("SGD", 1.5), ("Momentum", 0.15), ("RMSprop", 0.5 / np.sqrt(0.1)), ("Adam", 0.5)],
)
def test_the_first_step_is_that_of_the_name(name, first_step):
    import keras

    w = keras.Variable([2.0])
    subject.optimizer(name, 0.5).apply([keras.ops.array([3.0])], [w])
    np.testing.assert_allclose(2.0 - w.numpy(), [first_step], rtol=1e-5)  # float32


def test_contenders_start_alike_and_are_scored_on_fixed_names():
    runs = [measured(name, 0.01) for name in ("SGD", "Adam")]
    for run in runs:
        assert set(run.curves) == {"train_loss", "validation_score", "gradient_norm"}
        np.testing.assert_array_equal(run.axes["train_loss"], [0, 2, 4])
        np.testing.assert_array_equal(run.metrics["steps_to_target"], [5, 5])  # budget + 1
    first, second = (run.curves["train_loss"] for run in runs)
    np.testing.assert_allclose(first[:, 0], second[:, 0], rtol=1e-6)
    assert np.all(first[:, -1] != second[:, -1])


def test_a_run_that_diverges_is_a_result():
    found = measured("SGD", 1e30)
    assert found.diverged.all()
    np.testing.assert_array_equal(found.metrics["steps_to_target"], [5, 5])


def test_splits_differ_between_seeds_and_not_between_contenders():
    (x, y), (vx, _), (tx, _) = subject.data_for((0, 1))
    assert x.shape == (2, 3000, 784) and vx.shape == tx.shape == (2, 1000, 784)
    assert not np.array_equal(y[0], y[1])
