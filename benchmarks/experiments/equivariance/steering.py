"""A steerable filter answers at every angle by a combination of few answers.

Beyond the lecture, claim B5 (Freeman & Adelson 1991). The first derivative of a Gaussian in
direction theta is

    G_theta = cos(theta) G_x + sin(theta) G_y

so two convolutions give the answer for all angles. The rotated copies of the second derivative span
three dimensions, and those of a kernel r^|k| e^{-r^2/2} e^{i k phi}, a circular harmonic, two (real
and imaginary part). For an elongated filter the dimension grows with every angle that is looked at.
"""

import numpy as np

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.experiments.architectures import _planes
from benchmarks.verdicts import AtMost, Identity

SIDE = 9
SHAPE = (14, 12)
ANGLES = 64
FIRST, SECOND, THIRD, LONG = FILTERS = (
    "first derivative", "second derivative", "third harmonic", "elongated",
)  # fmt: skip
RANKS = {FIRST: 2, SECOND: 3, THIRD: 2}
COMPONENTS = 12  # of the spectrum that is drawn


def kernel(name, theta):
    """The filter turned by theta, sampled from its formula; not symmetric in the grid's axes."""
    axis = (np.arange(SIDE) - SIDE // 2) / 1.5
    x, y = np.meshgrid(axis, axis)
    u, v = np.cos(theta) * x + np.sin(theta) * y, np.cos(theta) * y - np.sin(theta) * x
    bell = np.exp(-(u**2 + v**2) / 2)
    return {
        FIRST: -u * bell,
        SECOND: (u**2 - 1) * bell,
        THIRD: np.real((u + 1j * v) ** 3) * bell,
        LONG: -u * np.exp(-(u**2) / 2 - (v / 4) ** 2 / 2),
    }[name]


def spectrum(name):
    """Singular values of the filter at all angles, relative to the largest."""
    angles = np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)
    s = np.linalg.svd(np.array([kernel(name, t).ravel() for t in angles]), compute_uv=False)
    return s / s[0]


def rank(name):
    """Dimension that the rotated copies span."""
    return int((spectrum(name) > 1e-10).sum())


def measure(cell, seeds):
    """An image and an angle a seed: the turned filter's answer against the combination."""
    rows = {name: [] for name in METRICS}
    for seed in seeds:
        rng = np.random.default_rng([int(seed), _planes.DATA.index(cell.data)])
        image, theta = _planes.image(cell.data, SHAPE, rng), float(rng.uniform(0.2, 1.3))
        answer = _planes.correlate(image, kernel(cell.filter, theta))
        by_x = _planes.correlate(image, kernel(cell.filter, 0.0))
        by_y = _planes.correlate(image, kernel(cell.filter, np.pi / 2))
        both = np.stack([by_x, by_y])
        steered = np.cos(theta) * by_x + np.sin(theta) * by_y
        rows["off"].append(_planes.deviation(answer, steered, both))
        # Linear in the angle instead: what one might try between two answers.
        between = (1 - 2 * theta / np.pi) * by_x + 2 * theta / np.pi * by_y
        rows["off_interpolated"].append(_planes.deviation(answer, between, both))
        rows["rank_off"].append(float(abs(rank(cell.filter) - RANKS.get(cell.filter, 2))))
    return Measurements(
        metrics={name: np.array(values) for name, values in rows.items()},
        # Below rounding there is nothing to see.
        curves={"spectrum": np.tile(np.maximum(spectrum(cell.filter)[:COMPONENTS], 1e-17),
                                    (len(seeds), 1))},
        axes={"spectrum": np.arange(1.0, COMPONENTS + 1)},
    )  # fmt: skip


METRICS = {
    "off": Metric("answer of the turned filter against the combination of two, relative", "1"),
    "off_interpolated": Metric("against interpolation between the two, relative", "1"),
    "rank_off": Metric("dimension of the turned filters, distance from theory", "1"),
}

EXPERIMENT = Experiment(
    claim="B5",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "B5.steering",
            "The answer of a Gaussian's derivative at any angle is the cosine of it times the "
            "answer along x plus the sine times that along y.",
            rule=Identity("off", terms=SIDE**2, where={"filter": FIRST}),
            formula=r"G_\theta \star F = \cos\theta\,(G_x \star F) + \sin\theta\,(G_y \star F)",
            mutants=(
                Mutant("interpolated between the angles", {"metric": "off_interpolated"}),
                Mutant("an elongated filter", {"where": {"filter": LONG}}),
                Mutant("the second derivative", {"where": {"filter": SECOND}}),
            ),
        ),
        Hypothesis(
            "B5.rank",
            "Turned copies span two dimensions for a first derivative or a circular harmonic, and "
            "three for a second derivative.",
            rule=AtMost("rank_off", bound=0.0, where={"filter": tuple(RANKS)}),
            mutants=(Mutant("two for an elongated filter", {"where": {"filter": LONG}}),),
        ),
    ),
    factors={"filter": FILTERS, "data": _planes.DATA},
    seeds=20,
    paired=("data",),
    metrics=METRICS,
    figure=(
        Curves(
            y="spectrum",
            by="filter",
            where={"data": _planes.NOISE},
            x_label="singular value",
            y_label="size, relative",
            title="Few dimensions hold all the angles of a steerable filter",
            log="y",
        ),
    ),
    measure=measure,
    finding="Two answers give those at every angle for a derivative of a Gaussian; an elongated "
    "filter has no such pair.",
    corrected=r"G_\theta = \cos\theta\, G_x + \sin\theta\, G_y",
    components=("suite.layers.Conv2D",),
    limits="The filters are known in closed form and sampled anew at each angle. Turning a kernel "
    "of pixels needs interpolation, and holds as far as that does.",
)
