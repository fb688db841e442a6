"""B4: a turn by hand, layers against a plain correlation, verdicts and mutants."""

import numpy as np
import pytest
from scipy.signal import correlate2d

from benchmarks.experiments.equivariance import rotations as subject
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


def test_verdicts(results):
    for hypothesis in subject.EXPERIMENT.hypotheses:
        verdict = judge(hypothesis, results)
        assert verdict.outcome == SUPPORTED, (hypothesis.id, verdict.sentence)
        assert all(outcome == REFUTED for _, outcome, _ in verdict.mutants), hypothesis.id


def test_maps_are_turned_and_passed_on():
    maps = np.zeros((3, 3, 4, 1))
    maps[0, 2, 1, 0] = 1.0  # top right, second orientation
    turned = subject.turned(maps)
    assert np.argwhere(turned).tolist() == [[0, 0, 2, 0]]  # top left, third
    four = subject.twice(subject.twice(subject.turned))(maps)
    np.testing.assert_array_equal(four, maps)


def test_lifting_is_four_correlations():
    """Of the image with the kernel in its four orientations, by SciPy."""
    run = subject.network(subject.LIFTED, 4)
    rng = np.random.default_rng(0)
    image = rng.normal(0.7, 1, (11, 11))
    maps = run(image)
    # An impulse shows the kernel, turned by half a turn as correlation does.
    impulse = np.zeros((11, 11))
    impulse[5, 5] = 1.0
    both = run(impulse) - run(-impulse)  # without the ReLU
    kernel = np.rot90(both[4:7, 4:7, 0, 0], 2)
    for r in range(4):
        answer = correlate2d(image, np.rot90(kernel, r), "same")
        np.testing.assert_allclose(maps[..., r, 0], np.maximum(answer, 0), atol=1e-12)


def test_a_plain_network_has_as_many_maps():
    image = np.random.default_rng(0).normal(size=(11, 11))
    plain = subject.network(subject.PLAIN, 0)(image)
    group = subject.network(subject.GROUP, 0)(image)
    assert plain.size == group.size
