"""The curves against the singular values and scikit-learn, and the verdicts."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import PredefinedSplit

from benchmarks import verdicts
from benchmarks.experiments.learning_theory import choosing_lambda as subject
from benchmarks.experiments.learning_theory.choosing_lambda import DATA, EXPERIMENT, GRID

SEEDS = np.arange(200)
BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in EXPERIMENT.cells():
        found = subject.measure(cell, SEEDS)
        found.check(EXPERIMENT, len(SEEDS))
        cells.append(
            verdicts.CellResult(cell.factors, SEEDS, found.metrics, np.zeros(len(SEEDS), bool))
        )
    return verdicts.Results(tuple(cells))


def test_one_feature_by_hand():
    """y = 1, 3 at x = 1, 2: w = 7 / (5 + lambda), so 7/5 without and 1/2 at lambda = 9."""
    assert subject.mean_squares(
        np.array([[1.0], [2.0]]), np.array([1.0, 3.0]), np.array([[7 / 5], [0.5]])
    ) == pytest.approx([(0.4**2 + 0.2**2) / 2, (0.5**2 + 2**2) / 2])


@pytest.mark.parametrize("data", DATA)
def test_training_risk_is_that_of_the_singular_values(data):
    phi, y, _ = subject.draw(data, 4)
    u, s, _ = np.linalg.svd(phi, full_matrices=False)
    along = u.T @ y
    missed = y @ y - along @ along
    strengths = GRID[1:, None]
    wanted = (missed + ((strengths / (s**2 + strengths)) ** 2 * along**2).sum(axis=1)) / len(y)
    (found,) = subject.estimate(subject.TRAIN, phi[None], y[None], (4,))
    np.testing.assert_allclose(found[1:], wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("data", DATA)
def test_folds_choose_as_scikit_learn_does(data):
    seed = 3
    phi, y, _ = subject.draw(data, seed)
    from suite.theory import k_fold_indices

    fold = np.empty(len(y), int)
    for number, (_, out) in enumerate(k_fold_indices(len(y), 5, [seed, 1])):
        fold[out] = number
    search = RidgeCV(
        GRID[1:],
        fit_intercept=False,
        cv=PredefinedSplit(fold),
        scoring="neg_mean_squared_error",
    ).fit(phi, y)
    curve = subject.estimate(subject.FOLDS, phi[None], y[None], (seed,))[0]
    assert GRID[1:][curve[1:].argmin()] == pytest.approx(search.alpha_)
    assert curve[1:].min() == pytest.approx(-search.best_score_)


def test_the_risk_is_that_of_a_large_sample():
    seeds = (8, 9)
    found = subject.true_risks(subject.DRAWN, seeds)
    phi, y, known = subject.draws(subject.DRAWN, seeds)
    w = subject.path(phi, y)[1, ::20]
    new = np.random.default_rng(0).normal(size=(100_000, subject.FEATURES))
    squares = (new @ (w - known[1]).T) ** 2
    error = squares.mean(axis=0) + subject.SIGMA**2 - found[1, ::20]
    assert np.all(np.abs(error) < 4 * squares.std(axis=0) / np.sqrt(len(new)))


def test_real_risk_is_on_the_rows_left_out():
    phi, y, (x_rest, y_rest) = subject.draw(subject.REAL, 5)
    assert phi.shape == (subject.SAMPLES, 19)
    assert len(x_rest) == 442 - subject.SAMPLES
    ridge = Ridge(GRID[30], fit_intercept=False).fit(phi, y)
    wanted = np.mean((ridge.predict(x_rest) - y_rest) ** 2)
    assert subject.true_risks(subject.REAL, (5,))[0, 30] == pytest.approx(wanted)


def test_the_best_strength_is_the_noise_over_the_prior():
    """Averaged over data sets, the true risk is smallest next to sigma^2 / s^2."""
    risks = subject.true_risks(subject.DRAWN, tuple(range(200))).mean(axis=0)
    assert abs(np.log10(GRID[risks.argmin()] / subject.BEST)) <= 0.2


def test_each_rule_chooses_by_its_own_curve_from_the_same_fits():
    cells = {(c.rule, c.data): c for c in EXPERIMENT.cells()}
    seeds = np.arange(6)
    risks = subject.true_risks(subject.REAL, tuple(range(6)))
    for rule in subject.RULES:
        found = subject.measure(cells[rule, subject.REAL], seeds)
        place = np.searchsorted(GRID, found.metrics["chosen"])
        np.testing.assert_array_equal(found.metrics["risk"], risks[seeds, place])
        assert np.all(found.metrics["excess"] >= 0)
        if rule != subject.TRAIN:
            curve = found.curves["estimate"]
            np.testing.assert_array_equal(curve[seeds, place - 1], curve.min(axis=1))


@pytest.mark.parametrize("name", ["estimate", "monotone", "zero", "near_best", "folds"])
def test_what_is_true_survives_and_the_wrong_forms_do_not(results, name):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == verdicts.SUPPORTED, verdict.sentence
    assert {outcome for _, outcome, _ in verdict.mutants} == {verdicts.REFUTED}


def test_the_training_risk_does_not_regularize(results):
    assert verdicts.judge(BY_ID["stated"], results).outcome == verdicts.REFUTED
