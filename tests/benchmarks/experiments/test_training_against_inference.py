"""The layer against NumPy, the law of the gap against integration, and the rules."""

import numpy as np
import pytest
from scipy import integrate, stats

from benchmarks import verdicts
from benchmarks.experiment import Cell
from benchmarks.experiments.normalization_and_skip import training_against_inference as subject

EXPERIMENT = subject.EXPERIMENT
BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}
BUDGET = dict(EXPERIMENT.budget) | dict(EXPERIMENT.smoke)
BATCHES, SEEDS = (4, 8, 16), 14


def test_averages_by_hand():
    assert subject.averages(0.5, [4.0, 8.0], 0.0) == 5.0  # 0 -> 2 -> 5
    assert subject.averages(0.0, [4.0, 8.0], 1.0) == 8.0
    assert subject.standardized(7.0, 3.0, 4.0) == pytest.approx(2.0)


@pytest.mark.parametrize("n", [2, 5, 64])
def test_expected_deviation_is_the_mean_of_a_chi_variable(n):
    chi = stats.chi(n - 1)
    mean, _ = integrate.quad(lambda r: r * chi.pdf(r), 0, chi.isf(1e-14))
    assert subject.expected_deviation(n) == pytest.approx(mean / np.sqrt(n), rel=1e-8)
    # 3 / (2 n) and the next term of its series, 7 / (16 n^2)
    series = 3 / (2 * n) + 7 / (16 * n**2)
    assert 2 * (1 - subject.expected_deviation(n)) == pytest.approx(series, abs=0.4 / n**3)


def test_the_gap_is_that_of_numpy_and_of_the_exact_identity():
    rng = np.random.default_rng(0)
    x = rng.gamma(2.0, size=(3, 5, 4))  # steps, samples, features: skewed
    mean, variance = rng.normal(size=4), rng.uniform(1, 2, 4)
    z = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    wanted = np.mean((z - (x - mean) / np.sqrt(variance)) ** 2, axis=(0, 1))
    np.testing.assert_allclose(subject.gap(0.9, x, mean, variance), wanted, rtol=1e-9)
    # On each mini-batch z^2 has mean one and z (x - mean) / sigma has mean deviation / sigma.
    of_x = np.mean(((x - mean) / np.sqrt(variance)) ** 2, axis=(0, 1))
    spread = x.std(axis=1).mean(axis=0) / np.sqrt(variance)
    np.testing.assert_allclose(1 - 2 * spread + of_x, wanted, rtol=1e-12)


@pytest.fixture(scope="module")
def results():
    """Three batch sizes without the network, for the momenta that the rules look at."""
    cells = []
    for momentum in subject.MOMENTA:
        for batch in BATCHES:
            factors = {"momentum": momentum, "batch": batch}
            found = subject.measure(Cell(factors, BUDGET), np.arange(SEEDS))
            found.check(EXPERIMENT, SEEDS)
            cells.append(
                verdicts.CellResult(factors, np.arange(SEEDS), found.metrics, np.zeros(SEEDS, bool))
            )
    return verdicts.Results(tuple(cells))


@pytest.mark.parametrize("name", ["training", "inference", "variance", "start", "gap", "rate"])
def test_the_layer_keeps_its_laws_and_no_wrong_form_does(results, name):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == verdicts.SUPPORTED
    assert {outcome for _, outcome, _ in verdict.mutants} == {verdicts.REFUTED}


@pytest.mark.parametrize("name", ["training", "inference"])
def test_wrong_definitions_miss_by_more_than_ten_bounds(results, name):
    rule = BY_ID[name].rule
    for mutant in BY_ID[name].mutants:
        assert rule.changed(mutant.changes).decide(results).effect > 10 * rule.bound


def test_weights_do_not_depend_on_the_momentum_and_the_last_batch_is_kept_at_zero():
    budget = BUDGET | {"record_every": 4}
    runs = [
        subject.trained(Cell({"momentum": m, "batch": subject.TRAINED}, budget), (5,))
        for m in (subject.LAST, 0.99)
    ]
    model = runs[0].final_model(0)
    moving = [i for i, w in enumerate(model.weights) if "moving" in w.path]
    assert len(moving) == 2 * len(subject.UNITS)
    for i, (a, b) in enumerate(zip(runs[0].final[0], runs[1].final[0], strict=True)):
        if i in moving:
            assert np.abs(a - b).max() > 0.01
        else:
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("short", "last", "outcomes"),
    [
        (0.1, 0.0, ("SUPPORTED", "SUPPORTED")),
        (-0.1, 0.1, ("REFUTED", "REFUTED")),
        (0.0, -0.1, ("UNDECIDED", "SUPPORTED")),  # averages may be the better ones in the end
    ],
)
def test_accuracy_is_lost_early_and_not_late(short, last, outcomes):
    noise = np.random.default_rng(1).normal(0, 0.01, (2, 20))
    cells = tuple(
        verdicts.CellResult(
            {"momentum": momentum, "batch": subject.TRAINED},
            np.arange(20),
            {"short_accuracy": 0.8 + sign * short + e, "last_accuracy": 0.9 + sign * last + e},
            np.zeros(20, bool),
        )
        for momentum, sign, e in zip((subject.LAST, 0.99), (0, -1), noise, strict=True)
    )
    found = verdicts.Results(cells)
    for name, outcome in zip(("short", "late"), outcomes, strict=True):
        assert BY_ID[name].rule.decide(found).outcome == outcome
