"""Nothing, batch normalization, whitening or residual layers, in the same networks.

Lecture sections "Activation normalization" and "Skip connections", beside the claims C43 to C49.
Each remedy is explained by the trouble of deep networks. So each is tried in a shallow network and
in a deep one.
"""

from functools import lru_cache

from benchmarks.experiment import Comparison, Metric
from benchmarks.experiments.comparisons._images import PIXELS, digits
from benchmarks.experiments.comparisons._measured import measured

# Half a decade apart.
LEARNING_RATES = (1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
WIDTH = 16
BATCH = 64
# The moving averages of 0.99 would still be those of the start after 120 steps: 0.99^120 = 0.3.
MOMENTUM = 0.9


def network(name, depth):
    """`depth` hidden ReLU layers, He initialized, and `depth + 1` kernels in all of them."""
    import keras

    from suite.initializers import HeNormal
    from suite.layers import BatchNormalization, Dense, Whitening
    from suite.models import ResidualNetwork

    if name == "residual":
        model = ResidualNetwork(WIDTH, depth - 1, 10, kernel_initializer=HeNormal())
        model.build((None, PIXELS))
        return model
    before = {
        "none": lambda: [],
        "batch normalization": lambda: [BatchNormalization(momentum=MOMENTUM)],
        # The whitener that needs no eigenvectors.
        "whitening": lambda: [Whitening("cholesky", "batch", epsilon=1e-3, momentum=MOMENTUM)],
    }[name]
    blocks = [keras.Input((PIXELS,))]
    for _ in range(depth):
        # What is subtracted again needs no bias.
        dense = Dense(WIDTH, use_bias=name == "none", kernel_initializer=HeNormal())
        blocks += [dense, *before(), keras.layers.Activation("relu")]
    return keras.Sequential([*blocks, Dense(10, kernel_initializer=HeNormal())])


@lru_cache(maxsize=1)  # the rate is no part of the program, so a network is compiled once
def training_for(name, depth, seeds, steps, record_every, compiled):
    """One network's training, to be run at any learning rate."""
    import keras

    from suite.optimizers import SGD
    from suite.training import Training

    model, drawn = network(name, depth), {}

    def started(seed):
        if seed not in drawn:  # once, not for every rate: it takes longer than a run
            drawn[seed] = network(name, depth).get_weights()
        model.set_weights(drawn[seed])
        return model

    data = digits(seeds)
    return Training(
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


def measure(cell, seeds):
    """One network at one learning rate, all seeds."""
    seeds = tuple(int(seed) for seed in seeds)
    training = training_for(
        cell.normalization, cell.depth, seeds, cell.steps, cell.record_every, cell.compiled
    )
    return measured(training(learning_rate=cell.learning_rate), TARGET)


# Three images of four.
TARGET = 0.75

COMPARISON = Comparison(
    name="normalization",
    title="Nothing, batch normalization, whitening or residual layers, shallow and deep",
    task=(
        "3000 training images of digits of 14 x 14 pixels, hidden ReLU layers of 16 units, He "
        "initialized, 120 steps of gradient descent with 64 images, seven learning rates for each "
        "network."
    ),
    contender=("normalization", ("none", "batch normalization", "whitening", "residual")),
    tuning=("learning_rate", LEARNING_RATES),
    settings={"depth": (2, 8)},
    target=TARGET,
    # Two points: an accuracy near 0.85 on 1000 validation images has a standard error of 1.1, and
    # the median of eight seeds one of 0.5.
    margin=0.02,
    seeds=8,
    paired=("data", "batches"),
    budget={"steps": 120, "record_every": 20, "compiled": True},
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
        "suite.layers.BatchNormalization",
        "suite.layers.Whitening",
        "suite.layers.Residual",
        "suite.models.ResidualNetwork",
    ),
    limits=(
        "Whitening is that by Cholesky factors, before every activation, with the statistics of "
        "batches of 64: wider layers or smaller batches leave it less to go by. Steps are counted, "
        "not seconds, of which a whitened layer takes several times as many. The networks have "
        "the same number and sizes of kernels, but the first layer of the residual one has nothing "
        "to be added to, and no activation right behind it."
    ),
)
