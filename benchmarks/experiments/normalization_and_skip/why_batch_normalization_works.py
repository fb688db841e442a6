"""What batch normalization does for certain, and how much easier it makes the learning rate.

Lecture section "Activation normalization", claim C48. Why batch normalization works is open: a
normalized gradient and a smoother loss are offered. What can be proved needs only that a layer
whose output is standardized does not see the scale of its weights w:

    L(c w) = L(w)      so      g(w)^T w = 0      and      g(c w) = g(w) / c

A gradient step is then orthogonal to w, so that |w|^2 grows by exactly lambda^2 |g|^2; and weights
c times as large move as at a learning rate c^2 times smaller. A bad initial scale of the hidden
weights is no more than another learning rate, where without normalization it is lost depth by
depth.
"""

from functools import lru_cache

import numpy as np

from benchmarks.experiment import (
    Experiment,
    Heatmap,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.experiments.comparisons._images import PIXELS, smaller
from benchmarks.verdicts import AtMost, Identity, Sign, every

DEPTH, WIDTH, BATCH = 4, 32, 32  # of the longest sum there are PIXELS terms
GAINS = (0.1, 0.3, 1.0, 3.0, 10.0)  # of the hidden weights' standard deviation, 1 is He's
LEARNING_RATES = (3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0, 3.0, 10.0)
SPACING = 0.5  # decades between two of them
USABLE = (0.1 + 1) / 2  # halfway from chance to no error
C = 5.0  # no power of two, whose products are exact
# The identities depend on neither, the usable decades on the first: here they are measured.
ONE = {"gain": 1.0, "learning_rate": 0.1}
NO_EPSILON, EPSILON = 1e-30, 1e-3  # the second is the layer's default
RATE, STEPS = 0.5, 20  # of the descent that watches the norms


def network(normalization, epsilon=EPSILON, dtype="float32"):
    """Four hidden ReLU layers, He initialized.

    The averages for inference have forgotten their start after 100 steps (momentum 0.9), so that
    the test accuracy is about the weights.
    """
    import keras

    from suite.initializers import HeNormal
    from suite.layers import BatchNormalization, Dense

    def dense(units, **arguments):
        return Dense(units, kernel_initializer=HeNormal(), dtype=dtype, **arguments)

    batch = normalization == "batch"
    blocks = []
    for number in range(1, DEPTH + 1):
        blocks.append(dense(WIDTH, use_bias=not batch, name=f"hidden_{number}"))
        if batch:
            blocks.append(BatchNormalization(momentum=0.9, epsilon=epsilon, dtype=dtype))
        blocks.append(keras.layers.Activation("relu", dtype=dtype))
    return keras.Sequential([keras.Input((PIXELS,), dtype=dtype), *blocks, dense(10)])


@lru_cache(maxsize=1)
def images():
    """3000 images of handwritten digits to learn from and 1000 to test on: `(x, y)`, `(x, y)`."""
    from suite.datasets import load_arrays

    data = load_arrays("mnist_5000", seed=0, validation=0.2, test=0.2)
    return (smaller(data.x_train), data.y_train), (smaller(data.x_test), data.y_test)


# --- the identities, in float64 ----------------------------------------------------------------


class Bench:
    """A network in float64, its loss and gradient on one batch, and its hidden kernels."""

    def __init__(self, normalization, epsilon=NO_EPSILON):
        import keras
        import tensorflow as tf

        self.model = network(normalization, epsilon=epsilon, dtype="float64")
        self.variables = self.model.trainable_variables
        named = [i for i, v in enumerate(self.variables) if v.path.endswith("kernel")]
        self.hidden = named[:-1]  # the last is the output's, which nothing normalizes
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")

        @tf.function
        def loss_and_gradients(x, y):
            with tf.GradientTape() as tape:
                value = loss(y, self.model(x, training=True))
            return value, tape.gradient(value, [v.value for v in self.variables])

        self._loss_and_gradients = loss_and_gradients

    def draw(self, seed):
        """New weights, no two parameters alike, and a batch."""
        rng = np.random.default_rng(seed)
        for variable in self.variables:
            if variable.path.endswith("kernel"):
                deviation = np.sqrt(2 / variable.shape[0])
                variable.assign(rng.normal(0, deviation, variable.shape))
            else:
                center = float(variable.path.endswith("gamma"))
                variable.assign(rng.normal(center, 0.2, variable.shape))
        (x, y), _ = images()
        rows = rng.choice(len(x), BATCH, replace=False)
        self.x, self.y = x[rows].astype("float64"), y[rows]

    def kernels(self):
        """The hidden ones."""
        return [self.variables[i].numpy() for i in self.hidden]

    def scale(self, c):
        """Multiplies every hidden kernel by c."""
        for i in self.hidden:
            self.variables[i].assign(c * self.variables[i].numpy())

    def look(self):
        """The loss, every gradient, and those of the hidden kernels."""
        value, gradients = self._loss_and_gradients(self.x, self.y)
        return float(value), gradients, [gradients[i].numpy() for i in self.hidden]

    def scaled(self):
        """The loss and the hidden gradients of the network with c times the weights."""
        self.scale(C)
        value, _, gradients = self.look()
        self.scale(1 / C)
        return value, gradients


def relative(found, wanted):
    """Largest deviation over several arrays, each relative to its largest entry."""
    return max(
        np.max(np.abs(a - b)) / np.max(np.abs(b)) for a, b in zip(found, wanted, strict=True)
    )


def cosine(a, b):
    """Between two arrays taken as vectors, without its sign."""
    return abs(np.vdot(a, b)) / np.linalg.norm(a) / np.linalg.norm(b)


def descend(bench):
    """Squared norms of the hidden kernels and of their gradients along gradient descent.

    Returns:
        (steps + 1, layers) and (steps, layers).
    """
    from suite.optimizers import SGD

    optimizer = SGD(RATE)
    optimizer.build(bench.variables)
    squares, moves = [[np.sum(w**2) for w in bench.kernels()]], []
    for _ in range(STEPS):
        _, gradients, hidden = bench.look()
        optimizer.apply(gradients, bench.variables)
        squares.append([np.sum(w**2) for w in bench.kernels()])
        moves.append([np.sum(g**2) for g in hidden])
    return np.array(squares), np.array(moves)


def identities(normalization, seeds):
    """The deviations from each identity and from wrong ones, (seeds,) by name."""
    bench = Bench(normalization)
    real = Bench(normalization, EPSILON) if normalization == "batch" else bench
    rows = []
    for seed in seeds:
        real.draw(seed)
        loss, _, _ = real.look()
        with_epsilon = abs(real.scaled()[0] / loss - 1)
        bench.draw(seed)
        loss, _, g = bench.look()
        loss_scaled, g_scaled = bench.scaled()
        w = bench.kernels()
        squares, moves = descend(bench)
        before, after = squares[:-1], squares[1:]
        rows.append(
            {
                "loss_deviation": abs(loss_scaled / loss - 1),
                "loss_deviation_epsilon": with_epsilon,
                "cosine": max(map(cosine, g, w)),
                "gradient_deviation": relative([C * a for a in g_scaled], g),
                "gradient_deviation_same": relative(g_scaled, g),
                "norm_deviation": np.max(np.abs(after - before - RATE**2 * moves) / after),
                "norm_deviation_still": np.max(np.abs(after - before) / after),
                "shrinkage": np.max((before - after) / before),
            }
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


# --- training, over gains and learning rates ---------------------------------------------------


class Sweep:
    """One network's training: compiled once, run at any gain and learning rate, each run once."""

    def __init__(self, normalization, seeds, steps, compiled):
        import keras

        from suite.optimizers import SGD
        from suite.training import Training

        self.network, self.gain = network(normalization), 1.0
        self.normalization, self.drawn, self.histories = normalization, {}, {}
        train, test = images()
        self.training = Training(
            self.started,
            SGD(LEARNING_RATES[0]),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            *train,
            steps=steps,
            batch_size=BATCH,
            seeds=seeds,
            test=test,
            record_every=steps,
            probes=(),
            train_probe=BATCH,
            compiled=compiled,
        )

    def started(self, seed):
        """The network with this seed's weights at the present gain."""
        if seed not in self.drawn:  # once, at gain 1: drawing takes longer than a run
            self.drawn[seed] = network(self.normalization).get_weights()
        self.network.set_weights(self.drawn[seed])
        for layer in self.network.layers:
            if layer.name.startswith("hidden"):
                layer.kernel.assign(self.gain * layer.kernel)
        return self.network

    def __call__(self, gain, learning_rate):
        """The history and the test accuracy, which is chance for a run that diverged."""
        key = gain, learning_rate
        if key not in self.histories:
            self.gain = gain
            self.histories[key] = self.training(learning_rate=learning_rate)
        history = self.histories[key]
        return history, np.where(history.diverged, 0.1, history.scores["test_score"])

    def decades(self, gain):
        """How much of the range of learning rates is usable at this gain, seed by seed."""
        usable = [self(gain, rate)[1] >= USABLE for rate in LEARNING_RATES]
        return SPACING * np.sum(usable, axis=0)


@lru_cache(maxsize=1)
def sweep_of(normalization, seeds, steps, compiled):
    """The same object for all gains and learning rates."""
    return Sweep(normalization, seeds, steps, compiled)


def measure(cell, seeds):
    """A network's training at one gain and one learning rate; once each, what depends on less."""
    seeds = tuple(int(seed) for seed in seeds)
    sweep = sweep_of(cell.normalization, seeds, cell.steps, cell.compiled)
    history, accuracy = sweep(cell.gain, cell.learning_rate)
    metrics = {"test_accuracy": accuracy}
    if cell.learning_rate == ONE["learning_rate"]:
        metrics["usable_decades"] = sweep.decades(cell.gain)
        if cell.gain == ONE["gain"]:
            metrics |= identities(cell.normalization, seeds)
    return Measurements(
        metrics=metrics,
        diverged=history.diverged,
        diverged_at=history.diverged_at,
        compile_seconds=history.compile_seconds,
        run_seconds=history.run_seconds,
    )


NORMALIZED = {"normalization": "batch", **ONE}
PLAIN = Mutant("a network without normalization", {"where": {"normalization": "none", **ONE}})
NORM_TERMS = PIXELS * WIDTH  # a squared norm sums over a whole kernel


EXPERIMENT = Experiment(
    claim="C48",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C48.works",
            "It works: at every initial gain more learning rates are usable with batch "
            "normalization than without. Why that is, the slide leaves open, and so does this.",
            every(
                *(
                    Sign(
                        "usable_decades",
                        "normalization",
                        "batch",
                        "none",
                        where={"gain": gain, "learning_rate": ONE["learning_rate"]},
                    )
                    for gain in GAINS
                )
            ),
            kind="as stated",
        ),
        Hypothesis(
            "C48.scale",
            "The loss does not depend on the scale of the weights in front of a batch "
            "normalization.",
            Identity("loss_deviation", terms=PIXELS, where=NORMALIZED),
            formula=r"\mathcal{L}(c w) = \mathcal{L}(w), \quad \epsilon \to 0",
            mutants=(PLAIN, Mutant("ε = 10⁻³", {"metric": "loss_deviation_epsilon"})),
        ),
        Hypothesis(
            "C48.orthogonal",
            "The gradient is orthogonal to those weights, layer by layer.",
            Identity("cosine", terms=NORM_TERMS, where=NORMALIZED),
            formula=r"g^\top w = 0",
            mutants=(PLAIN,),
        ),
        Hypothesis(
            "C48.gradient",
            "Weights c times as large have a gradient c times as small.",
            Identity("gradient_deviation", terms=PIXELS, where=NORMALIZED),
            formula=r"g(c w) = g(w) / c",
            mutants=(
                PLAIN,
                Mutant("a gradient of the same size", {"metric": "gradient_deviation_same"}),
            ),
        ),
        Hypothesis(
            "C48.norm",
            "Each step of gradient descent adds λ²‖g‖² to the squared norm of those weights.",
            Identity("norm_deviation", terms=NORM_TERMS, where=NORMALIZED),
            formula=r"\lVert w_{t+1} \rVert^2 = \lVert w_t \rVert^2 "
            r"+ \lambda^2 \lVert g_t \rVert^2",
            mutants=(PLAIN, Mutant("norms stand still", {"metric": "norm_deviation_still"})),
        ),
        Hypothesis(
            "C48.growth",
            "So that norm never decreases under gradient descent.",
            # A norm summed in another order may be smaller by rounding.
            AtMost("shrinkage", 64 * NORM_TERMS * 2.0**-52, where=NORMALIZED),
            formula=r"\lVert w_{t+1} \rVert \ge \lVert w_t \rVert",
            mutants=(PLAIN,),
        ),
    ),
    factors={
        "normalization": ("none", "batch"),
        "gain": GAINS,
        "learning_rate": LEARNING_RATES,
    },
    seeds=14,  # a direction over paired seeds: 2^-14 = 6e-5 if all agree
    paired=("initial weights", "data", "batches"),
    budget={"steps": 150, "compiled": True},
    smoke={"steps": 1},  # two programs are compiled sooner than 80 runs go without
    metrics={
        "test_accuracy": Metric("test accuracy", "1", better="higher"),
        "usable_decades": Metric("usable learning rates", "decade", "higher", partial=True),
        "loss_deviation": Metric("change of the loss under 5 w, relative", "1", partial=True),
        "loss_deviation_epsilon": Metric("the same with ε = 10⁻³", "1", partial=True),
        "cosine": Metric("cosine between gradient and weights, absolute", "1", partial=True),
        "gradient_deviation": Metric(
            "deviation of 5 g(5 w) from g(w), relative", "1", partial=True
        ),
        "gradient_deviation_same": Metric(
            "deviation of g(5 w) from g(w), relative", "1", partial=True
        ),
        "norm_deviation": Metric(
            "deviation from the growth of the squared norm", "1", partial=True
        ),
        "norm_deviation_still": Metric("change of the squared norm, relative", "1", partial=True),
        "shrinkage": Metric("largest decrease of the squared norm, relative", "1", partial=True),
    },
    figure=(
        Heatmap(
            x="learning_rate",
            y="gain",
            value="test_accuracy",
            where={"normalization": "none"},
            x_label="learning rate",
            y_label="initial gain",
            title="Without normalization gains multiply from layer to layer",
        ),
        Heatmap(
            x="learning_rate",
            y="gain",
            value="test_accuracy",
            where={"normalization": "batch"},
            x_label="learning rate",
            y_label="initial gain",
            title="With batch normalization: a gain is another learning rate",
        ),
        Lines(
            x="gain",
            y="usable_decades",
            by="normalization",
            where={"learning_rate": ONE["learning_rate"]},
            x_label="initial gain",
            y_label="usable decades",
            title="How much of the range of learning rates is usable",
            log="x",
        ),
    ),
    finding=(
        "The loss does not see the scale of normalized weights, so their gradient is orthogonal to "
        "them and shrinks as they grow; whether that is why batch normalization works stays open."
    ),
    stated=r"\text{open: a normalized gradient}, \quad \text{or a smoother loss?}",
    corrected=r"\mathcal{L}(c w) = \mathcal{L}(w) \;\Rightarrow\; g^\top w = 0, \quad "
    r"g(c w) = g(w) / c",
    components=(
        "suite.layers.BatchNormalization",
        "suite.initializers.HeNormal",
        "suite.optimizers.SGD",
        "suite.training.Training",
    ),
    limits=(
        "A learning rate is usable if the test accuracy after 150 steps is at least 0.55, halfway "
        "from chance to no error. One small network on 3000 images of MNIST at 14 x 14 pixels, "
        "constant rates. The identities "
        "hold for ε → 0 and say what happens, not that it causes the success: no cause is tested."
    ),
    measure=measure,
)
