"""C59: risks against scikit-learn, the constant model, verdicts and mutants."""

import numpy as np
import pytest

from benchmarks.experiments.learning_theory import where_to_stop as c59
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(120)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in c59.EXPERIMENT.cells():
        found = c59.measure(cell, SEEDS)
        found.check(c59.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


@pytest.mark.parametrize("data", c59.DATA)
def test_risks_are_those_of_scikit_learn(data):
    from sklearn.linear_model import Ridge
    from sklearn.metrics import mean_squared_error

    (train, validation, test), noise = c59.draw(data, 11)
    risks, zero = c59.risk_curves(data, 11)
    for i in (40, 60, 75):
        model = Ridge(alpha=c59.STRENGTHS[i], fit_intercept=False).fit(*train)
        seen = [mean_squared_error(y, model.predict(x)) for x, y in (train, validation, test)]
        np.testing.assert_allclose(risks[:, i], np.array(seen) + [0, 0, noise], rtol=1e-6)
    np.testing.assert_allclose(zero, [np.mean(y**2) for _, y in (train, validation)])


def test_rows_of_a_table_are_used_once():
    pairs, _ = c59.draw(c59.TABLE, 2)
    rows = np.concatenate([x for x, _ in pairs])
    assert len(np.unique(rows, axis=0)) == len(rows) == 442
    assert [len(x) for x, _ in pairs[:2]] == [60, 60]


def test_the_strongest_penalty_is_the_constant_model():
    risks, zero = c59.risk_curves(c59.POLYNOMIAL, 4)
    np.testing.assert_allclose(risks[:2, -1], zero, rtol=1e-4)


def test_each_rule_stops_where_it_says():
    from benchmarks.experiment import Cell

    risks, _ = c59.runs(c59.POLYNOMIAL, tuple(range(6)))
    for rule, value in (
        (c59.GAP, np.abs(risks[:, 1] - risks[:, 0])),
        (c59.RISK, risks[:, 1]),
        (c59.ORACLE, risks[:, 2]),
    ):
        found = c59.measure(Cell({"rule": rule, "data": c59.POLYNOMIAL}, {}), np.arange(6))
        at = [int(np.flatnonzero(row == row.min())[0]) for row in value]
        np.testing.assert_allclose(found.metrics["strength"], np.log10(c59.STRENGTHS[at]))
        np.testing.assert_allclose(found.metrics["risk"], risks[np.arange(6), 2, at])


def test_one_run_marks_both_stops():
    risks, _ = c59.risk_curves("polynomial", 3)
    train, validation, _ = risks
    drawn = c59.one_run(train, validation)
    for name, by in (("smallest gap", np.abs(validation - train)), ("smallest risk", validation)):
        np.testing.assert_array_equal(
            drawn[name], [[np.log10(c59.STRENGTHS[by.argmin()]), validation[by.argmin()]]]
        )
    x, values = drawn["gap"].T
    np.testing.assert_array_equal(x, drawn["training"][:, 0])
    np.testing.assert_allclose(values, drawn["validation"][:, 1] - drawn["training"][:, 1])


def test_verdicts(results):
    expected = {"gap": REFUTED, "risk": SUPPORTED, "factor": SUPPORTED, "constant": SUPPORTED}
    for hypothesis in c59.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == expected[hypothesis.id.split(".")[1]], hypothesis.id
        assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants)
