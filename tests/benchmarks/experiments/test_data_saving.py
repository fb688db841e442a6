"""B6: weights counted, symmetry of the network, training sets by hand, a short run, the rules."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.equivariance import data_saving as subject
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

BUDGET = dict(subject.EXPERIMENT.budget) | dict(subject.EXPERIMENT.smoke)


def test_both_networks_have_as_many_weights():
    p4, plain = (subject.network(name).count_params() for name in (subject.P4, subject.PLAIN))
    assert abs(p4 - plain) < 0.05 * plain


def test_the_p4_network_cannot_tell_an_image_from_its_turns():
    x = np.random.default_rng(0).normal(0.3, 1, (5, 14, 14, 1)).astype("float32")
    for name, invariant in ((subject.P4, True), (subject.PLAIN, False)):
        model = subject.network(name)
        one, other = (np.asarray(model(np.rot90(x, k, axes=(1, 2)).copy())) for k in (0, 1))
        assert np.allclose(one, other, atol=1e-5 * np.abs(one).max()) == invariant


def test_turning_by_hand():
    x = np.arange(8.0).reshape(2, 2, 2, 1)
    out = subject.turned(x, np.array([0, 1]))
    assert out[..., 0].tolist() == [[[0, 1], [2, 3]], [[5, 7], [4, 6]]]


@pytest.mark.parametrize(("size", "augmented"), [(100, False), (100, True), (1000, True)])
def test_training_sets_repeat_so_many_images(size, augmented):
    x, y = subject.training_set(3, size, augmented)
    assert x.shape == (4000, 14, 14, 1) and y.shape == (4000,)
    distinct = len(np.unique(x.reshape(4000, -1), axis=0))
    assert distinct == size * (4 if augmented else 1)
    pool, labels = subject.digits(3)[0]
    np.testing.assert_array_equal(x[:size], pool[:size])
    np.testing.assert_array_equal(y[:size], labels[:size])
    if augmented:
        np.testing.assert_array_equal(x[size : 2 * size], np.rot90(pool[:size], 1, axes=(1, 2)))


def test_no_test_image_is_trained_on():
    (pool, _), (test, _) = subject.digits(1)

    def canonical(images):
        turns = [np.rot90(images, k, axes=(1, 2)).reshape(len(images), -1) for k in range(4)]
        return {min(t[i].tobytes() for t in turns) for i in range(len(images))}

    assert not canonical(pool) & canonical(test)


@pytest.mark.parametrize("learner", subject.LEARNERS)
def test_a_short_run_has_the_shapes(learner):
    found = subject.measure(Cell({"learner": learner, "training_images": 100}, BUDGET), range(2))
    found.check(subject.EXPERIMENT, 2)
    assert ((0 <= found.metrics["accuracy"]) & (found.metrics["accuracy"] <= 1)).all()


@pytest.mark.parametrize(("gain", "outcome"), [(0.05, SUPPORTED), (-0.05, REFUTED)])
def test_the_rules_see_who_is_better(gain, outcome):
    noise = np.random.default_rng(0).normal(0, 0.01, 14)
    cells = []
    for cell in subject.EXPERIMENT.cells():
        accuracy = 0.7 + noise + (gain if cell.learner == subject.P4 else 0)
        metrics = {"accuracy": accuracy, "accuracy_any_angle": accuracy - 0.1}
        metrics["loss_between"] = np.full(14, 0.1) + noise
        cells.append(CellResult(dict(cell.factors), np.arange(14), metrics, np.zeros(14, bool)))
    for hypothesis in subject.EXPERIMENT.hypotheses[:-1]:
        verdict = judge(hypothesis, Results(tuple(cells)))
        # Where a rule cannot refute its mutant it decides nothing, so a loss is refuted outright.
        assert verdict.outcome == outcome or (gain < 0 and verdict.outcome != SUPPORTED)
