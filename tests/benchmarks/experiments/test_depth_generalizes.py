"""Sizes counted by Keras, data checked by hand, a tiny run, and the rule on made-up scores."""

import numpy as np
import pytest

from benchmarks import verdicts
from benchmarks.experiment import Cell
from benchmarks.experiments.shallow_and_deep import _folding
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


def test_two_folds_by_hand():
    x = np.array([0, 0.125, 0.25, 0.5, 0.625, 1])
    np.testing.assert_array_equal(_folding.deep(2)(x), [0, 0.5, 1, 0, 0.5, 0])
    np.testing.assert_array_equal(_folding.wide(4, folds=2)(x), [0, 0.5, 1, 0, 0.5, 0])


def test_pieces_are_counted_at_bends_and_nowhere_else():
    assert _folding.pieces(lambda x: 3 * x + 1, 2) == 1
    assert _folding.pieces(lambda x: np.abs(x - 0.25), 2) == 2


def test_networks_written_down_are_exact():
    exact = _folding.exact()
    assert exact["miscount"] == exact["deep_error"] == exact["wide_error"] == 0
    assert exact["narrower_error"] > 0.1 / _folding.PIECES


def test_a_peak_without_a_bend_is_no_better_than_a_constant():
    x = (np.arange(32) + 0.5) / 32
    peak = 1 - np.abs(2 * x - 1)
    line = np.polyval(np.polyfit(x, peak, 1), x)
    assert np.std(peak - line) == pytest.approx(np.std(peak))


def test_no_bends_found_by_search_beat_the_bound():
    """Greedy bends, which see the target, against a bound that does not know of them."""
    from suite.datasets import tent

    target = tent(_folding.GRID, _folding.FOLDS)
    bends = []
    for _ in range(4):
        tried = np.arange(_folding.PIECES) / _folding.PIECES
        errors = [_folding.fitted_error(np.array([*bends, t]), target) for t in tried]
        bends.append(tried[np.argmin(errors)])
        assert min(errors) / target.std() >= _folding.lower_bound(len(bends))


def test_the_statements_without_training_hold_and_their_mutants_do_not():
    cells = []
    for cell in EXPERIMENT.cells():
        metrics = dict.fromkeys(EXPERIMENT.metrics, np.zeros(2))
        metrics |= {name: np.full(2, value) for name, value in _folding.exact().items()}
        shallow = np.array([_folding.shallow(seed) for seed in (0, 1)])[:, : len(_folding.JUDGED)]
        bound = _folding.lower_bound(_folding.JUDGED)
        metrics["bound_over_shallow"] = (bound / shallow).max(axis=1)
        metrics["constant_over_shallow"] = (1 / shallow).max(axis=1)
        cells.append(verdicts.CellResult(cell.factors, np.arange(2), metrics, np.zeros(2, bool)))
    for name in ("pieces", "represents", "needs", "enough"):
        verdict = verdicts.judge(BY_ID[name], verdicts.Results(tuple(cells)))
        assert verdict.outcome == "SUPPORTED"
        assert {m[1] for m in verdict.mutants} == {"REFUTED"}
