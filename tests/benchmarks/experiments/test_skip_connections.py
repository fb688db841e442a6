"""The laws by sampling and by quadrature, the sweeps against NumPy and Keras, then the rules."""

import numpy as np
import pytest
from scipy import integrate, stats

from benchmarks import verdicts
from benchmarks.experiment import Cell
from benchmarks.experiments.normalization_and_skip import _skip
from benchmarks.experiments.normalization_and_skip import skip_connections as subject
from benchmarks.experiments.normalization_and_skip._skip import (
    CONNECTIONS,
    PLAIN,
    RESIDUAL,
    SCALED,
)

EXPERIMENT = subject.EXPERIMENT
BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}
SMOKE = dict(EXPERIMENT.budget) | dict(EXPERIMENT.smoke)


# --- theory -----------------------------------------------------------------------------------


def test_one_layer_of_one_unit_by_hand():
    # g (1 + s w), squared: the mean is 1 + s^2 tau^2; without the skip it is w^2, of mean tau^2.
    assert _skip.expected_factor(RESIDUAL, 3.0, 0.5) == 1.75
    assert _skip.expected_factor(PLAIN, 3.0, 1.0) == 3.0
    assert _skip.scale_of(SCALED, 4) == 0.5
    assert _skip.scale_of(RESIDUAL, 4) == _skip.scale_of(PLAIN, 4) == 1.0


@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize(("width", "gain", "scale"), [(5, 1.3, 1.0), (3, 0.5, 0.4), (64, 1.0, 0.1)])
def test_the_typical_factor_is_the_integral_over_the_density(connection, width, gain, scale):
    scale = 1.0 if connection == PLAIN else scale
    variance = scale**2 * gain / width
    law = stats.chi2(width) if connection == PLAIN else stats.ncx2(width, 1 / variance)
    low, high = law.ppf(1e-13), law.isf(1e-13)
    exact = integrate.quad(
        lambda t: np.log(variance * t) * law.pdf(t), low, high, epsabs=1e-11, limit=400
    )[0]
    typical = _skip.typical_log_factor(connection, width, gain, scale)
    assert typical == pytest.approx(exact, abs=1e-8)
    assert typical < np.log(_skip.expected_factor(connection, gain, scale))  # Jensen


def test_the_scaled_network_is_bounded_at_every_depth():
    for depth in (1, 10, 1000):
        scale = _skip.scale_of(SCALED, depth)
        assert depth * np.log(_skip.expected_factor(SCALED, 0.7, scale)) < 0.7


# --- sweeps -----------------------------------------------------------------------------------


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_random_networks_are_what_the_library_sweeps(connection):
    from suite.autodiff import parameter
    from suite.training.streams import streams

    depth, width, gain = 7, 5, 0.5
    found = _skip.random_networks(depth, connection, (1.0, gain), width, 1, seed=3)
    assert found.shape == (1, depth + 1, 2)
    rng = np.random.default_rng(streams(3)["initial weights"])
    arriving = rng.normal(size=(1, 1, width))[0]
    drawn = [rng.standard_normal((1, width, width), dtype="float32")[0] for _ in range(depth)]
    kernels = [np.sqrt(gain / width) * w.astype(float).T for w in drawn[::-1]]
    scale = _skip.scale_of(connection, depth)
    states = _skip.layers(parameter(np.ones((1, width))), kernels, connection, scale)
    sizes = _skip.squared_gradients(states, arriving)
    np.testing.assert_allclose(found[0, :, 1], sizes / sizes[-1], rtol=1e-12)


def test_initial_weights_have_gain_one_in_every_layer_and_differ():
    first, offset, equal, offsets, last, final = subject.initial_weights(300, 5)
    shapes = [w.shape for w in subject.network(300, PLAIN).get_weights()]
    assert [w.shape for w in (first, offset, equal, offsets, last, final)] == shapes
    assert not np.any(offset) and not np.any(offsets) and not np.any(final)
    # The sample variance of 300 x 256 normal draws errs by sqrt(2 / 76800); four of them.
    assert equal.var() * subject.WIDTH == pytest.approx(1, abs=4 * np.sqrt(2 / equal.size))
    assert len(np.unique(equal[:, 0, 0])) == 300
    assert not np.allclose(equal, subject.initial_weights(300, 6)[2])


