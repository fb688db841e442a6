"""Four optimizers on handwritten digits, every one with the same learning rates to choose from.

Lecture section "Stochastic gradients", beside the claims C33 to C37. The race on a picture of two
dimensions says little about networks; a race at one learning rate says which rate was chosen. So
each optimizer gets the whole grid, and each point of the grid has all the seeds.
"""

from functools import cache, lru_cache

import numpy as np

from benchmarks.experiment import Comparison, Metric
from benchmarks.experiments.comparisons._measured import measured

# Half a decade apart. Wide enough that each optimizer's best rate lies inside: below 1e-2 for those
# that divide by the size of the gradient, up to 1 for those that do not. At both ends every one of
# them is beyond its margin, so that the width of the usable range is not the grid's.
LEARNING_RATES = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0)
UNITS = (64,)
BATCH = 64


def optimizer(name, learning_rate):
    """With Keras's defaults; momentum averages the gradient, with the usual share of 0.9."""
    from suite.optimizers import SGD, Adam, Momentum, RMSprop

    return {
        "SGD": lambda: SGD(learning_rate),
        "Momentum": lambda: Momentum(learning_rate, 0.9),
        "RMSprop": lambda: RMSprop(learning_rate),
        "Adam": lambda: Adam(learning_rate),
    }[name]()


@cache  # the same for every contender and rate
def data_for(seeds):
    """A split of its own for each seed: training, validation and test `(x, y)`."""
    from suite.datasets import load_arrays
    from suite.training.streams import integer, streams

    splits = [
        load_arrays("mnist_5000", seed=integer(streams(seed)["data"]), validation=0.2, test=0.2)
        for seed in seeds
    ]
    return tuple(
        (
            np.stack([getattr(split, f"x_{part}") for split in splits]),
            np.stack([getattr(split, f"y_{part}") for split in splits]),
        )
        for part in ("train", "validation", "test")
    )


@lru_cache(maxsize=1)  # the rate is no part of the program, so a contender is compiled once
def training_for(contender, seeds, steps, record_every, compiled):
    """One contender's training, to be run at any learning rate."""
    import keras

    from suite.models import MultilayerPerceptron
    from suite.training import Training

    (x, y), validation, test = data_for(seeds)
    return Training(
        lambda seed: MultilayerPerceptron(UNITS, outputs=10),
        optimizer(contender, LEARNING_RATES[0]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        x,
        y,
        steps=steps,
        batch_size=BATCH,
        seeds=seeds,
        validation=validation,
        test=test,
        record_every=record_every,
        probes=("gradient_norm",),
        data_axis_per_seed=True,
        compiled=compiled,
    )


def measure(cell, seeds):
    """One contender at one learning rate, all seeds."""
    seeds = tuple(int(seed) for seed in seeds)
    training = training_for(cell.optimizer, seeds, cell.steps, cell.record_every, cell.compiled)
    return measured(training(learning_rate=cell.learning_rate), TARGET)


# Nine images of ten: a linear model gets there in the end, so every contender can.
TARGET = 0.9

COMPARISON = Comparison(
    name="optimizers",
    title="Gradient descent, momentum, RMSprop and Adam on handwritten digits",
    task=(
        "3000 training images of digits, 784-64-10 ReLU network, 400 steps of 64 images, "
        "nine learning rates for each optimizer."
    ),
    contender=("optimizer", ("SGD", "Momentum", "RMSprop", "Adam")),
    tuning=("learning_rate", LEARNING_RATES),
    target=TARGET,
    # Two points: an accuracy near 0.93 on 1000 validation images has a standard error of 0.8, so
    # one seed cannot tell a rate from a better one by less.
    margin=0.02,
    seeds=10,
    paired=("initial weights", "data", "batches"),
    budget={"steps": 400, "record_every": 20, "compiled": True},
    # A few steps are done before the compiler is.
    smoke={"steps": 4, "record_every": 2, "compiled": False},
    metrics={
        "steps_to_target": Metric("steps to 90 % on validation", "step", better="lower"),
        "train_score": Metric("training accuracy", "1", better="higher"),
        "validation_score": Metric("validation accuracy", "1", better="higher"),
        "test_score": Metric("test accuracy", "1", better="higher"),
    },
    measure=measure,
    components=(
        "suite.optimizers.SGD",
        "suite.optimizers.Momentum",
        "suite.optimizers.RMSprop",
        "suite.optimizers.Adam",
    ),
    limits=(
        "One small task and a fixed budget, without a schedule for the learning rate. The rate is "
        "the only thing tuned; momentum and the averaging constants stay at their defaults."
    ),
)
