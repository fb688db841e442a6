"""C05: one sample by hand, SciPy's differences as oracle, the verdicts and the mutants."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from benchmarks.experiments.logistic_regression import _planar
from benchmarks.experiments.logistic_regression import error_times_input as c05
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)
X = np.array([[2.0, -1.0, 1.0]])  # the last entry belongs to the bias


@pytest.fixture(scope="module")
def measured():
    return [(cell, c05.measure(cell, SEEDS)) for cell in c05.EXPERIMENT.cells()]


@pytest.fixture(scope="module")
def results(measured):
    diverged = np.zeros(len(SEEDS), bool)
    return Results(
        tuple(CellResult(dict(c.factors), SEEDS, m.metrics, diverged) for c, m in measured)
    )


def test_one_sample_by_hand():
    """Logit log 3, probability 3/4, label 0: the error is 3/4, and 9/64 with the slope of sigma."""
    w, y = np.array([0.0, 0.0, np.log(3)]), np.array([0.0])
    expected = {c05.ERROR: 3 / 4, c05.SIGN: -3 / 4, c05.PERCEPTRON: 1, c05.SQUARED: 9 / 64}
    for form, error in expected.items():
        np.testing.assert_allclose(c05.gradient_of(form, w, X, y), error * X[0])
    np.testing.assert_allclose(c05.derivative_in_numerator_layout(w, X, y), 3 / 4 * X)
    np.testing.assert_allclose(c05.differenced(w, X, y, 1e-5), 3 / 4 * X[0], rtol=1e-8)


def test_forms_against_scipy():
    """SciPy differentiates the losses that the first and the last form belong to."""
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(0.5, 1, (7, 3)), rng.integers(0, 2, 7).astype(float), rng.normal(size=3)

    def cross_entropy(w):
        p = 1 / (1 + np.exp(-x @ w))
        return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))

    def squared(w):
        return np.sum((1 / (1 + np.exp(-x @ w)) - y) ** 2) / 2

    for form, loss in ((c05.ERROR, cross_entropy), (c05.SQUARED, squared)):
        theirs = approx_fprime(w, loss, 1e-7)  # forward: error about 1e-7
        np.testing.assert_allclose(c05.gradient_of(form, w, x, y), theirs, atol=1e-5)


def test_tape_by_hand():
    """The same sample as above, through the model: 3/4 of the input."""
    model = _planar.classifier(np.zeros(3), output_activation=None)
    found = c05.taped(model, np.array([0.0, 0.0, np.log(3)]), X[:, :2], np.array([0.0]))
    np.testing.assert_allclose(found, 3 / 4 * X[0])


def test_shape_decides():
    assert c05.deviation(np.ones((3, 1)), np.ones((1, 3)), 1.0) == 1
    assert c05.deviation(np.ones((1, 3)), np.ones((1, 3)), 1.0) == 0


def test_truncation_of_the_differences_is_of_second_order(measured):
    """From h = 0.1 to 0.01 the deviation falls a hundredfold."""
    found = next(m for cell, m in measured if cell.form == c05.ERROR)
    at = [np.argmin(np.abs(c05.DIFFERENCES - h)) for h in (0.1, 0.01)]
    np.testing.assert_allclose(c05.DIFFERENCES[at], [0.1, 0.01])
    large, small = found.curves["deviation"].T[at]
    np.testing.assert_allclose(large / small, 100, rtol=0.05)


def test_pushes_by_hand():
    """Boundary x_1 = 0 with normal (1, 0): a sure mistake pushes by one, an even chance by 1/2."""
    w = np.array([40.0, 0.0, 0.0])
    path = c05.pushes(w, np.array([[-2.0, 5.0], [0.0, 3.0]]), np.array([1.0, 0.0]))
    expected = [[-2, 5], [-3, 5], [np.nan] * 2, [0, 3], [0.5, 3], [np.nan] * 2]
    np.testing.assert_allclose(path, expected, atol=1e-15)


def test_at_the_minimum_the_pushes_cancel():
    for data in _planar.DATA:
        x, y = _planar.problem(data, 0)
        w = _planar.maximum_likelihood(x, y)
        lengths = np.diff(c05.pushes(w, x, y).reshape(-1, 3, 2)[:, :2], axis=1)
        np.testing.assert_allclose(lengths.sum(axis=0), 0, atol=1e-9)


def test_slide_is_right_and_a_column_is_not_the_layout_it_announced(measured, results):
    for _, found in measured:
        found.check(c05.EXPERIMENT, len(SEEDS))
        assert found.arrays["pushes"].shape == (180, 2)
    verdicts = {h.id: judge(h, results) for h in c05.EXPERIMENT.hypotheses}
    assert verdicts.pop("C05.stated_layout").outcome == REFUTED
    for verdict in verdicts.values():
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
