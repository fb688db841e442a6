"""Pooling: what it is, which shifts it keeps, and what a classifier gains from it.

Lecture section "Architectures", claim C64. The slide defines maximum and average over a window and
names three benefits: smaller maps, better results, invariance to small deformations. Definitions
hold. Invariance does not: with a stride p a pooled map is equivariant to shifts by multiples of p,
and under one pixel it changes. A single bright pixel stays in its window with probability
(p - 1) / p. A *global* maximum is invariant, if what comes before it moves along with the image:

    max_x (T F o W)(x) = max_x T (F o W)(x) = max_x (F o W)(x)

That takes a convolution that sees the same everywhere: a torus, or an image with so much room
around it that nothing of what a window answers is cut off at the border.
"""

from functools import cache

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
    Points,
)
from benchmarks.experiments.architectures._planes import deviation, kernel, layer_with
from benchmarks.verdicts import AtMost, Identity, Sign, Within, every

SHAPE, WINDOW = (12, 20), (3, 4)  # rows and columns: no side like another
BORDER = (11, 18)  # sides that no window divides
FILTER = (3, 2)
SIZES = (2, 4, 8)  # of windows that a bright pixel may leave
DENSE, PLAIN, STRIDED, POOLED, GLOBAL = NETWORKS = (
    "dense", "convolution", "stride", "two poolings", "global maximum",
)  # fmt: skip
SMOOTH = 3.0  # pixels: a blur that leaves nothing as small as the window
SIDE = 14  # of the digits, made of 28 x 28 pixels
DISTANCES = (0, 1, 2, 3)  # pixels by which they are moved; about two are free on every side


def pooled(x, kind, size=WINDOW, **arguments):
    """The suite's pooling of one map `(height, width)`, in float64."""
    from suite.layers import AveragePooling2D, MaxPooling2D

    layer = {"max": MaxPooling2D, "average": AveragePooling2D}[kind]
    return np.asarray(layer(size, dtype="float64", **arguments)(x[None, ..., None]))[0, ..., 0]


