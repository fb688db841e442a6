"""Pooling: what it is, which shifts it keeps, and what a classifier gains from it.

Lecture section "Architectures", claim C64. The slide defines maximum and average over a window and
names three benefits: smaller maps, better results, invariance to small deformations. Definitions
hold. Invariance does not: with stride p a pooled map is equivariant to shifts by multiples of p,
and under one pixel it changes. A single bright pixel stays in its window with probability
(p - 1) / p, and smooth images change as much with a maximum as without. A *global* maximum is
invariant.
"""

from functools import cache

import numpy as np

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
    Points,
)
from benchmarks.verdicts import Agreement, AtMost, Identity, Sign, every

SIDE, WINDOW = 16, 4
DENSE, PLAIN, STRIDED, POOLED, GLOBAL = NETWORKS = (
    "dense", "convolution", "stride", "two poolings", "global maximum",
)  # fmt: skip
SMOOTH = 3.0  # pixels: a blur that leaves nothing as small as the window
SHIFTS = ((0, 1), (1, 0), (0, -1), (-1, 0))


def pooled(x, kind, size=WINDOW):
    """The suite's pooling of one map `(height, width)`, in float64."""
    from suite.layers import AveragePooling2D, MaxPooling2D

    layer = (MaxPooling2D if kind == "max" else AveragePooling2D)(size, dtype="float64")
    return np.asarray(layer(x[None, ..., None]))[0, ..., 0]