@pytest.mark.parametrize("connection", CONNECTIONS)
def test_gradients_at_the_start_are_those_of_keras(connection):
    import keras
    import tensorflow as tf

    depth = 4
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 2)), rng.integers(2, size=(9, 1)).astype(float)
    model = subject.network(depth, connection)
    model.set_weights(subject.initial_weights(depth, 0))
    decades = subject.start_gradients(model.get_weights(), connection, x, y)
    assert decades.shape == (depth + 1,)
    assert decades[-1] == 0
    first, stack, last = model.layers
    kernels, biases = stack.get_weights()
    state = tf.constant(first(x.astype("float32")))
    states = []
    with tf.GradientTape() as tape:
        for kernel, bias in zip(kernels, biases, strict=True):
            tape.watch(state)
            states.append(state)
            branch = tf.tanh(state @ kernel + bias)
            scale = depth**-0.5 if connection == SCALED else 1.0
            state = branch if connection == PLAIN else state + scale * branch
        states.append(state)
        loss = keras.losses.BinaryCrossentropy(from_logits=True)(y, last(state))
    np.testing.assert_allclose(state, stack(first(x.astype("float32"))), rtol=1e-4, atol=1e-6)
    norms = np.array([np.linalg.norm(g) for g in tape.gradient(loss, states)])
    np.testing.assert_allclose(decades, np.log10(norms / norms[-1]), atol=1e-4)


def test_a_dense_block_is_its_definition_and_neither_of_the_others():
    exact, last, summed = subject.dense_block(1)
    bound = BY_ID["concatenates"].rule.bound
    assert exact <= bound
    assert min(last, summed) > 1e6 * bound


# --- the experiment -----------------------------------------------------------------------------


def test_a_cell_has_what_the_rules_read():
    cell = Cell({"depth": 300, "connection": SCALED}, SMOKE)
    found = subject.measure(cell, np.arange(2))
    found.check(EXPERIMENT, 2)
    assert found.curves["tanh_gradient"].shape == (2, SMOKE["deepest"] + 1)
    assert (found.curves["tanh_gradient"][:, 0] == 0).all()  # the last layer comes first
    np.testing.assert_array_equal(
        found.curves["tanh_gradient"][:, -1], found.metrics["start_decades"]
    )
    assert found.theory["linear_gradient"][0] == 0
    assert found.metrics["unscaled_law"][0] > found.metrics["typical_law"][0] > 0


@pytest.fixture(scope="module")
def laws():
    """Two depths of all connections, without the trainings."""
    cells = []
    for depth in (10, 100):
        for connection in CONNECTIONS:
            factors = {"depth": depth, "connection": connection}
            cell = Cell(factors, SMOKE | {"law_layers": 400})
            metrics, _, _ = subject.law_metrics(depth, cell, range(14))
            cells.append(verdicts.CellResult(factors, np.arange(14), metrics, np.zeros(14, bool)))
    return verdicts.Results(tuple(cells))


@pytest.mark.parametrize("name", ["plain", "residual", "scaled", "half", "expectation"])
def test_laws_hold_and_wrong_forms_are_rejected(name, laws):
    hypothesis = BY_ID[name]
    verdict = verdicts.judge(hypothesis, laws)
    assert verdict.outcome == verdicts.SUPPORTED, verdict.sentence
    assert [o for _, o, _ in verdict.mutants] == [verdicts.REFUTED] * len(hypothesis.mutants)


def trainings(gradients, scores):
    """Results of the deep cells with these gradients and scores, by connection."""
    rng = np.random.default_rng(0)
    return verdicts.Results(
        tuple(
            verdicts.CellResult(
                {"depth": depth, "connection": connection},
                np.arange(14),
                {
                    "start_decades": gradients[connection] + 0.1 * rng.normal(size=14),
                    "test_score": scores[connection] + 0.01 * rng.normal(size=14),
                },
                np.zeros(14, bool),
            )
            for depth in subject.DEEP
            for connection in CONNECTIONS
        )
    )


@pytest.mark.parametrize(
    ("residual", "scaled", "outcomes"),
    [
        (0.8, 0.9, ("SUPPORTED", "SUPPORTED", "SUPPORTED")),
        (0.5, 0.4, ("SUPPORTED", "REFUTED", "REFUTED")),
    ],
)
def test_directions_can_go_either_way(residual, scaled, outcomes):
    results = trainings(
        {PLAIN: -5.0, RESIDUAL: 2.0, SCALED: 0.1}, {PLAIN: 0.6, RESIDUAL: residual, SCALED: scaled}
    )
    names = ("combat", "hundreds", "ablation")
    assert tuple(verdicts.judge(BY_ID[n], results).outcome for n in names) == outcomes
