"""The identity on a layer worked by hand in NumPy, a short training, and the rules."""

import keras
import numpy as np
import pytest

from benchmarks import verdicts
from benchmarks.experiment import Cell
from benchmarks.experiments.exploding_and_vanishing import (
    initialization_during_training as subject,
)

EXPERIMENT = subject.EXPERIMENT
BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}
BUDGET = dict(EXPERIMENT.budget) | dict(EXPERIMENT.smoke)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(1.0, 2.0, (11, 5))


def test_mean_squares_are_those_of_numpy(x):
    model = subject.network("none", dtype="float64")
    model.build((None, 5))
    z, wanted = x, []
    for kernel, bias in zip(model.get_weights()[:-2:2], model.get_weights()[1:-2:2], strict=True):
        z = z @ kernel + bias
        wanted.append(np.mean(z**2))
        z = np.maximum(z, 0)
    assert len(wanted) == subject.DEPTH
    np.testing.assert_allclose(subject.mean_squares(model, x), wanted, rtol=1e-12)


def test_a_normalized_layer_keeps_the_identity_and_only_with_epsilon(x):
    model = subject.network("batch", dtype="float64")
    model.build((None, 5))
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:
        if "gamma" in variable.path or "beta" in variable.path:
            variable.assign(rng.normal(1.0, 0.5, variable.shape))
    exact, without_epsilon, at_inference = subject.deviations(model, x)
    bound = BY_ID["identity"].rule.bound
    assert exact <= bound
    assert without_epsilon > 10 * bound
    assert at_inference > 10 * bound


def measured(normalization):
    cell = Cell({"normalization": normalization}, BUDGET)
    found = subject.measure(cell, np.arange(2))
    found.check(EXPERIMENT, 2)
    return found


def test_a_few_steps_already_separate_the_two():
    none, batch = measured("none"), measured("batch")
    assert none.curves["drift"].shape == (2, subject.DEPTH)
    for i, layers in enumerate(none.curves["drift"]):
        assert none.metrics["least_growth"][i] == min(layers)
        assert none.metrics["last_growth"][i] == layers[-1]
        assert none.metrics["mean_distance"][i] == pytest.approx(
            sum(abs(layer) for layer in layers) / len(layers)
        )
    # The course starts from itself, on the probe's images, and ends where training did.
    assert none.axes["last"].tolist() == [0, 2, 4]
    assert none.arrays["course"].shape == (3, subject.DEPTH)
    np.testing.assert_array_equal(none.curves["last"][:, 0], 0)
    np.testing.assert_allclose(
        none.curves["last"][:, -1], none.metrics["last_growth"], atol=0.3
    )  # other images
    assert "last" not in batch.curves
    results = results_of(none.metrics, batch.metrics)
    verdict = verdicts.judge(BY_ID["identity"], results)
    assert verdict.outcome == verdicts.SUPPORTED
    assert [outcome for _, outcome, _ in verdict.mutants] == [verdicts.REFUTED] * 3


def results_of(*metrics):
    return verdicts.Results(
        tuple(
            verdicts.CellResult(
                {"normalization": level},
                np.arange(len(values["mean_distance"])),
                values,
                np.zeros(len(values["mean_distance"]), bool),
            )
            for level, values in zip(("none", "batch"), metrics, strict=True)
        )
    )


def test_the_initial_spread_is_that_of_drawn_networks():
    rng = np.random.default_rng(3)
    scales = []
    for _ in range(400):
        z = np.ones(64)  # mean square one
        for _ in range(8):
            z = np.maximum(rng.normal(0, np.sqrt(2 / 64), (64, 64)) @ z, 0)
        scales.append(np.mean(z**2))
    scales = np.array(scales)
    # Eight factors of relative variance 5/64 compound to 1.08^8 - 1; the constant leaves that out.
    assert 10**subject.INITIAL_SPREAD - 1 == pytest.approx(scales.std() / scales.mean(), rel=0.35)


@pytest.mark.parametrize(
    ("growth", "drift", "held"),
    # A scale that shrinks refutes growth, and has moved away all the same.
    [(1.0, "SUPPORTED", "SUPPORTED"), (-1.0, "REFUTED", "SUPPORTED"), (0.0, "REFUTED", None)],
)
def test_growth_has_a_direction_and_distance_has_none(growth, drift, held):
    rng = np.random.default_rng(2)

    def metrics(mean, spread):
        layers = mean + spread * rng.normal(size=(14, 8))
        return {
            "least_growth": layers[:, 0],
            "mean_distance": np.abs(layers).mean(axis=1),
        }

    results = results_of(metrics(growth, 0.1), metrics(-0.2, 0.1))
    verdict = verdicts.judge(BY_ID["drift"], results)
    assert verdict.outcome == drift
    assert verdict.mutants[0][1] == "REFUTED"  # the normalized layers shrank
    if held:
        assert verdicts.judge(BY_ID["held"], results).outcome == held


def test_the_network_is_the_one_that_is_claimed():
    model = subject.network("batch")
    model.build((None, 5))
    kinds = [type(block).__name__ for block in model.blocks]
    assert kinds.count("BatchNormalization") == subject.DEPTH
    assert isinstance(model.blocks[0], keras.layers.Layer)
