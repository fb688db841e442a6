"""Seven architectures on the same images, each with as many weights as the others.

Lecture sections "Convolutional networks", "Skip connections", "Sequences" and "LSTM and its
variants", beside the claims C49, C60 to C69 and B4. An architecture is a prejudice about the data:
that neighbors belong together, that a pattern may stand anywhere or be turned, that rows follow one
another. With the number of weights fixed, what differs is where they are spent.
"""

from functools import lru_cache

from benchmarks.experiment import Comparison, Metric
from benchmarks.experiments.comparisons._images import PIXELS, digits
from benchmarks.experiments.comparisons._measured import measured

# Half a decade apart.
LEARNING_RATES = (3e-3, 1e-2, 3e-2, 1e-1)
BATCH = 32
SIDE = 14
STATE = 8  # of the two networks that add to their state, layer after layer or all the time


def network(name):
    """Ten classes from 196 pixels; every contender has about 1900 weights."""
    import keras
    from keras.layers import Flatten, Reshape

    from suite.layers import Dense, GroupConv2D, LiftingConv2D, MaxPooling2D, NeuralODE
    from suite.models import (
        ConvolutionalNetwork,
        MultilayerPerceptron,
        RecurrentNetwork,
        ResidualNetwork,
    )

    rows, image = Reshape((SIDE, SIDE)), Reshape((SIDE, SIDE, 1))
    layers = {
        "dense": lambda: [MultilayerPerceptron((9,), 10)],
        # Without padding the sides are 12, 6, 4 and 2: no row or column is left over.
        "convolutional": lambda: [image, ConvolutionalNetwork((8, 16), 10, padding="valid")],
        "equivariant (p4)": lambda: [
            image,
            LiftingConv2D(4, 3, activation="relu"),
            *(Reshape((12, 12, 16)), MaxPooling2D(2), Reshape((6, 6, 4, 4))),
            GroupConv2D(6, 3, activation="relu"),
            *(Reshape((4, 4, 24)), MaxPooling2D(2), Flatten(), Dense(10)),
        ],
        "recurrent (LSTM)": lambda: [rows, RecurrentNetwork((15,), 10)],
        "bidirectional": lambda: [rows, RecurrentNetwork((9,), 10, bidirectional=True)],
        "residual": lambda: [ResidualNetwork(STATE, 3, 10)],
        "Neural ODE": lambda: [
            Dense(STATE),
            NeuralODE(keras.Sequential([Dense(13, "tanh"), Dense(STATE)]), steps=4),
            Dense(10),
        ],
    }[name]()
    return keras.Sequential([keras.Input((PIXELS,)), *layers])


@lru_cache(maxsize=1)  # the rate is no part of the program, so a network is compiled once
def training_for(name, seeds, steps, record_every, compiled):
    """One network's training, to be run at any learning rate."""
    import keras

    from suite.optimizers import Adam
    from suite.training import Training

    data = digits(seeds)
    return Training(
        lambda seed: network(name),
        Adam(LEARNING_RATES[0]),
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


def measure(cell, seeds):
    """One architecture at one learning rate, all seeds."""
    seeds = tuple(int(seed) for seed in seeds)
    training = training_for(cell.architecture, seeds, cell.steps, cell.record_every, cell.compiled)
    return measured(training(learning_rate=cell.learning_rate), TARGET)


# Three images of four.
TARGET = 0.75

COMPARISON = Comparison(
    name="architectures",
    title="Seven architectures with equally many weights on handwritten digits",
    task=(
        "3000 training images of digits of 14 x 14 pixels, seven networks of 1870 to 1960 weights, "
        "250 steps of Adam with 32 images, four learning rates for each network. The recurrent "
        "ones read an image row by row."
    ),
    contender=(
        "architecture",
        (
            "dense",
            "convolutional",
            "equivariant (p4)",
            "recurrent (LSTM)",
            "bidirectional",
            "residual",
            "Neural ODE",
        ),
    ),
    tuning=("learning_rate", LEARNING_RATES),
    target=TARGET,
    # Two points: an accuracy near 0.9 on 1000 validation images has a standard error of 0.9, so
    # one seed cannot tell a rate from a better one by less.
    margin=0.02,
    seeds=8,
    paired=("data", "batches"),
    budget={"steps": 250, "record_every": 25, "compiled": True},
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
        "suite.models.MultilayerPerceptron",
        "suite.models.ConvolutionalNetwork",
        "suite.models.RecurrentNetwork",
        "suite.models.ResidualNetwork",
        "suite.layers.LiftingConv2D",
        "suite.layers.GroupConv2D",
        "suite.layers.NeuralODE",
    ),
    limits=(
        "One small task, one optimizer, a short budget and few weights: a dense network has to "
        "squeeze the image into nine numbers, while convolutions spend the same weights again at "
        "every place. Equal numbers of weights are not equal numbers of operations, and steps are "
        "not seconds: those of convolutions and recurrent networks take several times as long. "
        "The p4 network keeps the orientation of its maps to the end, since these digits stand "
        "upright; a maximum over it would make half a turn of a six the same as the six. The "
        "learning rate is the only thing tuned; depths, widths and initializers are fixed. A "
        "usable range that reaches the end of the grid may be wider than the grid shows."
    ),
)
