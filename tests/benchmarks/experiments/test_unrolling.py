"""C65: a network by hand, Keras and the suite's own sweep as oracles, the verdicts, the mutants."""

import keras
import numpy as np
import pytest

from benchmarks.experiments.architectures import _sequences
from benchmarks.experiments.architectures import unrolling as c65
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    found = []
    for cell in c65.EXPERIMENT.cells():
        found.append((cell, c65.measure(cell, SEEDS)))
        found[-1][1].check(c65.EXPERIMENT, len(SEEDS))
    return found


@pytest.fixture
def problem():
    """Inputs (2, 6, 3), targets (2, 6, 5) and the weights of a layer of five units."""
    rng = np.random.default_rng(1)
    x = _sequences.sequences(_sequences.NOISE, 2, rng)
    weights = rng.normal(0.1, 0.4, (3, 5)), rng.normal(0.1, 0.4, (5, 5)), rng.normal(0.1, 0.4, 5)
    return x, rng.normal(0.2, 0.5, (2, 6, 5)), weights


def test_two_steps_by_hand():
    """One unit, W_h = 1, W_x = 2, b = 0: tanh(2 x1), then tanh(tanh(2 x1) + 2 x2)."""
    x = np.array([[[0.1], [0.3]]])
    states = c65.states_of(x, np.array([[1.0], [2.0]]), np.zeros(1))
    first = np.tanh(0.2)
    np.testing.assert_allclose(states[0, :, 0], [first, np.tanh(first + 0.6)], rtol=1e-15)


def test_gradient_of_two_steps_by_hand():
    """L = (h2 - y)^2 / 2 by W_h: with h0 = 0 the copy of step 1 adds nothing, that of step 2 h1."""
    x, targets = np.array([[[0.1], [0.3]]]), np.array([[[9.0], [0.5]]])
    kernel, recurrent_kernel, bias = np.array([[2.0]]), np.array([[1.0]]), np.zeros(1)
    states = c65.states_of(x, np.array([[1.0], [2.0]]), bias)[0, :, 0]
    counted = c65.weights_of_steps(c65.LAST, 2)
    delta2 = (states[1] - 0.5) * (1 - states[1] ** 2)
    delta1 = delta2 * 1.0 * (1 - states[0] ** 2)
    expected = [delta2 * states[0], delta1 * 0.1 + delta2 * 0.3, delta1 + delta2]
    layer = keras.layers.SimpleRNN(1, return_sequences=True, dtype="float64")
    layer.build((None, 2, 1))
    layer.set_weights([kernel, recurrent_kernel, bias])
    found = c65.gradient_through_time(layer, x, targets, counted)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-14)


def test_states_against_keras(problem):
    x, _, (kernel, recurrent_kernel, bias) = problem
    layer = keras.layers.SimpleRNN(5, return_sequences=True, dtype="float64")
    layer.build((None, 6, 3))
    layer.set_weights([kernel, recurrent_kernel, bias])
    matrix = np.concatenate([recurrent_kernel, kernel])
    np.testing.assert_allclose(c65.states_of(x, matrix, bias), np.asarray(layer(x)), atol=1e-14)


def test_copies_against_the_contributions_of_a_sweep(problem):
    """The suite's own backpropagation, which knows no TensorFlow, sees what each step adds."""
    from suite.autodiff import constant, contributions, parameter, recurrence, squared_error

    x, targets, (kernel, recurrent_kernel, bias) = problem
    matrix = np.concatenate([recurrent_kernel, kernel])
    node, b = parameter(matrix, "W"), parameter(bias, "b")
    xs = [constant(x[:, t], f"x{t}") for t in range(6)]
    states = recurrence(xs, constant(np.zeros((2, 5)), "h0"), node, b)
    by_step = dict(
        (user.name, part)
        for user, part in contributions(squared_error(states[-1], targets[:, -1]), node)
    )
    _, unrolled = c65.layers(_sequences.NOISE)
    counted = c65.weights_of_steps(c65.LAST, 6)
    copies = c65.gradients_of_copies(unrolled, [matrix, bias], x, targets, counted)
    for t in range(6):
        np.testing.assert_allclose(copies[t, :-1], by_step[f"product{t + 1}"], atol=1e-14)


def test_cut_off_is_the_gradient_of_states_held_fixed(problem):
    """With W_h = 0 nothing reaches further back, and cutting off changes nothing."""
    x, targets, (kernel, recurrent_kernel, bias) = problem
    counted = c65.weights_of_steps(c65.EVERY, 6)
    recurrent, _ = c65.layers(_sequences.NOISE)
    for scale, same in ((0.0, True), (1.0, False)):
        weights = kernel, scale * recurrent_kernel, bias
        recurrent.set_weights(weights)
        states = c65.states_of(x, np.concatenate([weights[1], kernel]), bias)
        found = c65.truncated(x, states, targets, counted)
        gradient = c65.gradient_through_time(recurrent, x, targets, counted)
        assert np.allclose(found, gradient, atol=1e-13) is same


def test_contributions_are_one_a_step(measured):
    for cell, found in measured:
        time = 6 if cell.data == _sequences.NOISE else 14
        assert found.curves["contribution"].shape == (len(SEEDS), time)
        assert (found.curves["contribution"] > 0).all()
        assert found.curves["difference"].min(axis=1).max() < 1e-8


def test_slide_holds_and_every_mutant_falls(measured):
    none = np.zeros(len(SEEDS), bool)
    results = Results(tuple(CellResult(c.factors, SEEDS, m.metrics, none) for c, m in measured))
    for hypothesis in c65.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}, verdict.mutants
