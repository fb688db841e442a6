"""C41: factors by hand, Keras's initializers, kurtosis by quadrature, verdicts and mutants."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from benchmarks.experiments.exploding_and_vanishing import glorot_compromise as c41
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(c41.EXPERIMENT.seeds)
ASPECTS = (0.5, 2.0)  # square layers and the extremes are left to the benchmark


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c41.EXPERIMENT.cells():
        if cell.aspect not in ASPECTS:
            continue
        found = c41.measure(cell, SEEDS)
        found.check(c41.EXPERIMENT, len(SEEDS))
        cells.append(CellResult(cell.factors, SEEDS, found.metrics, np.zeros(len(SEEDS), bool)))
    return Results(tuple(cells))


def test_hourglass_and_its_factor_by_hand(results):
    assert c41.hourglass(2.0) == (32, 64, 128, 64, 32)
    assert c41.hourglass(0.25) == (256, 64, 16, 64, 256)
    glorot = results.select({"initializer": "GlorotNormal", "aspect": 2.0})
    np.testing.assert_allclose(glorot.values("through_law"), (8 / 9) ** 2)  # 2/3 2/3 4/3 4/3
    np.testing.assert_allclose(glorot.values("forward_law"), 2 / 3)
    np.testing.assert_allclose(glorot.values("backward_law"), 4 / 3)


def test_the_formula_of_the_slide():
    assert c41.variance("GlorotNormal", 100, 400) == 0.004
    assert c41.variance(c41.FAN_IN, 100, 400) == 0.01
    assert c41.variance(c41.FAN_OUT, 100, 400) == 0.0025


def test_kurtosis_against_quadrature():
    def moment(p):
        return integrate.quad(lambda u: u**p * stats.norm.pdf(u), -2, 2)[0]

    normal = moment(4) * moment(0) / moment(2) ** 2
    assert c41.KURTOSIS["others"] == pytest.approx(normal, abs=1e-6)
    assert c41.KURTOSIS["GlorotUniform"] == pytest.approx((1 / 5) / (1 / 3) ** 2)


@pytest.mark.parametrize("name", [c41.FAN_IN, c41.FAN_OUT, *c41.GLOROT])
def test_the_kernels_are_those_of_keras(name):
    import keras

    from suite.training.streams import integer, streams

    widths, seed = (30, 50, 20), 4
    kinds = {
        c41.FAN_IN: keras.initializers.LecunNormal,
        c41.FAN_OUT: lambda seed: keras.initializers.VarianceScaling(mode="fan_out", seed=seed),
        "GlorotNormal": keras.initializers.GlorotNormal,
        "GlorotUniform": keras.initializers.GlorotUniform,
    }
    stream = streams(seed)["initial weights"].spawn(2)[0]
    first, second = c41.kernels(name, widths, seed)
    np.testing.assert_allclose(first, np.asarray(kinds[name](seed=integer(stream))((30, 50))))
    assert second.shape == (50, 20)


@pytest.mark.parametrize(
    ("name", "variance", "kurtosis"),
    [
        ("LecunNormal", 1 / 100, 2.366),
        ("LecunUniform", 1 / 100, 1.8),
        ("GlorotNormal", 2 / 500, 2.366),
        ("GlorotUniform", 2 / 500, 1.8),
        ("HeNormal", 2 / 100, 2.366),
        ("HeUniform", 2 / 100, 1.8),
    ],
)
def test_every_initializer_within_the_band_of_its_kurtosis(name, variance, kurtosis):
    """A 100 x 400 kernel of each class, and of Keras's class beside it."""
    import keras

    from suite import initializers

    for module in (initializers, keras.initializers):
        w = np.asarray(getattr(module, name)(seed=2)((100, 400)), float)
        band = 4 * math.sqrt((kurtosis - 1) / w.size)
        assert np.mean(w**2) / variance == pytest.approx(1, abs=band)
    # A normal that is cut and not scaled up again would have 0.774 of the variance.
    assert band < 1 - 0.774


def test_sizes_along_a_chain():
    x = np.array([[1.0, 2.0]])
    weights = [np.array([[1.0, 0.0, 2.0], [1.0, -1.0, 0.0]]), np.array([[2.0], [0.0], [1.0]])]
    # x -> (3, -2, 2) -> 8; mean squares 2.5, 17/3, 64
    np.testing.assert_allclose(c41.through(x, weights), [1, 17 / 7.5, 25.6])


def test_seeds_differ_and_repeat():
    found = c41.measure(c41.EXPERIMENT.cells()[0], np.array([1, 2, 1])).metrics["through_backward"]
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize("hypothesis", c41.EXPERIMENT.hypotheses, ids=lambda h: h.id)
def test_verdicts(results, hypothesis):
    verdict = judge(hypothesis, results)
    assert verdict.outcome == SUPPORTED, verdict.sentence
    assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants)
