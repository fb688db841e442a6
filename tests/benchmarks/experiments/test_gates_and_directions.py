"""C68: a step by hand, Keras as oracle, the verdicts and the mutants."""

import keras
import numpy as np
import pytest

from benchmarks.experiments.architectures import gates_and_directions as c68
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c68.EXPERIMENT.cells():
        found.append((cell, c68.measure(cell, SEEDS)))
        found[-1][1].check(c68.EXPERIMENT, len(SEEDS))
    return found


def test_one_step_of_a_gru_by_hand():
    """Gates at one half: with h = 2, h U_h = 6 and b' = 8, the two places of the reset differ."""
    weights = [np.zeros((1, 3)), np.array([[0.0, 0.0, 3.0]]), np.zeros((2, 3))]
    weights[2][1, 2] = 8.0
    x, h = np.zeros((1, 1)), (np.full((1, 1), 2.0),)
    (after,) = c68.gru_step(x, h, weights, reset_after=True)
    (before,) = c68.gru_step(x, h, [*weights[:2], np.zeros(3)], reset_after=False)
    assert after[0, 0] == pytest.approx(0.5 * 2 + 0.5 * np.tanh(0.5 * (6 + 8)), rel=1e-15)
    assert before[0, 0] == pytest.approx(0.5 * 2 + 0.5 * np.tanh(3), rel=1e-15)
    (swapped,) = c68.gru_step(x, (4 * h[0],), weights, reset_after=True, swapped=True)
    assert swapped[0, 0] == pytest.approx(0.5 * 8 + 0.5 * np.tanh(0.5 * 32), rel=1e-15)


@pytest.mark.parametrize("name", c68.LAYERS)
def test_definitions_against_keras(name):
    rng = np.random.default_rng(1)
    kinds = {c68.RNN: keras.layers.SimpleRNN, c68.LSTM: keras.layers.LSTM}
    settings = {"return_sequences": True, "dtype": "float64"}
    if name in c68.GATED:
        layer = keras.layers.GRU(5, reset_after=name == c68.AFTER, **settings)
    else:
        layer = kinds[name](5, **settings)
    layer.build((None, 6, 3))
    weights = [rng.normal(0.1, 0.5, tuple(w.shape)) for w in layer.weights]
    layer.set_weights(weights)
    x = rng.normal(0.7, 1, (2, 6, 3))
    np.testing.assert_allclose(c68.by_hand(name, x, weights), layer(x), atol=1e-14)


def test_flipped_by_hand():
    y = np.array([[[1, 10], [2, 20], [3, 30]]])
    assert c68.flipped(y).tolist() == [[[30, 3], [20, 2], [10, 1]]]
    assert c68.flipped(y, swap=False).tolist() == [[[3, 30], [2, 20], [1, 10]]]


def test_counter_and_number_of_states():
    assert c68.counted(c68.LSTM) == (20, 2)
    for name in (c68.RNN, *c68.GATED):
        largest, states = c68.counted(name)
        assert largest <= 1
        assert states == 1


def test_changes_reach_forward_only_in_one_direction(measured):
    for _, found in measured:
        assert (found.curves["one"][:, : c68.CHANGED] == 0).all()
        assert (found.curves["one"][:, c68.CHANGED :] > 0).all()
        assert (found.curves["both"] > 0).all()


def test_definitions_hold_and_every_mutant_falls(measured):
    none = np.zeros(len(SEEDS), bool)
    results = Results(tuple(CellResult(c.factors, SEEDS, m.metrics, none) for c, m in measured))
    for hypothesis in c68.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, (hypothesis.id, verdict.sentence)
        assert {m[1] for m in verdict.mutants} == {REFUTED}, verdict.mutants
