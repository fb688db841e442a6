"""A group convolution commutes with quarter turns; a plain one does not.

Beyond the lecture, claim B4 (Cohen & Welling 2016). A lifting layer correlates the image with its
kernel in four orientations; a group layer correlates maps over positions *and* orientations. Then

    layer(rotated image) = rotated maps, each passed on to the next orientation

which needs no training and no augmentation. The largest value over positions and orientations does
not change at all. A turn by 45 degrees is none of the grid's: there only an approximation is left.
"""

import numpy as np

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Points,
)
from benchmarks.experiments.architectures import _planes
from benchmarks.verdicts import Identity, Within

SIDE, WINDOW, FILTERS, SECOND = 11, 3, 3, 2
LIFTED, GROUP, POOLED, PLAIN = NETWORKS = ("lifting", "group", "pooled", "plain")
# Two layers: sums over 9 cells, then over 9 cells x 4 orientations x 3 maps.
TERMS = 9 * 4 * FILTERS


def quarter(maps):
    """A quarter turn of what has height and width first."""
    return np.rot90(maps, axes=(0, 1))


def twice(act):
    """The same, done two times."""
    return lambda maps: act(act(maps))


def turned(maps):
    """What a quarter turn does to maps `(height, width, 4, filters)`: turn each, pass it on."""
    return np.roll(quarter(maps), 1, axis=2)


def network(name, seed):
    """Image `(height, width)` -> maps, with the suite's layers in float64 and ReLU."""
    from suite.initializers import VarianceScaling
    from suite.layers import Conv2D, GroupConv2D, LiftingConv2D

    def arguments(offset):
        initializer = VarianceScaling(distribution="normal", seed=10 * seed + offset)
        return {
            "padding": "same", "activation": "relu", "dtype": "float64",
            "kernel_initializer": initializer,
        }  # fmt: skip

    if name == PLAIN:
        first, second = (
            Conv2D(4 * FILTERS, WINDOW, **arguments(0)),
            Conv2D(4 * SECOND, WINDOW, **arguments(1)),
        )
    else:
        first, second = (
            LiftingConv2D(FILTERS, WINDOW, **arguments(0)),
            GroupConv2D(SECOND, WINDOW, **arguments(1)),
        )

    def run(image):
        y = first(image[None, ..., None])
        return np.asarray(y if name == LIFTED else second(y))[0]

    return run


def defect(name, run, image, act, act_on_maps):
    """Act then run against run then act, relative to the largest output."""
    one, other = run(act(image)), run(image)
    if name == POOLED:
        # Over positions and orientations; of a plain layer over positions.
        axes = tuple(range(one.ndim - 1))
        one, other = one.max(axis=axes), other.max(axis=axes)
    else:
        other = act_on_maps(other)
    return _planes.deviation(one, other)


def spun(image):
    """By 45 degrees, with bilinear interpolation."""
    from scipy.ndimage import rotate

    return rotate(image, 45, reshape=False, order=1)


def measure(cell, seeds):
    """One image and one network a seed."""
    rows = {name: [] for name in METRICS}
    for seed in seeds:
        rng = np.random.default_rng([int(seed), _planes.DATA.index(cell.data)])
        image = _planes.image(cell.data, (SIDE, SIDE), rng)
        run = network(cell.network, int(seed))
        plain = cell.network == PLAIN  # its maps have no orientation to pass on
        on_maps = quarter if plain else turned
        rows["quarter"].append(defect(cell.network, run, image, quarter, on_maps))
        rows["not_passed_on"].append(defect(cell.network, run, image, quarter, quarter))
        rows["half"].append(defect(cell.network, run, image, twice(quarter), twice(on_maps)))
        rows["eighth"].append(defect(POOLED, run, image, spun, None))
    return Measurements(metrics={name: np.array(values) for name, values in rows.items()})


METRICS = {
    "quarter": Metric("turn by 90° then layer against layer then turn, relative", "1"),
    "half": Metric("the same for 180°", "1"),
    "not_passed_on": Metric("the same for 90°, orientations left in place", "1"),
    "eighth": Metric("change of the pooled maximum by 45°, relative", "1"),
}
KNOWING = {"network": (LIFTED, GROUP, POOLED)}

EXPERIMENT = Experiment(
    claim="B4",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "B4.quarter",
            "Turning the image by 90 degrees turns the maps of lifting and group layers and "
            "passes their orientations on.",
            rule=Identity("quarter", terms=TERMS, where=KNOWING),
            formula=r"[f \star \psi](r x, r s) \text{ for } r f: \quad "
            r"\Phi(R F) = R\, \Phi(F)",
            mutants=(Mutant("a plain convolution", {"where": {"network": PLAIN}}),),
        ),
        Hypothesis(
            "B4.half",
            "The same for 180 degrees.",
            rule=Identity("half", terms=TERMS, where=KNOWING),
            mutants=(Mutant("a plain convolution", {"where": {"network": PLAIN}}),),
        ),
        Hypothesis(
            "B4.passed_on",
            "The orientations move as well: it is not enough to turn the maps.",
            rule=Identity("quarter", terms=TERMS, where={"network": (LIFTED, GROUP)}),
            mutants=(Mutant("orientations stay in place", {"metric": "not_passed_on"}),),
        ),
        Hypothesis(
            "B4.grid",
            "A turn by 45 degrees is not in the group: the pooled maximum changes.",
            # Rounding changes it by 1e-14; a percent is no rounding.
            rule=Within("eighth", low=0.01, high=None, where={"network": POOLED, "data": "noise"}),
        ),
    ),
    factors={"network": NETWORKS, "data": _planes.DATA},
    seeds=20,
    paired=("data", "initial weights"),
    metrics=METRICS,
    figure=(
        Points(
            x="network",
            y="quarter",
            where={"data": _planes.DIGITS},
            x_label="network",
            y_label="largest difference, relative",
            title="A plain convolution does not know a quarter turn",
        ),
        Points(
            x="network",
            y="eighth",
            by="data",
            where={"network": (GROUP, POOLED)},
            x_label="network",
            y_label="change of the pooled maximum",
            title="At 45 degrees the grid is in the way",
        ),
    ),
    measure=measure,
    finding="Lifting and group layers commute with quarter and half turns to rounding; a plain "
    "convolution does not, and at 45 degrees the pooled maximum changes by {grid:.2f} of itself.",
    corrected=r"\Phi(R F) = R\,\Phi(F) \text{ for } R \in p4",
    figures=("F31",),
    components=("suite.layers.LiftingConv2D", "suite.layers.GroupConv2D", "suite.layers.Conv2D"),
    limits="Square images of odd side and padding on all sides alike. A turn by 45 degrees also "
    "interpolates between pixels and cuts the corners off. That it helps to know the "
    "symmetry is another claim (B6).",
)
