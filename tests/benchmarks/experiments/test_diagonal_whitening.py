"""C46: numbers by hand, Keras's layer as oracle, the verdicts and the mutants."""

import keras
import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.normalization_and_skip import diagonal_whitening as c46
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    found = {cell.data: c46.measure(cell, SEEDS) for cell in c46.EXPERIMENT.cells()}
    for one in found.values():
        one.check(c46.EXPERIMENT, len(SEEDS))
    return found


@pytest.fixture(scope="module")
def results(measured):
    none = np.zeros(len(SEEDS), bool)
    return Results(
        tuple(CellResult({"data": d}, SEEDS, m.metrics, none) for d, m in measured.items())
    )


def test_three_samples_by_hand():
    """1, 4, 7 have mean 4 and variance 6."""
    z = c46.normalized(np.array([[1.0], [4.0], [7.0]]), gamma=2.0, beta=5.0)
    step = 2 * 3 / np.sqrt(6 + c46.EPSILON)
    np.testing.assert_allclose(z[:, 0], [5 - step, 5, 5 + step])


def test_layer_against_keras():
    x = c46.problem(c46.PATCHES, 3)
    for training in (True, False):
        layer = keras.layers.BatchNormalization(gamma_initializer=keras.initializers.Constant(1.5),
                                                dtype="float64")  # fmt: skip
        theirs = layer(x, training=training)
        ours = c46.normalized(x, gamma=1.5, training=training)
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_correlated_samples():
    x = c46.correlated(0.6, np.array([2.0, 0.5]), np.random.default_rng(0), samples=13)
    np.testing.assert_allclose(np.cov(x.T, ddof=0), [[4.0, 0.6], [0.6, 0.25]])


def test_seeds_side_by_side_are_seeds_alone(measured):
    """The features of all seeds go through one layer."""
    for data in ("ρ = 0.5", c46.PATCHES):
        alone = c46.measure(Cell({"data": data}, {}), SEEDS[1:2]).metrics
        for name in ("residual", "variance_one", "bias_gradient_inference", "largest_share"):
            np.testing.assert_allclose(measured[data].metrics[name][1], alone[name][0], rtol=1e-9)


def test_gradient_of_the_bias_with_moving_averages_by_hand():
    """There y = 1.5 (x + b) / sqrt(1 + epsilon) + 0.3, for each sample by itself."""
    x, bias, targets = np.array([[1.0], [3.0]]), np.array([0.5]), np.array([[0.0], [1.0]])
    slope = 1.5 / np.sqrt(1 + c46.EPSILON)
    each = slope * (slope * (x + bias) + 0.3 - targets)
    to_bias, to_x = c46.bias_gradient(x, bias, targets, training=False)
    np.testing.assert_allclose(to_x, each)
    np.testing.assert_allclose(to_bias, each.sum(axis=0))
    difference = c46.bias_difference(x, bias, targets, training=False)
    np.testing.assert_allclose(difference, to_bias, rtol=1e-9)


def test_residual_is_root_two_rho(measured):
    found = measured["ρ = 0.9"]
    np.testing.assert_allclose(
        found.curves["missed"], np.broadcast_to(found.theory["missed"], (3, 40)), atol=1e-8
    )
    np.testing.assert_allclose(
        found.curves["variance_after"],
        np.broadcast_to(found.theory["variance_after"], (3, 25)),
        rtol=1e-9,
    )
    # sigma^2 = 0.0625 keeps 0.0625 / 0.0635 of its variance.
    kept = np.sqrt(1 / 1.001 * 0.0625 / 0.0635)
    np.testing.assert_allclose(found.metrics["off_diagonal"], np.sqrt(2) * 0.9 * kept)


def test_two_samples_reach_the_bound(measured):
    """B = 2: z is +-1, which is sqrt(B - 1), up to epsilon."""
    share = measured["ρ = 0"].metrics["largest_share"]
    assert ((share > 0.999) & (share < 1)).all()


def test_some_measurement_vanishes_in_its_units(measured):
    """Fractal dimension and the like vary by less than epsilon."""
    assert (measured[c46.TUMORS].metrics["variance_one"] > 0.9).all()


def test_equivalence_is_refuted_the_laws_hold_and_mutants_fail(results):
    verdicts = {h.id: judge(h, results) for h in c46.EXPERIMENT.hypotheses}
    assert verdicts.pop("C46.whitens").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
