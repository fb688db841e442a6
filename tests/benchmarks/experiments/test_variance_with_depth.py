"""The measurement against random matrices drawn by NumPy, and the rules against known answers."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from benchmarks import verdicts
from benchmarks.experiments.exploding_and_vanishing import variance_with_depth as subject
from benchmarks.experiments.exploding_and_vanishing.variance_with_depth import EXPERIMENT

BY_ID = {h.id.split(".")[1]: h for h in EXPERIMENT.hypotheses}
SMALL = replace(EXPERIMENT, factors=EXPERIMENT.factors | {"depth": (12,)})


def run(spec, seeds):
    cells = []
    for cell in spec.cells():
        found = subject.measure(cell, seeds)
        found.check(spec, len(seeds))
        cells.append(
            verdicts.CellResult(cell.factors, seeds, found.metrics, np.zeros(len(seeds), bool))
        )
    return verdicts.Results(tuple(cells))


@pytest.fixture(scope="module")
def results():
    # Fewer do not tell ψ′(n) from ψ′(n/2).
    return run(SMALL, np.arange(EXPERIMENT.seeds))


def test_the_drift_is_the_mean_of_a_log_chi_square():
    for n in (3, 8):
        mean = stats.chi2(n).expect(np.log) - np.log(n)  # by quadrature
        assert subject.drift(n) == pytest.approx(mean, abs=1e-7)


def test_the_logs_are_those_of_the_kernels_multiplied_out():
    widths, scales, seed = (5, 3, 7, 3), (0.8, 1.25, 2.0), 11
    logs = subject.log_ratios(widths, scales, seed)
    from suite.training.streams import streams

    x = np.random.default_rng(streams(seed)["data"]).normal(size=5)
    product = np.linalg.multi_dot([x, *subject.kernels(widths, scales, seed)])
    assert logs[-1] == pytest.approx(np.log(np.mean(product**2) / np.mean(x**2)), rel=1e-12)


def test_kernels_are_gaussian_with_variance_scale_over_fan_in():
    kernel = subject.kernels((70, 50), (1.5,), 3)[0]
    assert kernel.shape == (70, 50)
    # 4 standard errors of a sample variance of 3500 normals: 4 sqrt(2 / 3500).
    assert kernel.var() * 70 / 1.5 == pytest.approx(1, abs=4 * np.sqrt(2 / kernel.size))
    assert np.abs(kernel).max() > 2 * kernel.std()  # not truncated


def test_seeds_differ_and_repeat():
    first, other, again = (subject.log_ratios((4, 6), (1.0,), s)[-1] for s in (1, 2, 1))
    assert first == again != other


def test_numpy_networks_agree_with_the_laws_in_every_metric():
    """The rules accept ratios that SciPy drew from the law itself, in place of networks."""
    rng = np.random.default_rng(0)
    cells = []
    for cell in EXPERIMENT.cells():
        seeds = np.arange(EXPERIMENT.seeds)
        metrics = dict(subject.measure(replace(cell), seeds[:2]).metrics)
        metrics = {k: np.full(EXPERIMENT.seeds, v[0]) for k, v in metrics.items()}
        widths = subject.layer_widths(cell)
        logs = sum(np.log(rng.chisquare(n, EXPERIMENT.seeds) / n) for n in widths[1:])
        log_gain = subject.log_gains(cell, widths).sum()
        metrics["log_ratio"] = logs + log_gain
        metrics["squared_deviation"] = (logs + log_gain - metrics["typical_law"]) ** 2
        metrics["ratio_over_slide"] = np.exp(logs)
        cells.append(
            verdicts.CellResult(cell.factors, seeds, metrics, np.zeros(EXPERIMENT.seeds, bool))
        )
    results = verdicts.Results(tuple(cells))
    for name, wanted in {
        "typical": "SUPPORTED",
        "spread": "SUPPORTED",
    }.items():
        verdict = verdicts.judge(BY_ID[name], results)
        assert verdict.outcome == wanted, verdict.sentence
        assert all(outcome == "REFUTED" for _, outcome, _ in verdict.mutants)


@pytest.mark.parametrize("name", ["typical", "spread", "critical"])
def test_the_corrected_laws_survive_and_their_mutants_do_not(results, name):
    verdict = verdicts.judge(BY_ID[name], results)
    assert verdict.outcome == verdicts.SUPPORTED, verdict.sentence
    assert [outcome for _, outcome, _ in verdict.mutants] == [verdicts.REFUTED]


def test_the_slide_holds_on_average(results):
    assert verdicts.judge(BY_ID["expectation"], results).outcome == verdicts.SUPPORTED
