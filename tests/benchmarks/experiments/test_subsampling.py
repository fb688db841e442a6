"""B2: half a pixel by hand, layers against slices, verdicts and mutants."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from benchmarks.experiments.equivariance import subsampling as subject
from benchmarks.verdicts import REFUTED, SUPPORTED, CellResult, Results, judge

SEEDS = np.arange(14)


@pytest.fixture(scope="module")
def results():
    cells = []
    for cell in subject.EXPERIMENT.cells():
        found = subject.measure(cell, SEEDS)
        found.check(subject.EXPERIMENT, len(SEEDS))
        diverged = np.zeros(len(SEEDS), bool)
        cells.append(CellResult(dict(cell.factors), SEEDS, found.metrics, diverged))
    return Results(tuple(cells))


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(0.7, 1.0, (16, 16))


def test_layers_are_slices(x):
    blocks = x.reshape(8, 2, 8, 2)
    np.testing.assert_allclose(subject.subsampled(x, subject.STRIDE), x[::2, ::2])
    np.testing.assert_allclose(subject.subsampled(x, subject.MAX), blocks.max(axis=(1, 3)))
    np.testing.assert_allclose(subject.subsampled(x, subject.MEAN), blocks.mean(axis=(1, 3)))
    np.testing.assert_allclose(subject.subsampled(x, subject.GLOBAL), [x.max()])


def test_half_a_pixel_of_a_cosine():
    place = np.arange(8)[:, None] * np.ones((1, 8))
    wave = np.cos(2 * np.pi * 3 * place / 8)
    expected = np.cos(2 * np.pi * 3 * (place - 0.5) / 8)
    np.testing.assert_allclose(subject.half_shifted(wave), expected, atol=1e-12)


def test_the_blur_is_scipys(x):
    expected = gaussian_filter(x, 1.5, mode="wrap", truncate=8)
    # SciPy samples the kernel, the spectrum does not: they differ beyond the grid's resolution.
    np.testing.assert_allclose(subject.blurred(x, 1.5), expected, atol=2e-3)
    assert subject.blurred(x, 0) is x


def test_what_is_band_limited_has_no_defect():
    place = np.arange(16)[:, None] * np.ones((1, 16))
    wave = np.cos(2 * np.pi * 3 * place / 16)
    y = subject.subsampled(wave, subject.STRIDE)
    moved = subject.subsampled(np.roll(wave, 1, axis=0), subject.STRIDE)
    assert subject.relative(moved, subject.half_shifted(y)) < 1e-12


def test_verdicts(results):
    for hypothesis in subject.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, (hypothesis.id, verdict.sentence)
        assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants), hypothesis.id
