"""C06: two maps by hand, complex steps as oracle, the verdicts and the mutants."""

import numpy as np
import pytest

from benchmarks.experiments.logistic_regression import numerator_layout as c06
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(3)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c06.EXPERIMENT.cells():
        found = c06.measure(cell, SEEDS)
        found.check(c06.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


def complex_step(f, x):
    """The Jacobian of a function of complex numbers, without any difference to round."""
    return np.stack([f(x + 1e-30j * unit).imag / 1e-30 for unit in np.eye(len(x))], axis=1)


def test_linear_maps_by_hand():
    w = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    column, row = c06.linear_maps(w, w.T, np.array([7.0, 8.0, 9.0]))
    assert column.tolist() == row.tolist() == w.tolist()


def test_chain_by_hand():
    """At x = 0 the slopes are 1 and 1/4: psi' = A, phi' = B / 4, and of both B A / 4."""
    a, b = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, 0.0]]), np.array([[4.0, 0.0, 8.0]])
    outer, inner, whole = c06.factors_of(a, b, np.zeros(2))
    assert outer.tolist() == [[1, 0, 2]]
    assert inner.tolist() == a.tolist()
    assert whole.tolist() == [[7, 2]]


def test_chain_against_complex_steps():
    rng = np.random.default_rng(0)
    a, b, x = rng.normal(size=(5, 4)), rng.normal(size=(3, 5)), rng.normal(size=4)
    outer, inner, whole = c06.factors_of(a, b, x)
    exact = complex_step(lambda x: c06.composed(a, b, x), x)
    np.testing.assert_allclose(whole, exact)
    np.testing.assert_allclose(c06.product_of(c06.LEFT, outer, inner), exact)
    np.testing.assert_allclose(
        c06.differenced(lambda x: c06.composed(a, b, x), x, c06.STEP), exact, atol=1e-9
    )


def test_tape_against_complex_steps():
    rng = np.random.default_rng(1)
    a, b, x = rng.normal(size=(5, 4)), rng.normal(size=(3, 5)), rng.normal(size=4)
    psi, phi, _ = c06.layers_of((4, 5, 3))
    psi.set_weights([a.T])
    phi.set_weights([b.T])
    exact = complex_step(lambda x: c06.composed(a, b, x), x)
    np.testing.assert_allclose(c06.taped([psi, phi], x), exact)


def test_orders_that_do_not_fit():
    outer, inner = np.ones((3, 5)), np.ones((5, 4))
    assert c06.product_of(c06.LEFT, outer, inner).shape == (3, 4)
    for form in (c06.RIGHT, c06.TRANSPOSED):
        assert c06.deviation(c06.product_of(form, outer, inner), np.ones((3, 4))) == 1


def test_transposed_factors_in_turned_order_are_the_transposed_jacobian():
    """Denominator layout: the same numbers, read the other way."""
    rng = np.random.default_rng(2)
    outer, inner = rng.normal(size=(3, 5)), rng.normal(size=(5, 4))
    turned = c06.product_of(c06.TRANSPOSED, inner, outer)
    np.testing.assert_allclose(turned.T, c06.product_of(c06.LEFT, outer, inner))


def test_all_hold_and_all_mutants_are_refuted(results):
    for hypothesis in c06.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, verdict.sentence
        assert {m[1] for m in verdict.mutants} == {REFUTED}
