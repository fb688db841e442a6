"""The fits against scikit-learn's ridge regression, the verdicts against what theory says."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from benchmarks import verdicts
from benchmarks.experiments.learning_theory import bias_variance as subject
from benchmarks.experiments.learning_theory.bias_variance import EXPERIMENT, PRIOR_SDS, SIGMA

BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}
SEEDS = np.arange(150)


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


@pytest.mark.parametrize("width", [0, 9, 12, 17])
def test_predictions_and_terms_are_those_of_scikit_learn(width):
    design, seed, prior_sd = "8, new", 5, PRIOR_SDS[width]
    x, noise, test_noise = subject.draw(design, seed)
    f, f_test = -x + 1.5 * x**3, -subject.TEST_INPUTS + 1.5 * subject.TEST_INPUTS**3
    powers, test_powers = np.vander(x, 5), np.vander(subject.TEST_INPUTS, 5)
    ridge = Ridge(alpha=(SIGMA / prior_sd) ** 2, fit_intercept=False, solver="svd")

    noisy = ridge.fit(powers, f + noise).predict(test_powers)
    clean = ridge.fit(powers, f).predict(test_powers)
    hat = np.stack([ridge.fit(powers, e).predict(test_powers) for e in np.eye(8)], axis=1)

    runs = subject.repetitions(design, (4, seed))
    wanted = {
        "error": np.mean((noisy - f_test) ** 2),
        "spread": np.mean((noisy - clean) ** 2),
        "bias": np.mean((clean - f_test) ** 2),
        "variance": SIGMA**2 * np.mean(np.sum(hat**2, axis=1)),
        "test error": np.mean((noisy - f_test - test_noise) ** 2),
        "bias_in_sample": np.mean((ridge.fit(powers, f).predict(powers) - f) ** 2),
    }
    for name, value in wanted.items():
        # A loose prior leaves the condition number of the monomials: about 1e4, squared.
        assert runs[name][1, width] == pytest.approx(value, rel=1e-7, abs=1e-13), name


def test_same_inputs_are_the_same_and_new_ones_are_not():
    (a, _, _), (b, _, _) = subject.draw("15, the same", 1), subject.draw("15, the same", 2)
    np.testing.assert_array_equal(a, b)
    (a, _, _), (b, _, _) = subject.draw("15, new", 1), subject.draw("15, new", 2)
    assert not np.any(a == b)


def test_the_terms_average_to_the_exact_curves_without_a_prior_to_speak_of():
    """Least squares at its own inputs has mean variance sigma^2 p / N; here at test inputs of

    the same distribution it is a little more, and never less.
    """
    runs = subject.repetitions("15, the same", tuple(range(3)))
    assert np.all(runs["variance"][:, -1] > 0.5 * SIGMA**2 * 5 / 15)
    assert runs["bias"][:, -1].max() < 1e-8  # a quartic holds the cubic


def test_a_cell_judges_its_own_width_and_one_of_five_brings_the_curves():
    seeds = np.arange(3)
    cells = {c.prior_sd: c for c in EXPERIMENT.cells() if c.inputs == "8, new"}  # "test error"
    # 10^-2, 10^-1, ... are the widths number 4, 8, ... of the 25 from 10^-3 to 10^3.
    for place, (prior_sd, cell) in zip((4, 8, 12, 16, 20), cells.items(), strict=True):
        found = subject.measure(cell, seeds)
        runs = subject.repetitions("8, new", (0, 1, 2))
        unit = runs["bias"][:, place] + runs["variance"][:, place] + SIGMA**2
        np.testing.assert_allclose(found.metrics["share"], runs["test error"][:, place] / unit)
        np.testing.assert_allclose(found.metrics["exact"], 1)
        assert set(found.curves) == ({"value"} if prior_sd == 1.0 else set())


def test_every_design_is_counted_once(results):
    for name in ("bias_falls", "variance_rises", "bias_falls_in_sample"):
        assert verdicts.judge(BY_ID[name], results).n == 2 * len(SEEDS)


def test_the_lecture_s_setting_falls_on_average():
    bias = subject.repetitions("15, new", tuple(SEEDS))["bias"].mean(axis=0)
    assert np.all(np.diff(bias) < 0)


def test_how_many_designs_show_a_rise_depends_on_the_basis():
    """Least squares in coordinates of Legendre polynomials, weights shrunk there."""
    from numpy.polynomial.legendre import legvander

    rises = {"monomials": [], "Legendre": []}
    f_test = -subject.TEST_INPUTS + 1.5 * subject.TEST_INPUTS**3
    bases = {"monomials": np.vander, "Legendre": lambda x, n: legvander(x, n - 1)}
    for seed in range(60):
        x, _, _ = subject.draw("8, new", seed)
        for name, basis in bases.items():
            phi, phi_test = basis(x, 5), basis(subject.TEST_INPUTS, 5)
            bias = []
            for prior_sd in PRIOR_SDS:
                ridge = Ridge((SIGMA / prior_sd) ** 2, fit_intercept=False, solver="svd")
                ridge.fit(phi, -x + 1.5 * x**3)
                bias.append(np.mean((ridge.predict(phi_test) - f_test) ** 2))
            step = subject.largest_step(np.array([bias]), +1)
            rises[name].append(step[0] > 1e-9)  # scikit-learn's rounding
    assert np.mean(rises["monomials"]) > 0.5
    assert np.mean(rises["Legendre"]) < 0.25


def test_above_is_measured_from_the_smallest_of_the_exact_curves():
    cell = next(c for c in EXPERIMENT.cells() if subject.SAME_INPUTS.items() <= c.factors.items())
    runs = subject.repetitions(cell.inputs, (0, 1, 2))
    found = subject.measure(cell, np.arange(3)).metrics
    here = runs["test error"][:, 4]  # the first judged width, 0.01
    total = (runs["bias"] + runs["variance"])[0]
    best = runs["test error"][:, list(total).index(min(total))]
    np.testing.assert_allclose(found["above_least_sum"], here - best)
    # No prior width, no variance.
    np.testing.assert_allclose(found["above_least_variance"], here - runs["test error"][:, 0])


def test_the_fan_is_that_of_scikit_learn():
    drawn = subject.fan(1.0, (4, 5, 6))
    fits = drawn["fits"].reshape(3, -1, 2)
    assert np.isnan(fits[:, -1]).all() and np.isfinite(fits[:, :-1]).all()
    x, noise, _ = subject.draw("15, the same", 5)
    ridge = Ridge(alpha=SIGMA**2, fit_intercept=False, solver="svd")
    ridge.fit(np.vander(x, 5), -x + 1.5 * x**3 + noise)
    np.testing.assert_allclose(fits[1, :-1, 1], ridge.predict(np.vander(fits[1, :-1, 0], 5)))
    np.testing.assert_allclose(drawn["their mean"][:, 1], fits[:, :-1, 1].mean(axis=0))
    at, truth = drawn["truth"].T
    np.testing.assert_allclose(truth, -at + 1.5 * at**3)


def test_largest_step_by_hand():
    values = np.array([[4.0, 1.0, 3.0, 3.5], [2.0, 2.0, 1.0, 0.5]])
    np.testing.assert_allclose(subject.largest_step(values, +1), [2 / 4, 0])
    np.testing.assert_allclose(subject.largest_step(values, -1), [3 / 4, 1 / 2])


@pytest.mark.parametrize(
    "name",
    ["variance_rises", "sum", "minimum", "bias_falls_in_sample", "exact_bias", "exact_variance"],
)
def test_what_is_true_survives_and_the_wrong_forms_do_not(results, name):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == verdicts.SUPPORTED, verdict.sentence
    assert {outcome for _, outcome, _ in verdict.mutants} == {verdicts.REFUTED}


def test_bias_at_new_inputs_need_not_fall(results):
    verdict = verdicts.judge(BY_ID["bias_falls"], results)
    assert verdict.outcome == verdicts.REFUTED
    assert verdict.effect > 0.1  # by far more than rounding
