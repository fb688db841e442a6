"""The modes against scikit-learn's ridge and Keras's L2 regularizer, and the verdicts."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import Ridge

from benchmarks import verdicts
from benchmarks.experiments.learning_theory import prior_as_penalty as subject
from benchmarks.experiments.learning_theory.prior_as_penalty import DATA, EXPERIMENT, REAL, TWO

SEEDS = np.arange(5)
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


def test_one_weight_by_hand():
    """y = w x with x = 1, 2 and sigma = s = 1: (1*1 + 2*2) / (1 + 4 + 1)."""
    phi, y = np.array([[1.0], [2.0]]), np.array([1.0, 2.0])
    mode, condition = subject.completed_square(phi, y, 1.0, 1.0)
    assert mode.tolist() == [5 / 6]
    assert condition == 1
    # The mean of the two losses next to the whole prior: (5/2) / (5/2 + 1).
    assert subject.penalized(phi, y, 1.0, 1.0, 0.5, 1.0) == pytest.approx([5 / 7])
    assert subject.penalized(phi, y, 1.0, 1.0, 0.5, 0.5) == pytest.approx([5 / 6])


@pytest.mark.parametrize("data", DATA)
def test_the_mode_is_scikit_learn_s_ridge(data):
    phi, y = subject.draw(data, 3)
    sigma, prior_sd = subject.SIGMA[data], 0.3
    ridge = Ridge(alpha=(sigma / prior_sd) ** 2, fit_intercept=False).fit(phi, y)
    mode, _ = subject.completed_square(phi, y, sigma, prior_sd)
    np.testing.assert_allclose(mode, ridge.coef_, rtol=1e-9)
    wanted = norm.logpdf(y, phi @ mode, sigma).sum() + norm.logpdf(mode, 0, prior_sd).sum()
    assert subject.log_posterior(mode, phi, y, sigma, prior_sd) == pytest.approx(wanted)


def test_keras_s_regularizer_needs_the_factor_n():
    """Keras adds `l2 * sum w^2` to a mean of squares: l2 = (sigma / s)^2 / N is the prior."""
    import keras
    from backends import gradients

    phi, y = subject.draw(REAL, 2)
    n, strength = len(y), (subject.SIGMA[REAL] / 0.3) ** 2
    mode, _ = subject.completed_square(phi, y, subject.SIGMA[REAL], 0.3)

    def slope(l2):
        regularizer = keras.regularizers.L2(l2)
        x, t = keras.ops.convert_to_tensor(phi), keras.ops.convert_to_tensor(y)

        def loss(w):
            error = keras.ops.matmul(x, keras.ops.reshape(w, (-1, 1)))[:, 0] - t
            return keras.ops.mean(error**2) + regularizer(w)

        return np.abs(gradients(loss, mode)[1][0]).max()

    # Keras rounds l2 to float32, JAX everything: a few of its 1e-7.
    assert slope(strength / n) < 1e-5
    assert slope(strength) > 1e-2


def test_the_optimizer_knows_nothing_of_the_closed_form():
    phi, y = subject.draw(TWO, 1)
    mode = subject.numeric_mode(phi, y, 0.5, 0.3)
    best = subject.log_posterior(mode, phi, y, 0.5, 0.3)
    for step in ([1e-3, 0], [-1e-3, 0], [0, 1e-3], [0, -1e-3]):
        assert subject.log_posterior(mode + step, phi, y, 0.5, 0.3) < best


def test_the_picture_peaks_at_the_mode_and_is_small():
    arrays = subject.picture(0, 0.3)
    assert arrays["posterior"].max() <= 1
    row, column = np.unravel_index(arrays["posterior"].argmax(), arrays["posterior"].shape)
    peak = np.array([arrays["posterior.x"][column], arrays["posterior.y"][row]])
    spacing = np.ptp(arrays["posterior.x"]) / (subject.GRID - 1)
    assert np.abs(peak - arrays["MAP"][0]).max() <= 2 * spacing
    assert sum(a.nbytes for a in arrays.values()) < 50_000


@pytest.mark.parametrize("name", ["argmax", "one_over_n", "sum", "ridge", "limit"])
def test_what_is_true_survives_and_the_wrong_forms_do_not(results, name):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == verdicts.SUPPORTED, verdict.sentence
    for mutant in BY_ID[name].mutants:
        rule = BY_ID[name].rule
        wrong = rule.changed(mutant.changes).decide(results)
        assert wrong.outcome == verdicts.REFUTED
        assert wrong.effect > 10 * rule.bound


def test_lambda_one_next_to_a_mean_loss_is_something_else(results):
    assert verdicts.judge(BY_ID["mean"], results).outcome == verdicts.REFUTED
