"""C42: moments by hand, quadrature, a real convolution, Keras's HeNormal, verdicts, mutants."""

import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from benchmarks.experiments.exploding_and_vanishing import he_and_the_slope as c42
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(120)  # fewer may not tell a forgotten slope


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c42.EXPERIMENT.cells():
        if cell.activation not in c42.PIECEWISE:
            continue
        found = c42.measure(cell, SEEDS)
        found.check(c42.EXPERIMENT, len(SEEDS))
        cells.append(CellResult(cell.factors, SEEDS, found.metrics, np.zeros(len(SEEDS), bool)))
    return Results(tuple(cells))


def test_gains_by_hand():
    assert c42.gain("Glorot", 30, 10, 0.0) == 1.5
    assert c42.gain("He with slope", 30, 10, 1.0) == 1.0  # a linear layer: LeCun's
    assert c42.gain("He with slope", 30, 10, 0.5) == 1.6


def test_moments_against_quadrature(results):
    for name, a in (("ReLU", 0.0), ("leaky", 0.3)):

        def f(u, a=a):
            return max(u, 0) + a * min(u, 0)

        mean, square = (
            sum(
                integrate.quad(lambda u, p=p: f(u) ** p * stats.norm.pdf(u), *side)[0]
                for side in ((-9, 0), (0, 9))
            )
            for p in (1, 2)
        )
        unit = results.select({"scheme": "LeCun", "activation": name})
        np.testing.assert_allclose(unit.values("second_moment_law"), square)
        np.testing.assert_allclose(unit.values("mean_law"), mean)
        np.testing.assert_allclose(unit.values("variance_law"), square - mean**2)


def test_the_activations_are_the_formula():
    z = np.array([-2.0, 0.5])
    np.testing.assert_allclose(c42.activate("leaky", z), [-0.6, 0.5])
    np.testing.assert_allclose(c42.activate("ReLU", z), [0.0, 0.5])
    np.testing.assert_allclose(c42.activate("tanh", z), np.tanh(z))


def test_the_mean_of_the_logarithm_without_slope_is_a_log_chi_square():
    for n in (4, 32):  # a = 1: linear
        assert c42.log_mean_square(n, 1.0) == pytest.approx(
            special.psi(n / 2) - math.log(n / 2), abs=1e-8
        )


def test_the_mean_of_the_logarithm_for_relu_is_a_mixture_of_log_chi_squares():
    """A chi-square with as many degrees of freedom as units are on."""
    n = 32
    on = np.arange(1, n + 1)
    mixture = stats.binom.pmf(on, n, 0.5) @ (special.psi(on / 2) + math.log(2)) - math.log(n)
    assert c42.log_mean_square(n, 0.0) == pytest.approx(mixture, abs=1e-6)
    # The wide expansion: log(1/2) - 5 / (2n), to second order in 1 / n.
    assert c42.log_mean_square(n, 0.0) == pytest.approx(math.log(0.5) - 2.5 / n, abs=10 / n**2)


def test_a_leaky_logarithm_against_simulation():
    u = np.random.default_rng(0).normal(size=(40_000, 8))
    logs = np.log(np.mean(np.where(u > 0, u, 0.3 * u) ** 2, axis=1))
    error = 4 * logs.std() / math.sqrt(len(logs))
    assert c42.log_mean_square(8, 0.3) == pytest.approx(logs.mean(), abs=error)


def test_a_window_is_one_place_of_a_convolution():
    from suite.initializers import HeNormal
    from suite.layers import Conv2D

    d, _, channels, filters = c42.WINDOW
    layer = Conv2D(filters, d, kernel_initializer=HeNormal(seed=3))
    image = np.random.default_rng(0).normal(1.0, 1.0, (2, d, d, channels)).astype("float32")
    expected = np.asarray(layer(image)).reshape(2, filters)
    weights = HeNormal(seed=3)(c42.WINDOW).numpy().reshape(-1, filters)
    np.testing.assert_allclose(image.reshape(2, -1) @ weights, expected, atol=1e-5)


def test_keras_has_the_same_variance():
    """Keras's HeNormal on the convolution: n = 72. 2.366 is the kurtosis of the cut normal."""
    import keras

    w = np.array([np.asarray(keras.initializers.HeNormal(seed=s)(c42.WINDOW)) for s in range(20)])
    error = 4 * math.sqrt((2.366 - 1) / w.size)
    assert np.mean(w**2) * 72 / 2 == pytest.approx(1, abs=error)
    ours = np.array([c42.scheme("He", 0.0)(s)(c42.WINDOW).numpy() for s in range(20)])
    np.testing.assert_allclose(ours, w)


def test_each_scheme_draws_what_its_gain_says():
    for name in c42.SCHEMES:
        w = np.asarray(c42.scheme(name, 0.3)(seed=5)((90, 60)))
        error = 4 * math.sqrt((2.366 - 1) / w.size)
        assert np.mean(w**2) * 90 / c42.gain(name, 90, 60, 0.3) == pytest.approx(1, abs=error)


def test_tanh_cells_and_repetition():
    cell = next(c for c in c42.EXPERIMENT.cells() if c.activation == "tanh" and c.scheme == "He")
    found = c42.measure(cell, np.array([7, 8, 7]))
    found.check(c42.EXPERIMENT, 3)
    logs = found.metrics["log_ratio"]
    assert logs[0] == logs[2] != logs[1]
    width = np.diff(c42.BINS)
    np.testing.assert_allclose(found.curves["density"] @ width, 1)  # tanh stays within ±1
    # The wide recursion, independently: E tanh(sqrt(2) u)^2 behind the first layer, gain 2.
    square = integrate.quad(lambda u: np.tanh(2**0.5 * u) ** 2 * stats.norm.pdf(u), -9, 9)[0]
    assert found.theory["decades"][1] == pytest.approx(math.log10(square), abs=1e-6)


@pytest.mark.parametrize("hypothesis", c42.EXPERIMENT.hypotheses, ids=lambda h: h.id)
def test_verdicts(results, hypothesis):
    verdict = judge(hypothesis, results)
    assert verdict.outcome == SUPPORTED, verdict.sentence
    assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants)