def windows(x, size=WINDOW):
    """The same cut by NumPy, (rows, columns, size, size)."""
    h, w = (side // size for side in x.shape)
    return x[: h * size, : w * size].reshape(h, size, w, size).swapaxes(1, 2)


def averaging_convolution(x, size=WINDOW):
    """A `Conv2D` with the same weight everywhere, and the window as its stride."""
    from suite.layers import Conv2D

    layer = Conv2D(1, size, strides=size, use_bias=False, dtype="float64")
    layer.build((None, *x.shape, 1))
    layer.set_weights([np.full((size, size, 1, 1), 1 / size**2)])
    return np.asarray(layer(x[None, ..., None]))[0, ..., 0]


def change(one, other):
    """Norm of a difference over the norm of what was there."""
    return np.linalg.norm(one - other) / np.linalg.norm(other)


@cache
def survival(size):
    """Share of places at which a bright pixel stays in its window when it moves by one."""
    same = 0
    for place in range(size):
        x = np.zeros((2 * size, 2 * size))
        x[0, place] = 1.0
        same += np.array_equal(pooled(np.roll(x, 1, axis=1), "max", size), pooled(x, "max", size))
    return same / size


def algebra(seed):
    """Metrics that need no training, for one random map and a smooth one."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    x, y = rng.normal(0.7, 1.0, (2, SIDE, SIDE))
    smooth = gaussian_filter(x, SMOOTH, mode="wrap") - 0.7  # what is left has mean zero
    largest, mean = pooled(x, "max"), pooled(x, "average")
    both = pooled(x, "max") + pooled(y, "max")
    moved, far = np.roll(x, 1, axis=1), np.roll(x, WINDOW, axis=1)
    return {
        "max_off": np.abs(largest - windows(x).max(axis=(2, 3))).max(),
        "mean_off": np.abs(mean - windows(x).mean(axis=(2, 3))).max() / np.abs(mean).max(),
        "mean_linear_off": np.abs(averaging_convolution(x) - mean).max() / np.abs(mean).max(),
        "max_linear_off": np.abs(pooled(x + y, "max") - both).max() / np.abs(both).max(),
        "lipschitz_excess": np.abs(largest - pooled(y, "max")).max() - np.abs(x - y).max(),
        "by_window": np.abs(pooled(far, "max") - np.roll(largest, 1, axis=1)).max(),
        "by_one": change(pooled(moved, "max"), largest),
        "global_by_one": abs(moved.max() - x.max()),
        "survival": survival(WINDOW),
        "survival_theory": (WINDOW - 1) / WINDOW,
        "survival_sure": 1.0,
        "smooth_none": change(np.roll(smooth, 1, axis=1), smooth),
        "smooth_max": change(pooled(np.roll(smooth, 1, axis=1), "max"), pooled(smooth, "max")),
    }


def network(name):
    """Ten classes from a 14 x 14 image; layers of the suite."""
    import keras

    from suite.layers import Conv2D, Dense, GlobalMaxPooling2D, MaxPooling2D

    def conv(filters, **arguments):
        return Conv2D(filters, 3, padding="same", activation="relu", **arguments)

    flat, head = keras.layers.Flatten(), Dense(10)
    body = {
        DENSE: [flat, Dense(32, activation="relu")],
        PLAIN: [conv(8), flat],
        STRIDED: [conv(8, strides=2), conv(8, strides=2), flat],
        POOLED: [conv(8), MaxPooling2D(2), conv(8), MaxPooling2D(2), flat],
        # Nothing between that pools with a stride: a first version had a local maximum there, and
        # changed nearly as many predictions as two of them.
        GLOBAL: [conv(8), conv(16), GlobalMaxPooling2D()],
    }[name]
    return keras.Sequential([keras.Input((14, 14, 1)), *body, head])


def shifted(images, down, right):
    """Moved by whole pixels, with nothing coming in."""
    moved = np.roll(images, (down, right), axis=(1, 2))
    if down:
        moved[:, 0 if down > 0 else -1] = 0
    if right:
        moved[:, :, 0 if right > 0 else -1] = 0
    return moved


@cache
def images():
    """Training and test images `(n, 14, 14, 1)` with labels; digits as they come, in the middle."""
    from benchmarks.experiments.comparisons._images import smaller
    from suite.datasets import load_arrays

    data = load_arrays("mnist_5000", seed=0, validation=0.2, test=0.2)
    return [
        (smaller(x).reshape(-1, 14, 14, 1), y)
        for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test))
    ]


def trained(cell, seeds):
    """Accuracy, accuracy one pixel away, and share of predictions that flip; maps of a digit."""
    import keras

    from suite.optimizers import Adam
    from suite.training import train

    (x, y), (x_test, y_test) = images()
    history = train(
        lambda seed: network(cell.network),
        Adam(cell.learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        x, y, steps=cell.steps, batch_size=64, seeds=seeds, record_every=cell.steps, probes=(),
        compiled=cell.compiled,
    )  # fmt: skip
    model = network(cell.network)
    x_test, y_test = x_test[: cell.tested], y_test[: cell.tested]
    found = {"accuracy": [], "accuracy_shifted": [], "flips": []}
    for weights in history.final:
        model.set_weights(weights)
        still = np.argmax(model(x_test), axis=1)
        moved = np.array([np.argmax(model(shifted(x_test, *by)), axis=1) for by in SHIFTS])
        found["accuracy"].append(np.mean(still == y_test))
        found["accuracy_shifted"].append(np.mean(moved == y_test))
        found["flips"].append(np.mean(moved != still))
    return history, {name: np.array(values) for name, values in found.items()}


def maps_of(model, image):
    """First feature map with most ink, before and after the first pooling: a surface each."""
    first, second = model.layers[0], model.layers[1]
    before = np.asarray(first(image[None]))
    channel = int(before.sum(axis=(0, 1, 2)).argmax())
    arrays = {}
    for name, values in (("before", before), ("after", np.asarray(second(before)))):
        surface = values[0, ..., channel]
        arrays |= {
            name: surface[::-1].astype("float32"),  # the page's second axis points up
            f"{name}.x": np.arange(surface.shape[1], dtype="float32"),
            f"{name}.y": np.arange(surface.shape[0], dtype="float32"),
        }
    return arrays


def measure(cell, seeds):
    """Train one network from each seed; the algebra of pooling is looked at once a seed."""
    seeds = [int(seed) for seed in seeds]
    history, found = trained(cell, seeds)
    rows = [algebra(seed) for seed in seeds]
    found |= {name: np.array([row[name] for row in rows]) for name in rows[0]}
    arrays = {}
    if cell.network == POOLED and not history.diverged[0]:
        model = network(cell.network)
        model.set_weights(history.final[0])
        arrays = maps_of(model, images()[1][0][0])
    return Measurements(
        metrics=found,
        arrays=arrays,
        diverged=history.diverged,
        diverged_at=history.diverged_at,
        compile_seconds=history.compile_seconds,
        run_seconds=history.run_seconds,
    )


METRICS = {
    "accuracy": Metric("test accuracy", "1", better="higher"),
    "accuracy_shifted": Metric("test accuracy, one pixel away", "1", better="higher"),
    "flips": Metric("predictions that one pixel changes", "share", better="lower"),
    "max_off": Metric("layer against the maximum of each window", "1"),
    "mean_off": Metric("layer against the mean of each window, relative", "1"),
    "mean_linear_off": Metric("average pooling against a convolution, relative", "1"),
    "max_linear_off": Metric("max pooling of a sum against the sum of both, relative", "1"),
    "lipschitz_excess": Metric("change of the maximum beyond the largest change of a pixel", "1"),
    "by_window": Metric("shift by the window against a shift by one of the output", "1"),
    "by_one": Metric("change of a max-pooled map by one pixel, relative", "1"),
    "global_by_one": Metric("change of the global maximum by one pixel", "1"),
    "survival": Metric("bright pixels that stay in their window", "share"),
    "survival_theory": Metric("(p − 1) / p", "share"),
    "survival_sure": Metric("all of them", "share"),
    "smooth_none": Metric("change of a smooth image by one pixel, relative", "1"),
    "smooth_max": Metric("the same of its max-pooled map", "1"),
}

EXPERIMENT = Experiment(
    claim="C64",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C64.definition",
            "Max and average pooling take the maximum and the mean of each window.",
            rule=every(Identity("max_off", terms=1), Identity("mean_off", terms=WINDOW**2)),
            kind="as stated",
            formula=r"\max_{y \in \mathcal{N}_x} F(y), \quad "
            r"\tfrac{1}{|\mathcal{N}_x|} \sum_{y \in \mathcal{N}_x} F(y)",
        ),
        Hypothesis(
            "C64.invariance",
            "A max-pooled map does not change when the image moves by one pixel.",
            rule=Identity("by_one", terms=1),
            kind="as stated",
        ),
        Hypothesis(
            "C64.equivariance",
            "It moves along when the image moves by the window's size.",
            rule=Identity("by_window", terms=1),
            formula=r"P(T^p F) = T\, P(F)",
            mutants=(Mutant("any shift", {"metric": "by_one"}),),
        ),
        Hypothesis(
            "C64.global",
            "The global maximum of a torus does not change.",
            rule=Identity("global_by_one", terms=1),
            mutants=(Mutant("a local one neither", {"metric": "by_one"}),),
        ),
        Hypothesis(
            "C64.survival",
            "A bright pixel stays in its window under a shift by one with probability (p − 1) / p.",
            rule=Agreement("survival", "survival_theory", "survival_sure"),
            mutants=(Mutant("always", {"expected": "survival_sure", "rival": None}),),
        ),
        Hypothesis(
            "C64.linear",
            "Average pooling is a convolution with fixed weights.",
            rule=Identity("mean_linear_off", terms=WINDOW**2),
            mutants=(Mutant("max pooling is linear, too", {"metric": "max_linear_off"}),),
        ),
        Hypothesis(
            "C64.lipschitz",
            "A maximum changes by no more than the pixel that changes most.",
            rule=AtMost("lipschitz_excess", bound=0.0),
            formula=r"\lVert P F - P G \rVert_\infty \le \lVert F - G \rVert_\infty",
        ),
        Hypothesis(
            "C64.flips",
            "A classifier with a global maximum changes fewer of its predictions under one pixel "
            "than any of the others.",
            rule=every(*(Sign("flips", "network", other, GLOBAL) for other in NETWORKS[:-1])),
            mutants=(Mutant("more right answers as well", {"metric": "accuracy_shifted"}),),
        ),
    ),
    factors={"network": NETWORKS},
    # A direction over paired seeds, of which one may disagree: 21 / 2^20 = 2e-5. With 14, which
    # must all agree, one pair of equal flips left it undecided.
    seeds=20,
    paired=("data", "batches"),
    budget={"steps": 300, "learning_rate": 3e-3, "tested": 300, "compiled": True},
    # A few steps are done before the compiler is.
    smoke={"steps": 3, "tested": 20, "compiled": False},
    metrics=METRICS,
    figure=(
        Points(
            x="network",
            y="flips",
            x_label="network",
            y_label="predictions that one pixel changes",
            title="Local pooling changes little, a global maximum much",
        ),
        Points(
            x="network",
            y="accuracy_shifted",
            x_label="network",
            y_label="test accuracy, one pixel away",
            title="Accuracy on digits that moved by one pixel",
        ),
        Plane(
            x_label="column",
            y_label="row",
            title="A feature map before pooling",
            surface="before",
            where={"network": POOLED},
        ),
        Plane(
            x_label="column",
            y_label="row",
            title="The same map after pooling",
            surface="after",
            where={"network": POOLED},
        ),
    ),
    measure=measure,
    finding="Pooling with a stride keeps shifts by its window and no others; a bright pixel stays "
    "in its window in {survival:.2f} of the places. Of the trained networks the one with a global "
    "maximum changes the fewest predictions under one pixel.",
    stated=r"P(T F) = P(F)",
    corrected=r"P(T^p F) = T\, P(F), \quad \max_x (T F)(x) = \max_x F(x)",
    figures=("F27",),
    components=(
        "suite.layers.MaxPooling2D",
        "suite.layers.AveragePooling2D",
        "suite.layers.GlobalMaxPooling2D",
    ),
    limits="That pooling improves results depends on the task: accuracies are shown and have no "
    "rule. Networks differ in their number of weights, and one learning rate serves all. On images "
    "as smooth as the window a maximum does not help either; both changes are in the table.",
)
