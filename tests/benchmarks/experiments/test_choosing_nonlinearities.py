"""C25: slopes by hand, finite differences, the table's keys, the verdicts and the mutants."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.shallow_and_deep import choosing_nonlinearities as c25
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def measured():
    return {a: c25.measure(Cell({"activation": a}, {}), SEEDS) for a in c25.ACTIVATIONS}


def test_every_activation_of_the_library_is_a_cell():
    from suite.activations import PROPERTIES

    assert sorted(c25.ACTIVATIONS) == sorted(PROPERTIES)
    assert sorted(c25.BOUNDED + c25.RECTIFIERS) == sorted(PROPERTIES)
    assert [a for a in c25.ACTIVATIONS if PROPERTIES[a].kinks] == list(c25.KINKED)


def test_slopes_by_hand():
    x = np.array([-1.0, 2.0])
    e = np.e
    np.testing.assert_allclose(c25.closed_slope("relu", x), [0, 1])
    np.testing.assert_allclose(c25.closed_slope("leaky_relu", x), [0.2, 1])
    np.testing.assert_allclose(c25.closed_slope("elu", x), [1 / e, 1])
    np.testing.assert_allclose(c25.closed_slope("softplus", x), [1 / (1 + e), e**2 / (1 + e**2)])
    np.testing.assert_allclose(c25.closed_slope("tanh", np.zeros(1)), [1])
    np.testing.assert_allclose(c25.closed_slope("sigmoid", np.zeros(1)), [1 / 4])
    np.testing.assert_allclose(c25.closed_slope("silu", np.zeros(1)), [1 / 2])
    np.testing.assert_allclose(c25.closed_slope("gelu", np.zeros(1)), [1 / 2])


@pytest.mark.parametrize("name", c25.ACTIVATIONS)
def test_slopes_against_central_differences(name):
    x = np.array([-3.1, -0.7, 0.4, 2.3])
    h = np.finfo(float).eps ** (1 / 3)
    above, _ = c25.value_and_slope(name, x + h)
    below, _ = c25.value_and_slope(name, x - h)
    np.testing.assert_allclose((above - below) / (2 * h), c25.closed_slope(name, x), atol=1e-9)


def test_no_derivative_is_larger_than_the_bounds_assume():
    """Second and third derivatives, as differences of the closed slope away from the kinks."""
    x = np.linspace(-9, 9, 3001)
    x = x[np.abs(x) > 0.01]
    h = 1e-3
    for name in c25.ACTIVATIONS:
        slope, above, below = (c25.closed_slope(name, x + d) for d in (0, h, -h))
        assert np.abs(above - below).max() / (2 * h) < c25.LARGEST_DERIVATIVE
        assert np.abs(above - 2 * slope + below).max() / h**2 < c25.LARGEST_DERIVATIVE


def test_an_end_at_infinity_has_to_be_far_out_on_its_own_side():
    assert c25.end_error(1e16, np.inf) == 1e-16
    assert c25.end_error(-1e16, np.inf) == np.inf
    assert c25.end_error(0.75, 1) == 0.25


@pytest.mark.parametrize(
    ("change", "metric"),
    [
        ({"range": (-2, 1)}, "range_error"),
        ({"slopes": (0, 0.9)}, "slopes_error"),
        ({"slope_limits": (0.1, 0)}, "limit_error"),
        ({"center": (0.0, 0.1)}, "about_center"),
    ],
)
def test_a_wrong_entry_of_the_table_is_seen(monkeypatch, change, metric):
    from suite.activations import PROPERTIES
    from suite.activations.properties import Interval

    change = {k: Interval(*v) if k in ("range", "slopes") else v for k, v in change.items()}
    monkeypatch.setitem(PROPERTIES, "tanh", replace(PROPERTIES["tanh"], **change))
    found = c25.measure(Cell({"activation": "tanh"}, {}), SEEDS)
    assert np.all(found.metrics[metric] > 0.05)


def test_curves_show_the_kink(measured):
    found = measured["relu"]
    np.testing.assert_allclose(found.curves["value"][0], np.maximum(found.axes["value"], 0))
    assert set(found.curves["slope"][0]) == {0.0, 1.0}


def test_all_hold_and_all_mutants_are_refuted(measured):
    diverged = np.zeros(len(SEEDS), bool)
    cells = []
    for name, found in measured.items():
        found.check(c25.EXPERIMENT, len(SEEDS))
        cells.append(CellResult({"activation": name}, SEEDS, found.metrics, diverged))
    for hypothesis in c25.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, Results(tuple(cells)))
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
