"""C20: lines and formulas by hand, enumeration and linear programs as oracles, the verdicts."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from benchmarks.experiment import Cell
from benchmarks.experiments.shallow_and_deep import learnable_features as c20
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(5)
JUDGED = (c20.LOGISTIC, c20.MLP, c20.VECTOR)
SQUARE = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])


@pytest.fixture(scope="module")
def measured():
    cells = [cell for cell in c20.EXPERIMENT.cells() if cell.classifier in JUDGED]
    return [(cell, c20.measure(cell, SEEDS)) for cell in cells]


def separable(x, y):
    """Whether a line has all of class 1 on one side: a linear program without objective."""
    signed = np.where(y == 1, 1, -1)[:, None] * np.column_stack([x, np.ones(len(x))])
    found = linprog(np.zeros(3), -signed, -np.ones(len(x)), bounds=(None, None))
    return found.status == 0


def test_lines_on_the_square_err_nowhere_but_on_exclusive_or():
    """14 of the 16 ways to label the corners are linear; of the other two a quarter is missed."""
    found = {y: c20.fewest_errors(SQUARE, np.array(y)) for y in itertools.product((0, 1), repeat=4)}
    assert sorted(found.values()) == [0] * 14 + [1] * 2
    assert found[0, 1, 1, 0] == found[1, 0, 0, 1] == 1
    for y, errors in found.items():
        assert separable(SQUARE, np.array(y)) == (errors == 0)


@pytest.mark.parametrize("data", c20.DATA)
def test_fewest_errors_against_every_subset(data):
    """Dropping that many of a few samples makes them separable, and dropping fewer does not."""
    (x, y), _ = c20.problem(data, 1)
    x, y = x[:9], y[:9]
    fewest = c20.fewest_errors(x, y)
    for size in range(fewest + 1):
        kept = itertools.combinations(range(9), 9 - size)
        assert any(separable(x[list(k)], y[list(k)]) for k in kept) == (size == fewest)


def test_no_random_line_beats_the_best():
    rng = np.random.default_rng(0)
    for data in c20.DATA:
        (x, y), _ = c20.problem(data, 2)
        scores = np.column_stack([x, np.ones(len(x))]) @ rng.normal(size=(3, 2000))
        errors = np.sum((scores > 0) != (y == 1)[:, None], axis=0)
        assert c20.fewest_errors(x, y) <= min(errors.min(), (len(x) - errors).min())


@pytest.mark.parametrize("data", c20.DATA)
def test_problems_are_standardized_and_their_own(data):
    (x, y), (new_x, new_y) = c20.problem(data, 3)
    assert x.shape == (c20.SAMPLES, 2) and new_x.shape == (c20.NEW_SAMPLES, 2)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(axis=0), 1)
    assert set(y) == set(new_y) == {0, 1}
    assert not np.array_equal(c20.problem(data, 4)[0][0], x)


def test_unknown_data_is_refused():
    with pytest.raises(ValueError, match="data must be one of .* received 'spirals'"):
        c20.problem("spirals", 0)


def test_exclusive_or_by_two_features():
    """|x1 - x2| as two units of the suite's own network, saturated: right on every corner."""
    kernel, bias = np.zeros((2, c20.UNITS)), np.zeros(c20.UNITS)
    read_out, shift = np.zeros((c20.UNITS, 2)), np.array([0.0, -1.0])
    kernel[:, 0], bias[0] = (20, -20), -10  # x1 without x2
    kernel[:, 1], bias[1] = (-20, 20), -10  # x2 without x1
    read_out[:2, 1], shift[1] = 1.0, 1.0  # tanh is -1 or 1: their sum is -2 or 0
    weights = [kernel, bias, read_out, shift]
    y = np.array([0, 1, 1, 0])
    probability = c20.classifier(c20.MLP, SQUARE, y, 0, weights)
    np.testing.assert_array_equal(probability(SQUARE) > 0.5, y == 1)
    # e / (1 + e) on one diagonal, its complement on the other
    np.testing.assert_allclose(probability(SQUARE), np.where(y, np.e, 1) / (1 + np.e), atol=1e-8)
    by_vector = c20.classifier(c20.VECTOR, SQUARE, y, 0, weights)
    np.testing.assert_array_equal(by_vector(SQUARE), 1)


