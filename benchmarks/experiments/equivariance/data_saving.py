"""A network that knows the rotation needs fewer rotated examples.

Beyond the lecture, claim B6. Digits turned by 0, 90, 180 or 270 degrees, training sets from 1000
images down to 100, and three learners with as many weights: a network of p4 convolutions that ends
in a maximum over positions and orientations, a plain convolutional one, and the same trained on all
four turns of every image. The first cannot tell an image from its turns; the third has to learn it.
The symmetry holds for quarter turns. Between them the grid is in the way, for all three.
"""

from functools import cache, lru_cache

import numpy as np

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
    Points,
)
from benchmarks.experiments.comparisons._images import smaller
from benchmarks.verdicts import Difference, Within

P4, PLAIN, AUGMENTED = LEARNERS = ("equivariant (p4)", "convolutional", "augmented")
SIZES = (100, 300, 1000)
TILED = 4 * max(SIZES)  # rows of every training set, repeated, so that one program serves all
TESTED = 500


def network(learner):
    """Ten classes from a 14 x 14 image, about 1900 weights; layers of the suite.

    Without padding the sides are 14, 12, 6, 4, 2 and 1: the windows of an even side turn into
    windows, and the last layer sees the whole image.
    """
    import keras
    from keras.layers import Reshape

    from suite.layers import (
        Conv2D,
        Dense,
        GlobalMaxPooling2D,
        GroupConv2D,
        LiftingConv2D,
        MaxPooling2D,
    )

    def pooled(side, maps):
        """Pooling knows no orientations: for its time they are maps."""
        flat, halved = Reshape((side, side, 4 * maps)), Reshape((side // 2, side // 2, 4, maps))
        return flat, MaxPooling2D(2), halved

    relu = {"activation": "relu"}
    if learner == P4:
        body = [
            LiftingConv2D(4, 3, **relu),
            *pooled(12, 4),
            GroupConv2D(5, 3, **relu),
            *pooled(4, 5),
            GroupConv2D(12, 2, **relu),
            Reshape((1, 4, 12)),  # the maximum is over orientations
        ]
    else:
        body = [
            Conv2D(8, 3, **relu),
            MaxPooling2D(2),
            Conv2D(12, 3, **relu),
            MaxPooling2D(2),
            Conv2D(16, 2, **relu),
        ]
    return keras.Sequential([keras.Input((14, 14, 1)), *body, GlobalMaxPooling2D(), Dense(10)])


def turned(images, turns):
    """Each image by its number of quarter turns."""
    out = np.empty_like(images)
    for k in range(4):
        out[turns == k] = np.rot90(images[turns == k], k, axes=(1, 2))
    return out


@cache
def digits(seed):
    """Pool to train on and test images, `(n, 14, 14, 1)` with labels, each turned at random."""
    from suite.datasets import load_arrays

    data = load_arrays("mnist_5000", seed=seed, test=TESTED / 5000)
    rng = np.random.default_rng([seed, 6])
    parts = []
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        images = smaller(x).reshape(-1, 14, 14, 1)
        order = rng.permutation(len(images))
        parts.append((turned(images[order], rng.integers(0, 4, len(images))), y[order]))
    return parts


def training_set(seed, size, augmented):
    """The first `size` images, or all their turns, repeated to `TILED` rows."""
    x, y = (part[:size] for part in digits(seed)[0])
    if augmented:
        x = np.concatenate([np.rot90(x, k, axes=(1, 2)) for k in range(4)])
        y = np.tile(y, 4)
    repeats = -(-TILED // len(x))
    return np.tile(x, (repeats, 1, 1, 1))[:TILED], np.tile(y, repeats)[:TILED]


@cache  # the same for every learner
def spun(seed, tested):
    """The first test images turned by any angle, with bilinear interpolation."""
    from scipy.ndimage import rotate

    images = digits(seed)[1][0][:tested]
    angles = np.random.default_rng([seed, 7]).uniform(0, 360, len(images))
    return np.array(
        [rotate(x, a, reshape=False, order=1) for x, a in zip(images, angles, strict=True)]
    )


@lru_cache(maxsize=1)  # sizes and augmentation are no part of the program
def training_for(plain, seeds, steps, learning_rate, compiled):
    """The training of one architecture, to be run on any of its training sets."""
    import keras

    from suite.optimizers import Adam
    from suite.training import Training

    sets = [training_set(seed, SIZES[0], False) for seed in seeds]
    x, y = (np.stack(part) for part in zip(*sets, strict=True))
    return Training(
        lambda seed: network(PLAIN if plain else P4),
        Adam(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        x,
        y,
        steps=steps,
        batch_size=32,
        seeds=seeds,
        record_every=steps,
        probes=(),
        data_axis_per_seed=True,
        compiled=compiled,
    )


def measure(cell, seeds):
    """One learner on training sets of one size, a set for each seed."""
    seeds = tuple(int(seed) for seed in seeds)
    training = training_for(
        cell.learner != P4, seeds, cell.steps, cell.learning_rate, cell.compiled
    )
    sets = [training_set(s, cell.training_images, cell.learner == AUGMENTED) for s in seeds]
    training.data["train"] = tuple(np.stack(part) for part in zip(*sets, strict=True))
    history = training()
    model = network(cell.learner)
    right, right_spun = [], []
    for seed, weights in zip(seeds, history.final, strict=True):
        model.set_weights(weights)
        x, y = (part[: cell.tested] for part in digits(seed)[1])
        right.append(np.mean(np.argmax(model(x), axis=1) == y))
        right_spun.append(np.mean(np.argmax(model(spun(seed, len(x))), axis=1) == y))
    right, right_spun = np.array(right), np.array(right_spun)
    return Measurements(
        metrics={
            "accuracy": right,
            "accuracy_any_angle": right_spun,
            "loss_between": right - right_spun,
        },
        diverged=history.diverged,
        diverged_at=history.diverged_at,
        compile_seconds=history.compile_seconds,
        run_seconds=history.run_seconds,
    )


def better(first, second, size):
    """The first learner's accuracy is above the second's, over paired seeds."""
    return Difference("accuracy", "learner", first, second, where={"training_images": size})


EXPERIMENT = Experiment(
    claim="B6",
    lens="generalization",
    hypotheses=(
        *(
            Hypothesis(
                f"B6.plain_{size}",
                f"From {size} images the p4 network gets more turned digits right than a plain one "
                "with as many weights.",
                rule=better(P4, PLAIN, size),
                mutants=(Mutant("the plain one more", {"first": PLAIN, "second": P4}),),
            )
            for size in SIZES
        ),
        Hypothesis(
            "B6.augmentation",
            f"From {SIZES[0]} images it also gets more right than the plain network that was "
            "trained on all four turns of each.",
            rule=better(P4, AUGMENTED, SIZES[0]),
            mutants=(Mutant("augmentation more", {"first": AUGMENTED, "second": P4}),),
        ),
        Hypothesis(
            "B6.grid",
            "The symmetry is that of the grid: between quarter turns the p4 network gets fewer "
            "right.",
            rule=Within(
                "loss_between",
                low=0.0,
                high=None,
                where={"learner": P4, "training_images": SIZES[-1]},
            ),
            mutants=(Mutant("between them it gets more right", {"low": None, "high": 0.0}),),
        ),
    ),
    factors={"learner": LEARNERS, "training_images": SIZES},
    # On six seeds beyond these, accuracies scattered by 0.06 from seed to seed, differences thus by
    # 0.08 if nothing were shared. Of 14 the mean has a standard error of 0.021, and Holm over a
    # report of 80 statements asks for 5.4 of those (t, 13 degrees, two-sided 0.01 / 80): 0.16 is
    # found in nine reports of ten, and was exceeded there. A first version saw 8 of the 14 rows,
    # learned half of what it was shown, and lost its smallest difference in that correction.
    seeds=14,
    paired=("data", "batches"),
    # On those six seeds the best of 0.005, 0.01 and 0.02 for the convolutional network.
    budget={"steps": 300, "learning_rate": 0.01, "tested": TESTED, "compiled": True},
    smoke={"steps": 2, "tested": 20, "compiled": False},  # done before the compiler is
    metrics={
        "accuracy": Metric("accuracy on digits turned by quarters", "1", better="higher"),
        "accuracy_any_angle": Metric("accuracy on digits at any angle", "1", better="higher"),
        "loss_between": Metric("accuracy lost between quarter turns", "1"),
    },
    figure=(
        Lines(
            x="training_images",
            y="accuracy",
            by="learner",
            x_label="training images",
            y_label="accuracy on turned digits",
            title="What a network knows it need not see",
            log="x",
        ),
        Points(
            x="learner",
            y="accuracy_any_angle",
            where={"training_images": SIZES[-1]},
            x_label="learner; augmented: convolutional, shown all four turns",
            y_label="accuracy at any angle",
            title="Digits turned by any angle",
        ),
    ),
    measure=measure,
    finding="From 100 images of turned digits the p4 network gets {plain_100:.3f} more of the test "
    "right than a plain convolutional network with as many weights, and from 1000 "
    "{plain_1000:.3f}.",
    corrected=r"\Phi(R F) = \Phi(F) \ \forall R \in C_4 \ \Rightarrow\ "
    r"\text{fewer examples for the same accuracy}",
    components=(
        "suite.layers.LiftingConv2D",
        "suite.layers.GroupConv2D",
        "suite.layers.Conv2D",
    ),
    limits="Equal numbers of weights are not equal numbers of operations: p4 maps have four "
    "orientations. One budget of steps for all, and one learning rate, that which suits the "
    "convolutional network; small images. Turns by any angle interpolate between pixels.",
)
