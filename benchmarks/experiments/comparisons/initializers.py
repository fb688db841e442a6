"""Four initializers, two activations, up to 32 layers: each with a learning rate of its own.

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
WIDTH = 32
BATCH = 32
# The activations that the formulas are for. ReLU halves a mean square: behind eight layers LeCun's
# has 1/256 left. Behind 32 it would have less than a billionth, and no learning rate is usable.
NETWORKS = {
    "tanh, 2 layers": ("tanh", 2),
    "tanh, 8 layers": ("tanh", 8),
    "tanh, 32 layers": ("tanh", 32),
    "ReLU, 2 layers": ("ReLU", 2),
    "ReLU, 8 layers": ("ReLU", 8),
}


def initializer(name, seed):
    """As the papers have it, without a gain for the activation."""
    from suite.initializers import GlorotNormal, HeNormal, LecunNormal, Orthogonal

    return {
        "LeCun": LecunNormal,
        "Glorot": GlorotNormal,
        "He": HeNormal,
        "Orthogonal": Orthogonal,
    }[name](seed=seed)


def network(activation, depth):
    """`depth` hidden layers and nothing else; of equal ones a program need not grow with depth."""
    import keras

    from suite.layers import Dense, DenseStack

    name = activation.lower()
    return keras.Sequential(
        [
            keras.Input((PIXELS,)),
            Dense(WIDTH, name),
            DenseStack(depth - 1, name, residual=False, scaled=False, kernel_initializer="zeros"),
            Dense(10),
        ]
    )


@cache  # the same for every activation and rate
def initial_weights(name, depth, seed):
    """Kernels of this initializer and zero biases, in the order of `model.get_weights()`."""
    from suite.training.streams import streams

    sizes = (PIXELS, *(WIDTH,) * depth, 10)
    seeds = streams(seed)["initial weights"].generate_state(len(sizes) - 1) >> 1
    first, *equal, last = (
        np.asarray(initializer(name, int(own))(shape))
        for own, *shape in zip(seeds, sizes[:-1], sizes[1:], strict=True)
    )
    weights = []
    for kernel in (first, np.stack(equal), last):
        weights += [kernel, np.zeros_like(kernel[..., 0, :])]
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
        *NETWORKS[cell.network], seeds, cell.steps, cell.record_every, cell.compiled
    )
    start_with(cell.initializer)
    return measured(training(learning_rate=cell.learning_rate), TARGET)


# Three images of four, which at depth two every contender reaches.
TARGET = 0.75

COMPARISON = Comparison(
    name="initializers",
    title="Initializers, activations and depth on handwritten digits",
    task=(
        "3000 training images of digits of 14 x 14 pixels, hidden layers of 32 units, 150 steps of "
        "gradient descent with 32 images, seven learning rates for each initializer."
    ),
    contender=("initializer", ("LeCun", "Glorot", "He", "Orthogonal")),
    tuning=("learning_rate", LEARNING_RATES),
    settings={"network": tuple(NETWORKS)},
    target=TARGET,
    # Two points: an accuracy near 0.85 on 1000 validation images has a standard error of 1.1, and
    # the median of six seeds one of 1.25 x 1.1 / sqrt(6) = 0.6.
    margin=0.02,
    seeds=6,
    paired=("initial weights", "data", "batches"),
    budget={"steps": 150, "record_every": 25, "compiled": True},
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
        "suite.layers.DenseStack",
    ),
    limits=(
        "The initializers are plain, without a gain for the activation: which of them suits which "
        "activation is what is compared. The hidden layers have equal widths, where the variances "
        "of LeCun, Glorot and Orthogonal are equal as well; what is left between them is the "
        "first and the last layer, and the singular values. ReLU is not tried with 32 layers, "
        "through which no initializer but He's sends a signal. Few steps, without momentum or "
        "normalization: what longer training would do is not shown."
    ),
)