def test_both_logistic_regressions_agree():
    (x, y), (new_x, _) = c20.problem(c20.MOONS, 1)
    ours, theirs = (c20.classifier(n, x, y, 1, None) for n in (c20.LOGISTIC, c20.LINEAR_THERE))
    # scikit-learn stops at a gradient of 1e-4, the mean over the samples
    np.testing.assert_allclose(ours(new_x), theirs(new_x), atol=1e-2)


@pytest.mark.parametrize("name", c20.OTHERS + (c20.MLP_THERE,))
def test_others_give_probabilities_that_fit_their_samples(name):
    (x, y), _ = c20.problem(c20.MOONS, 1)
    p = c20.classifier(name, x, y, 1, None)(x)
    assert p.shape == y.shape and p.min() >= 0 and p.max() <= 1
    assert np.mean((p > 0.5) != y) < 0.25


def test_feature_plane_keeps_the_log_odds():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=s) for s in ((2, c20.UNITS), c20.UNITS, (c20.UNITS, 2), 2)]
    (x, y), _ = c20.problem(c20.MOONS, 1)
    plane = c20.feature_plane(weights, x, x)
    p = c20.classifier(c20.MLP, x, y, 0, weights)(x)
    length = np.linalg.norm(weights[2][:, 1] - weights[2][:, 0])
    np.testing.assert_allclose(plane[:, 0] * length, np.log(p / (1 - p)), atol=1e-9)
    # Distances in the plane are those of a projection: never larger than among the features.
    features = np.tanh(x @ weights[0] + weights[1])
    shown = np.linalg.norm(plane[1:] - plane[0], axis=1)
    assert np.all(shown <= np.linalg.norm(features[1:] - features[0], axis=1) + 1e-12)


def test_pictures(measured):
    for cell, found in measured:
        arrays = found.arrays
        if cell.classifier == c20.VECTOR:
            assert not arrays
            continue
        assert arrays["probability"].shape == (c20.PIXELS, c20.PIXELS)
        assert arrays["samples"].shape == (c20.SAMPLES, 2)
        assert ("features" in arrays) == ((cell.classifier, cell.data) == (c20.MLP, c20.MOONS))
        assert sum(np.asarray(a).nbytes for a in arrays.values()) < 50_000
        if "features" in arrays:
            points = 2 * c20.GRID_LINES * (c20.GRID_POINTS + 1) - 1
            assert arrays["bent_net"].shape == (points, 2)


def test_rows_of_the_field_are_the_second_feature(measured):
    cell, found = next((c, f) for c, f in measured if c.classifier == c20.LOGISTIC)
    arrays = found.arrays
    (x, y), _ = c20.problem(cell.data, SEEDS[0])
    at = np.array([[arrays["probability.x"][7], arrays["probability.y"][31]]])
    expected = c20.classifier(c20.LOGISTIC, x, y, 0, None)(at)[0]
    assert arrays["probability"][31, 7] == pytest.approx(expected, rel=1e-6)


def test_slide_is_refuted_and_the_correction_holds(measured):
    diverged = np.zeros(len(SEEDS), bool)
    cells = []
    for cell, found in measured:
        found.check(c20.EXPERIMENT, len(SEEDS))
        cells.append(CellResult(cell.factors, SEEDS, found.metrics, diverged))
    for hypothesis in c20.EXPERIMENT.hypotheses:
        if hypothesis.id == "C20.new":  # five runs are too few for its intervals
            rules = tuple(replace(r, confidence=0.8) for r in hypothesis.rule.rules)
            hypothesis = replace(hypothesis, rule=replace(hypothesis.rule, rules=rules))
        verdict = judge(hypothesis, Results(tuple(cells)))
        expected = REFUTED if hypothesis.kind == "as stated" else SUPPORTED
        assert verdict.outcome == expected, verdict.sentence
        assert {m[1] for m in verdict.mutants} <= {REFUTED}


def test_a_smoke_run_has_every_number():
    for cell in c20.EXPERIMENT.cells(profile="smoke")[:3]:
        assert isinstance(cell, Cell)
        c20.measure(cell, np.arange(2)).check(c20.EXPERIMENT, 2)
