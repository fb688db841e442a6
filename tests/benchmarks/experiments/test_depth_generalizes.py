"""Sizes counted by Keras, data checked by hand, a tiny run, and the rule on made-up scores."""

import numpy as np
import pytest

from benchmarks import verdicts
from benchmarks.experiment import Cell
from benchmarks.experiments.shallow_and_deep import depth_generalizes as subject

EXPERIMENT = subject.EXPERIMENT
BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}
BUDGET = dict(EXPERIMENT.budget) | dict(EXPERIMENT.smoke)


@pytest.mark.parametrize("depth", [1, 3])
def test_parameters_are_those_keras_counts(depth):
    from suite.models import MultilayerPerceptron

    model = MultilayerPerceptron((7,) * depth, outputs=4)
    model.build((None, 5))
    assert subject.parameters(5, 7, depth, 4) == model.count_params()


def test_all_depths_get_nearly_the_same_size():
    for task, inputs, outputs in (("digits", 64, 10), ("tent map", 1, 2)):
        wanted = subject.PARAMETERS[task]
        for depth in EXPERIMENT.factors["depth"]:
            width = subject.width_for(inputs, depth, outputs, wanted)
            # Half a unit of four layers of width w is about 4 w numbers of 4 w^2.
            assert subject.parameters(inputs, width, depth, outputs) == pytest.approx(
                wanted, rel=0.08
            )


def test_each_seed_has_its_own_tent_map():
    data = subject.data_for("tent map", (3, 4))
    (x, y), (vx, _) = data["train"], data["validation"]
    assert x.shape == (2, subject.TRAINING_POINTS, 1)
    assert not np.any(x[0] == x[1]) and not np.any(x[0] == vx[0])
    # Three folds: a triangle wave of period 1/4, above one half in its middle.
    phase = (x[..., 0].astype(float) * 4) % 1
    np.testing.assert_array_equal(y, np.abs(phase - 0.5) < 0.25)


@pytest.mark.parametrize("task", ["digits", "tent map"])
def test_a_tiny_run_has_every_number(task):
    found = subject.measure(Cell({"task": task, "depth": 2}, BUDGET), np.arange(2))
    found.check(EXPERIMENT, 2)
    np.testing.assert_allclose(
        found.metrics["gap"], found.metrics["train_score"] - found.metrics["test_score"]
    )
    assert np.all((found.metrics["test_score"] >= 0) & (found.metrics["test_score"] <= 1))
    assert set(found.metrics["at_edge"]) <= {0.0, 1.0}


def test_each_seed_keeps_the_rate_that_its_validation_set_prefers(monkeypatch):
    import suite.training

    # Rates by seeds: the best is the second for seed 0 and the last, an edge, for seed 1.
    validation = np.array([[0.1, 0.2], [0.9, 0.3], [0.5, 0.4], [np.nan, 0.5], [0.6, 0.8]])
    test = np.arange(10.0).reshape(5, 2)

    class Scripted:
        compile_seconds = run_seconds = 0.0
        diverged = np.zeros(2, bool)

        def __init__(self, *args, **kwargs):
            pass

        def __call__(self, learning_rate):
            i = subject.LEARNING_RATES.index(learning_rate)
            run = Scripted()
            names = ("validation_score", "test_score", "train_score")
            run.scores = dict(zip(names, (validation[i], test[i], test[i]), strict=True))
            return run

    monkeypatch.setattr(suite.training, "Training", Scripted)
    found = subject.measure(Cell({"task": "tent map", "depth": 1}, BUDGET), np.arange(2))
    np.testing.assert_array_equal(found.metrics["test_score"], [2.0, 9.0])
    np.testing.assert_array_equal(found.metrics["at_edge"], [0.0, 1.0])


@pytest.mark.parametrize(
    ("advantage", "outcome"), [(0.1, "SUPPORTED"), (-0.1, "REFUTED"), (0.0, "UNDECIDED")]
)
def test_the_rule_says_which_way_or_that_it_does_not_know(advantage, outcome):
    rng = np.random.default_rng(0)
    seeds = np.arange(14)
    cells = []
    for cell in EXPERIMENT.cells():
        score = 0.8 + advantage * (cell.depth == 4) + 0.02 * rng.normal(size=14)
        metrics = dict.fromkeys(EXPERIMENT.metrics, score) | {"minus_test_score": -score}
        cells.append(verdicts.CellResult(cell.factors, seeds, metrics, np.zeros(14, bool)))
    verdict = verdicts.judge(BY_ID["composition"], verdicts.Results(tuple(cells)))
    assert verdict.outcome == outcome
    opposite = {"SUPPORTED": "REFUTED", "REFUTED": "SUPPORTED", "UNDECIDED": "UNDECIDED"}
    assert verdict.mutants[0][1] == opposite[outcome]