def windows(x, size=WINDOW):
    """The same cut by NumPy, (rows, columns, height, width)."""
    h, w = (side // n for side, n in zip(x.shape, size, strict=True))
    return x[: h * size[0], : w * size[1]].reshape(h, size[0], w, size[1]).swapaxes(1, 2)


def border_means(x, size=WINDOW):
    """Means with padding "same": of the pixels there are, and with zeros for those there are not.

    As many cells as are missing; half of them, rounded down, in front.
    """
    missing = [-side % n for side, n in zip(x.shape, size, strict=True)]
    around = [(n // 2, n - n // 2) for n in missing]
    there = windows(np.pad(np.ones_like(x), around), size).sum(axis=(2, 3))
    total = windows(np.pad(x, around), size).sum(axis=(2, 3))
    return total / there, total / np.prod(size)


def averaging_convolution(x, size=WINDOW):
    """A `Conv2D` with the same weight everywhere, and the window as its stride."""
    from suite.layers import Conv2D

    layer = Conv2D(1, size, strides=size, use_bias=False, dtype="float64")
    layer.build((None, *x.shape, 1))
    layer.set_weights([np.full((*size, 1, 1), 1 / np.prod(size))])
    return np.asarray(layer(x[None, ..., None]))[0, ..., 0]


def change(one, other):
    """Norm of a difference over the norm of what was there."""
    return np.linalg.norm(one - other) / np.linalg.norm(other)


@cache
def survival(size):
    """Share of places at which a bright pixel stays in its window when it moves by one."""
    same = 0
    for place in range(size):
        x = np.zeros((2, 2 * size))
        x[0, place] = 1.0
        moved = np.roll(x, 1, axis=1)
        same += np.array_equal(pooled(moved, "max", (1, size)), pooled(x, "max", (1, size)))
    return same / size


def global_maximum(x, weights, padding, local=False):
    """A convolution and a global maximum; `local` puts a pool with a stride between the two."""
    from suite.layers import GlobalMaxPooling2D, MaxPooling2D

    maps = layer_with(weights, (*x.shape, 1), padding=padding)(x[None, ..., None])
    if local:  # of every window the first: what a stride keeps
        maps = MaxPooling2D((1, 1), strides=WINDOW, dtype="float64")(maps)
    return np.asarray(GlobalMaxPooling2D(dtype="float64")(maps))[0]


@cache  # the same for every network
def algebra(seed):
    """Metrics that need no training, for two random maps and a smooth one."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    x, y = rng.normal(0.7, 1.0, (2, *SHAPE))
    smooth = gaussian_filter(x, SMOOTH, mode="wrap") - 0.7  # what is left has mean zero
    largest, mean = pooled(x, "max"), pooled(x, "average")
    found, other = windows(x).max(axis=(2, 3)), windows(x).mean(axis=(2, 3))
    pixels = np.abs(x - y)
    by = tuple(int(n) for n in rng.integers(1, SHAPE))
    far = np.roll(x, WINDOW, axis=(0, 1))
    weights = kernel(rng, *FILTER, 1, 3)
    cut = x[: BORDER[0], : BORDER[1]]
    there, with_zeros = border_means(cut)
    at_border = pooled(cut, "average", padding="same")

    def moved_by(shift, *arguments):
        still = global_maximum(x, weights, *arguments)
        return deviation(global_maximum(np.roll(x, shift, axis=(0, 1)), weights, *arguments), still)

    return {
        "max_off": deviation(largest, found),
        "mean_off": deviation(mean, other),
        "exchanged_off": deviation(largest, other),
        "sum_off": deviation(windows(x).sum(axis=(2, 3)), mean),
        "border_off": deviation(at_border, there),
        "border_zeros_off": deviation(at_border, with_zeros),
        "mean_linear_off": deviation(averaging_convolution(x), mean),
        "max_linear_off": deviation(pooled(x + y, "max"), largest + pooled(y, "max")),
        "lipschitz_excess": np.abs(largest - pooled(y, "max")).max() - pixels.max(),
        "lipschitz_mean_excess": np.abs(largest - pooled(y, "max")).max() - pixels.mean(),
        "by_window": deviation(pooled(far, "max"), np.roll(largest, 1, axis=(0, 1))),
        "by_one": change(pooled(np.roll(x, 1, axis=1), "max"), largest),
        "global_off": moved_by(by, "circular"),
        "global_zeros_off": moved_by(by, "same"),
        "global_stride_off": moved_by((0, 1), "circular", True),
        "survival_off": max(abs(survival(p) - (p - 1) / p) for p in SIZES),
        "survival_sure_off": max(abs(survival(p) - 1) for p in SIZES),
        "survival_half_off": max(abs(survival(p) - 1 / 2) for p in SIZES),
        "smooth_none": change(np.roll(smooth, 1, axis=1), smooth),
        "smooth_max": change(pooled(np.roll(smooth, 1, axis=1), "max"), pooled(smooth, "max")),
    }


def network(name):
    """Ten classes from a 14 x 14 image; layers of the suite."""
    import keras

    from suite.layers import Conv2D, Dense, GlobalMaxPooling2D, MaxPooling2D

    def conv(filters, padding="same", **arguments):
        return Conv2D(filters, 3, padding=padding, activation="relu", **arguments)

    flat, head = keras.layers.Flatten(), Dense(10)
    body = {
        DENSE: [flat, Dense(32, activation="relu")],
        PLAIN: [conv(8), flat],
        STRIDED: [conv(8, strides=2), conv(8, strides=2), flat],
        POOLED: [conv(8), MaxPooling2D(2), conv(8), MaxPooling2D(2), flat],
        # As the law asks for: no stride before the maximum, and room, so that of a digit one pixel
        # away from its place nothing that two windows of 3 x 3 answer falls off the border.
        GLOBAL: [
            keras.layers.ZeroPadding2D(3),
            conv(4, padding="valid"),
            conv(16, padding="valid"),
            GlobalMaxPooling2D(),
        ],
    }[name]
    return keras.Sequential([keras.Input((SIDE, SIDE, 1)), *body, head])


def shifted(images, down, right):
    """Moved by whole pixels, with nothing coming in."""
    room = max(abs(down), abs(right))
    padded = np.pad(images, ((0, 0), (room, room), (room, room), (0, 0)))
    height, width = images.shape[1:3]
    return padded[:, room - down :, room - right :][:, :height, :width]


def around(images, distance):
    """Moved by so many pixels down, right, up and left: `(4, n, height, width, 1)`."""
    ways = ((distance, 0), (0, distance), (-distance, 0), (0, -distance))
    return np.stack([shifted(images, *way) for way in ways])


@cache
def images():
    """Training and test images `(n, 14, 14, 1)` with labels; digits as they come, in the middle."""
    from benchmarks.experiments.comparisons._images import smaller
    from suite.datasets import load_arrays

    data = load_arrays("mnist_5000", seed=0, validation=0.2, test=0.2)
    return [
        (smaller(x).reshape(-1, SIDE, SIDE, 1), y)
        for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test))
    ]


def trained(cell, seeds):
    """The history, metrics on test digits, and accuracy `(seeds, distances)` on moved ones."""
    import keras

    from suite.optimizers import Adam
    from suite.training import train

    (x, y), (x_test, y_test) = images()
    history = train(
        lambda seed: network(cell.network),
        Adam(cell.learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        x, y, steps=cell.steps, batch_size=32, seeds=seeds, record_every=cell.steps, probes=(),
        train_probe=32, compiled=cell.compiled,
    )  # fmt: skip
    x_test, y_test = x_test[: cell.tested], y_test[: cell.tested]
    moved = np.concatenate([x_test[None], *(around(x_test, d) for d in DISTANCES[1:])])
    model = network(cell.network)
    answers = []
    for weights in history.final:
        model.set_weights(weights)
        answers.append([np.argmax(model(part), axis=1) for part in moved])
    answers = np.array(answers)  # (seeds, 1 + 4 ways for each distance, digits)
    right = (answers == y_test).mean(axis=2)
    ways = [right[:, :1], *np.split(right[:, 1:], len(DISTANCES) - 1, axis=1)]
    accuracy = np.stack([part.mean(axis=1) for part in ways], axis=1)
    metrics = {
        "accuracy": accuracy[:, 0],
        "accuracy_shifted": accuracy[:, 1],
        "flips": (answers[:, 1:5] != answers[:, :1]).mean(axis=(1, 2)),
        "one_answer": np.full(len(seeds), np.bincount(y_test).max() / len(y_test)),
    }
    return history, metrics, accuracy


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
    history, found, accuracy = trained(cell, seeds)
    rows = [algebra(seed) for seed in seeds]
    found |= {name: np.array([row[name] for row in rows]) for name in rows[0]}
    arrays = {}
    if cell.network == POOLED and not history.diverged[0]:
        model = network(cell.network)
        model.set_weights(history.final[0])
        arrays = maps_of(model, images()[1][0][0])
    return Measurements(
        metrics=found,
        curves={"moved": accuracy},
        axes={"moved": np.array(DISTANCES, float)},
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
    "one_answer": Metric("test accuracy of the most frequent answer", "1"),
    "max_off": Metric("layer against the maximum of each window, relative", "1"),
    "mean_off": Metric("layer against the mean of each window, relative", "1"),
    "exchanged_off": Metric("maximum against mean, relative", "1"),
    "sum_off": Metric("layer against the sum of each window, relative", "1"),
    "border_off": Metric("average at the border against that of the pixels there", "1", "lower"),
    "border_zeros_off": Metric("the same with zeros for those that are not", "1"),
    "mean_linear_off": Metric("average pooling against a convolution, relative", "1"),
    "max_linear_off": Metric("max pooling of a sum against the sum of both, relative", "1"),
    "lipschitz_excess": Metric("change of the maximum beyond the largest change of a pixel", "1"),
    "lipschitz_mean_excess": Metric("the same, beyond the mean change", "1"),
    "by_window": Metric("shift by the window against a shift by one of the output", "1"),
    "by_one": Metric("change of a max-pooled map by one pixel, relative", "1"),
    "global_off": Metric("change of the global maximum by a shift, on a torus", "1", "lower"),
    "global_zeros_off": Metric("the same with zeros around the image", "1"),
    "global_stride_off": Metric("the same with a stride in between, by one pixel", "1"),
    "survival_off": Metric("bright pixels that stay in their window, off (p − 1) / p", "share"),
    "survival_sure_off": Metric("the same, off all of them", "share"),
    "survival_half_off": Metric("the same, off half of them", "share"),
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
            rule=every(Identity("max_off", terms=1), Identity("mean_off", terms=12)),
            kind="as stated",
            formula=r"\max_{y \in \mathcal{N}_x} F(y), \quad "
            r"\tfrac{1}{|\mathcal{N}_x|} \sum_{y \in \mathcal{N}_x} F(y)",
            mutants=(
                Mutant("one for the other", {"metric": "exchanged_off"}),
                Mutant("the sum for the mean", {"metric": "sum_off"}),
            ),
        ),
        Hypothesis(
            "C64.invariance",
            "A max-pooled map does not change when the image moves by one pixel.",
            rule=Identity("by_one", terms=1),
            kind="as stated",
        ),
        Hypothesis(
            "C64.border",
            "Where a window reaches over the border (same padding), the mean is that of the pixels "
            "it holds.",
            rule=Identity("border_off", terms=12),
            mutants=(Mutant("with zeros beyond the border", {"metric": "border_zeros_off"}),),
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
            "On a torus, the global maximum of a convolution does not change under any shift.",
            rule=Identity("global_off", terms=6),
            formula=r"\max_x [T F \star W](x) = \max_x [F \star W](x)",
            mutants=(
                Mutant("with zeros around the image, too", {"metric": "global_zeros_off"}),
                Mutant("after a stride, too", {"metric": "global_stride_off"}),
            ),
        ),
        Hypothesis(
            "C64.survival",
            "A bright pixel stays in its window under a shift by one from p − 1 of p places.",
            rule=AtMost("survival_off", bound=0.0),
            formula=r"\tfrac{p - 1}{p}, \quad p = 2, 4, 8",
            mutants=(
                Mutant("from all of them", {"metric": "survival_sure_off"}),
                Mutant("from half of them, whatever the window", {"metric": "survival_half_off"}),
            ),
        ),
        Hypothesis(
            "C64.linear",
            "Average pooling is a convolution with fixed weights.",
            rule=Identity("mean_linear_off", terms=12),
            mutants=(Mutant("max pooling is linear, too", {"metric": "max_linear_off"}),),
        ),
        Hypothesis(
            "C64.lipschitz",
            "A maximum changes by no more than the pixel that changes most.",
            rule=AtMost("lipschitz_excess", bound=0.0),
            formula=r"\lVert P F - P G \rVert_\infty \le \lVert F - G \rVert_\infty",
            mutants=(Mutant("than pixels do on average", {"metric": "lipschitz_mean_excess"}),),
        ),
        Hypothesis(
            "C64.local",
            "Two poolings of a classifier leave more of its predictions as they were, one pixel "
            "away, than strides do.",
            rule=Sign("flips", "network", STRIDED, POOLED),
            kind="as stated",
            mutants=(Mutant("than a global maximum does", {"first": GLOBAL}),),
        ),
        Hypothesis(
            "C64.flips",
            "One with a global maximum, and room around the digit, leaves more than any other.",
            rule=every(*(Sign("flips", "network", other, GLOBAL) for other in NETWORKS[:-1])),
            mutants=(Mutant("two poolings more still", {"first": GLOBAL, "second": POOLED}),),
        ),
        Hypothesis(
            "C64.answers",
            "Not because it always gives the same answer: it is right more often than wrong.",
            rule=Within("accuracy", 0.5, None, where={"network": GLOBAL}),
            mutants=(Mutant("a network of one answer", {"metric": "one_answer"}),),
        ),
    ),
    factors={"network": NETWORKS},
    # A direction over paired seeds: 2^-14 = 6e-5 if all agree. A disagreement would take as many
    # flips of a network to which the law leaves none, but for digits at the border.
    seeds=14,
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
            y_label="predictions that one pixel changes (share)",
            title="Digits of 14 × 14 pixels, moved by one: how many answers change",
        ),
        Curves(
            y="moved",
            by="network",
            center="mean",
            x_label="moved by so many pixels (of 14)",
            y_label="test accuracy",
            title="Accuracy on digits away from where they were in training",
        ),
        Plane(
            x_label="column",
            y_label="row",
            title="A feature map before pooling",
            surface="before",
            where={"network": POOLED},
            pixels=True,
        ),
        Plane(
            x_label="column",
            y_label="row",
            title="The same map after pooling",
            surface="after",
            where={"network": POOLED},
            pixels=True,
        ),
    ),
    measure=measure,
    finding="Pooling with a stride keeps shifts by its window and no others; a bright pixel stays "
    "in its window from all but one of its places. Only a global maximum forgets the place.",
    stated=r"P(T F) = P(F)",
    corrected=r"P(T^p F) = T\, P(F), \quad \max_x (T F)(x) = \max_x F(x)",
    figures=("F27",),
    components=(
        "suite.layers.MaxPooling2D",
        "suite.layers.AveragePooling2D",
        "suite.layers.GlobalMaxPooling2D",
    ),
    limits="That pooling improves results depends on the task: accuracies are shown and have no "
    "rule but that they are no guess. Networks differ in their number of weights, and one learning "
    "rate serves all. The network with a global maximum was given room around the image after "
    "earlier ones, without it or with a local pooling before, had changed up to a fifth of their "
    "answers. A pixel here is two of the original image. On images as smooth as the window a "
    "maximum does not help either; both changes are in the table, and B2 has more of them.",
)
