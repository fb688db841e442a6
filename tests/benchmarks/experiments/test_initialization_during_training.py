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
    np.testing.assert_allclose(none.metrics["mean_drift"], none.curves["drift"].mean(axis=1))
    results = results_of(none.metrics, batch.metrics)
    verdict = verdicts.judge(BY_ID["identity"], results)
    assert verdict.outcome == verdicts.SUPPORTED
    assert [outcome for _, outcome, _ in verdict.mutants] == [verdicts.REFUTED] * 3


def results_of(*metrics):
    return verdicts.Results(
        tuple(
            verdicts.CellResult(
                {"normalization": level},
                np.arange(len(values["mean_drift"])),
                values,
                np.zeros(len(values["mean_drift"]), bool),
            )
            for level, values in zip(("none", "batch"), metrics, strict=True)
        )
    )


@pytest.mark.parametrize(
    ("center", "drift", "held"), [(1.0, "SUPPORTED", "SUPPORTED"), (-1.0, "REFUTED", "REFUTED")]
)
def test_the_rules_follow_the_sign_of_the_drift(center, drift, held):
    rng = np.random.default_rng(2)

    def metrics(mean):
        return {name: mean + 0.1 * rng.normal(size=14) for name in EXPERIMENT.metrics}

    results = results_of(metrics(center), metrics(0.0))
    assert verdicts.judge(BY_ID["drift"], results).outcome == drift
    assert verdicts.judge(BY_ID["held"], results).outcome == held


def test_the_network_is_the_one_that_is_claimed():
    model = subject.network("batch")
    model.build((None, 5))
    kinds = [type(block).__name__ for block in model.blocks]
    assert kinds.count("BatchNormalization") == subject.DEPTH
    assert isinstance(model.blocks[0], keras.layers.Layer)
