"""Four initializers under three activations, shallow and deep, each with its own learning rate.

Lecture section "Exploding and vanishing gradients", beside the claims C38 to C43. The formulas say
which variance keeps a signal's size at the start. What that is worth after training, and once the
learning rate was chosen for each initializer on its own, they do not say.
"""

from functools import cache, lru_cache

import numpy as np

from benchmarks.experiment import Comparison, Metric
from benchmarks.experiments.comparisons._images import PIXELS, digits
from benchmarks.experiments.comparisons._measured import measured

# Half a decade apart.
LEARNING_RATES = (3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
WIDTH = 48
BATCH = 32


def initializer(name, seed):
    """As the papers have it, without a gain for the activation."""
    from suite.initializers import GlorotNormal, HeNormal, LecunNormal, Orthogonal

    return {
        "LeCun": LecunNormal,
        "Glorot": GlorotNormal,
        "He": HeNormal,
        "Orthogonal": Orthogonal,
    }[name](seed=seed)


def network(activation, depth, kernel_initializer="zeros"):
    """Dense layers and nothing else."""
    from suite.models import MultilayerPerceptron

    model = MultilayerPerceptron(
        (WIDTH,) * depth, 10, activation.lower(), kernel_initializer=kernel_initializer
    )
    model.build((None, PIXELS))
    return model


@cache  # the same for every activation and rate
def initial_weights(name, depth, seed):
    """Kernels of this initializer and zero biases, in the order of `model.get_weights()`."""
    from suite.training.streams import streams

    sizes = (PIXELS, *(WIDTH,) * depth, 10)
    seeds = streams(seed)["initial weights"].generate_state(len(sizes) - 1) >> 1
    weights = []
    for rows, columns, own in zip(sizes[:-1], sizes[1:], seeds, strict=True):
        weights.append(np.asarray(initializer(name, int(own))((rows, columns))))
        weights.append(np.zeros(columns, "float32"))
    return weights


@lru_cache(maxsize=1)  # neither rate nor initial weights are part of the program
def training_for(activation, depth, seeds, steps, record_every, compiled):
    """The training of one network, and a function that says how its runs start."""
    import keras

    from suite.optimizers import SGD
    from suite.training import Training

    model = network(activation, depth)
    chosen = ["LeCun"]

    def started(seed):
        model.set_weights(initial_weights(chosen[0], depth, seed))
        return model

    data = digits(seeds)
    training = Training(
        started,
        SGD(LEARNING_RATES[0]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        *data["train"],
        steps=steps,
        batch_size=BATCH,
        seeds=seeds,
        validation=data["validation"],
        test=data["test"],
        record_every=record_every,
        train_probe=256,
        probes=("gradient_norm",),
        data_axis_per_seed=True,
        compiled=compiled,
    )

    def start_with(name):
        chosen[0] = name

    return training, start_with


def measure(cell, seeds):
    """One initializer at one learning rate, all seeds."""
    seeds = tuple(int(seed) for seed in seeds)
    training, start_with = training_for(
        cell.activation, cell.depth, seeds, cell.steps, cell.record_every, cell.compiled
    )
    start_with(cell.initializer)
    return measured(training(learning_rate=cell.learning_rate), TARGET)


# Three images of four, which at depth two every contender reaches.
TARGET = 0.75

COMPARISON = Comparison(
    name="initializers",
    title="Initializers, activations and depth on handwritten digits",
    task=(
        "3000 training images of digits of 14 x 14 pixels, hidden layers of 48 units, 200 steps of "
        "gradient descent with 32 images, seven learning rates for each initializer."
    ),
    contender=("initializer", ("LeCun", "Glorot", "He", "Orthogonal")),
    tuning=("learning_rate", LEARNING_RATES),
    # Behind eight layers that halve its mean square, 1/256 of a signal is left.
    settings={"activation": ("tanh", "ReLU", "SiLU"), "depth": (2, 8)},
    target=TARGET,
    # Two points: an accuracy near 0.85 on 1000 validation images has a standard error of 1.1, and
    # the median of eight seeds one of 0.5.
    margin=0.02,
    seeds=8,
    paired=("initial weights", "data", "batches"),
    budget={"steps": 200, "record_every": 20, "compiled": True},
    # A step is done before the compiler is.
    smoke={"steps": 1, "record_every": 1, "compiled": False},
    metrics={
        "steps_to_target": Metric("steps to 75 % on validation", "step", better="lower"),
        "train_score": Metric("training accuracy", "1", better="higher"),
        "validation_score": Metric("validation accuracy", "1", better="higher"),
        "test_score": Metric("test accuracy", "1", better="higher"),
    },
    measure=measure,
    components=(
        "suite.initializers.LecunNormal",
        "suite.initializers.GlorotNormal",
        "suite.initializers.HeNormal",
        "suite.initializers.Orthogonal",
        "suite.models.MultilayerPerceptron",
    ),
    limits=(
        "The initializers are plain, without a gain for the activation: which of them suits which "
        "activation is what is compared. The hidden layers have equal widths, where the variances "
        "of LeCun, Glorot and Orthogonal are equal as well; what is left between them is the "
        "first and the last layer, and the singular values. Few steps, without momentum or "
        "normalization: what longer training would do is not shown."
    ),
)
