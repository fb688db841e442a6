"""An LSTM's gradient lasts as long as its forget gates are open, and that is for its bias to say.

Lecture section "Sequences", claim C67. The picture of the cell is lost; the standard one reads

    i, f, o = sigma(x W + h U + b)          g = tanh(x W_c + h U_c + b_c)
    c <- f * c + i * g                      h <- o * tanh(c)

with weights of its own for each gate. If the gates see the input alone (U = 0), then exactly

    dc_T/dc_0 = diag(f_1 * ... * f_T)

a product that vanishes as any other does, only at a rate that one can choose: half of it is left
after -log(2) / log(sigma(b)) steps, that is 1 for b = 0 and 103 for b = 5. So "the LSTM is stabler"
is tested where it can fail, with the forget bias as a factor, before any training. A plain layer
loses its gradient to the slope of tanh, and the more the louder its input is, so that loudness is
asked for as well. What training makes of it all is shown beside and judges nothing: there, the
outcome turns with task and budget.
"""

from functools import cache, partial

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Points,
)
from benchmarks.experiments.architectures import _recurrent_training as training
from benchmarks.verdicts import Agreement, Difference, Identity, every

UNITS = 16
GAINS = (0.5, 1.0, 2.0)  # of the recurrent kernel
LOUDNESS = (1.0, 2.0, 4.0, 8.0)  # standard deviation of the input
ORTHOGONAL, GAUSSIAN = "RNN orthogonal", "RNN Gaussian"
CLOSED, HALF_OPEN, OPEN, WIDE = (f"LSTM b = {b}" for b in (0, 1, 3, 5))
CHRONO, GRU, BOTH = "LSTM chrono", "GRU", "LSTM both ways"
BIAS = {CLOSED: 0.0, HALF_OPEN: 1.0, OPEN: 3.0, WIDE: 5.0, BOTH: 1.0}
GATED = (CLOSED, HALF_OPEN, OPEN, WIDE, CHRONO, GRU)
PLAIN = (ORTHOGONAL, GAUSSIAN)
ONE_WAY = (*PLAIN, *GATED)  # of both ways, the forward one is "LSTM b = 1"
TRAINED = (ORTHOGONAL, HALF_OPEN, CHRONO, GRU, BOTH)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)  # of E over a standard normal input


def sigma(z):
    """The logistic function."""
    return 1 / (1 + np.exp(-z))


# --- at the start ------------------------------------------------------------------------------


def new_cell(level, gain=1.0, seed=0, time_span=100):
    """The suite's cell as its initializers draw it, on one feature, in float64."""
    from suite.initializers import ChronoBias, GlorotUniform, Orthogonal, VarianceScaling
    from suite.layers import GRUCell, LSTMCell, SimpleRNNCell

    kernel_seed, recurrent_seed, bias_seed = (
        int(s) >> 1 for s in np.random.SeedSequence(int(seed)).generate_state(3)
    )
    recurrent = Orthogonal(gain, seed=recurrent_seed)
    if level == GAUSSIAN:
        recurrent = VarianceScaling(gain**2, "fan_in", "untruncated_normal", seed=recurrent_seed)
    common = {
        "kernel_initializer": GlorotUniform(seed=kernel_seed),
        "recurrent_initializer": recurrent,
        "dtype": "float64",
    }
    if level in PLAIN:
        cell = SimpleRNNCell(UNITS, **common)
    elif level == GRU:
        cell = GRUCell(UNITS, **common)
    else:
        bias = ChronoBias(time_span, seed=bias_seed) if level == CHRONO else "zeros"
        cell = LSTMCell(UNITS, bias_initializer=bias, unit_forget_bias=False, **common)
    cell.build((None, 1))
    if level in BIAS:
        b = np.zeros(4 * UNITS)
        b[UNITS : 2 * UNITS] = BIAS[level]
        cell.bias.assign(b)
    return cell


@cache
def differentiator(kind):
    """A function of weights and inputs: the states before each step, and each step's Jacobian.

    Traced once for all cells of a kind, which then lend it their weights.
    """
    import tensorflow as tf

    cell = new_cell({"SimpleRNNCell": ORTHOGONAL, "LSTMCell": CLOSED, "GRUCell": GRU}[kind])
    parts = len(cell.state_size) if isinstance(cell.state_size, list) else 1
    size = parts * UNITS
    fixed = [variable.value for variable in cell.non_trainable_variables]

    def step(weights, x, state):
        (_, new), _ = cell.stateless_call(weights, fixed, x, tf.split(state, parts, axis=1))
        return tf.concat(new, axis=1)

    @tf.function
    def differentiate(weights, x):
        start = tf.zeros((1, size), tf.float64)
        after = tf.scan(lambda state, x_t: step(weights, x_t[None], state), x, start)
        before = tf.concat([start[None], after[:-1]], axis=0)[:, 0]
        # One copy of the sequence for each output: a single backward pass gives all rows.
        steps = tf.shape(x)[0]
        copies, x = tf.tile(before, (size, 1)), tf.tile(x, (size, 1))
        with tf.GradientTape() as tape:
            tape.watch(copies)
            new = tf.reshape(step(weights, x, copies), (size, steps, size))
            diagonal = tf.einsum("jtj->", new)
        rows = tf.reshape(tape.gradient(diagonal, copies), (size, steps, size))
        return before, tf.transpose(rows, (1, 0, 2))

    return differentiate


def differentiate(cell, x):
    """States before each step `(T, size)` and Jacobians of the steps `(T, size, size)`."""
    weights = [variable.value for variable in cell.trainable_variables]
    return tuple(np.asarray(a) for a in differentiator(type(cell).__name__)(weights, x))


def carried(jacobians):
    """`dc_t/dc_0` for t = 1 ... T, `(T, units, units)`: the block of what is carried."""
    product, found = np.eye(jacobians.shape[-1]), []
    for step in jacobians:
        product = step @ product
        found.append(product[-UNITS:, -UNITS:])
    return np.array(found)


def norms(matrices):
    """The largest singular value of each: how much of a change is left, at most."""
    return np.linalg.norm(matrices, 2, axis=(1, 2))


def gates(cell, x):
    """The forget gate of an LSTM, the update gate of a GRU, for a state of zero: `(T, units)`."""
    kernel, _, bias = (np.asarray(v) for v in cell.trainable_variables)
    block = slice(UNITS, 2 * UNITS)
    if bias.ndim == 2:  # a GRU, with two biases
        block, bias = slice(0, UNITS), bias.sum(axis=0)
    return sigma(x @ kernel[:, block] + bias[block])


def law(cell, steps):
    """`T E[log10 f]`, mean over units, for standard normal input; and with `f = sigma(b)`."""
    kernel_only = gates(cell, NODES[:, None])
    average = WEIGHTS / WEIGHTS.sum()
    by_bias = gates(cell, np.zeros((1, 1)))
    return steps * (average @ np.log10(kernel_only)).mean(), steps * np.log10(by_bias).mean()


def off(found, expected):
    """Largest deviation, relative to the largest entry; where both are zero there is none."""
    largest = np.abs(expected).max()
    return np.abs(found - expected).max() / largest if largest else np.abs(found).max()


def products(level, x, seed):
    """The Jacobian without U, and with it, against products of gates. A plain RNN has no gate."""
    steps = len(x)
    cell = new_cell(level, seed=seed, time_span=steps)
    whole = carried(differentiate(cell, x)[1])[-1]
    cell.recurrent_kernel.assign(np.zeros(cell.recurrent_kernel.shape))
    alone = carried(differentiate(cell, x)[1])[-1]
    if level in PLAIN:  # without U nothing is carried: as little as a double can hold
        nothing = {name: np.log10(np.finfo(float).tiny) for name in LAWS if "log" in name}
        return dict.fromkeys(LAWS, off(alone, np.zeros_like(alone))) | nothing
    f, by_bias = gates(cell, x), gates(cell, np.zeros_like(x))
    product = np.diag(np.prod(f, axis=0))
    expected, constant = law(cell, steps)
    values = (
        off(alone, product),
        off(alone, np.diag(np.prod(by_bias, axis=0))),
        off(alone, np.diag(np.prod(1 - f, axis=0))),
        off(whole, product),
        np.log10(np.diag(alone)).mean(),
        expected,
        constant,
    )
    return dict(zip(LAWS, values, strict=True))


def at_the_start(level, seeds, lag):
    """Metrics of the untrained cell, and what is left of the carry: by lag, and by loudness."""
    found: dict[str, list] = {name: [] for name in EXPERIMENT.metrics}
    left = np.empty((len(seeds), lag + 1))
    decades = np.empty((len(seeds), len(LOUDNESS)))
    for k, seed in enumerate(seeds):
        x = np.random.default_rng([int(seed), 1]).normal(size=(lag, 1))

        def remaining(gain=1.0, loudness=1.0, seed=seed, x=x):
            cell = new_cell(level, gain, seed, lag)
            return norms(carried(differentiate(cell, loudness * x)[1]))

        left[k] = [1.0, *remaining()]
        louder = [remaining(loudness=loudness)[-1] for loudness in LOUDNESS[1:]]
        decades[k] = np.log10([left[k, -1], *louder])
        gains = [left[k, -1] if gain == 1 else remaining(gain)[-1] for gain in GAINS]
        values = {
            "log_gradient": decades[k, 0],
            "distance": abs(decades[k, 0]),
            "distance_loud": abs(decades[k, -1]),
            "gain_spread": np.ptp(np.log10(gains)),
        } | products(level, x, seed)
        for name, value in values.items():
            found[name].append(value)
    return {name: np.array(values) for name, values in found.items()}, left, decades


# --- in training -------------------------------------------------------------------------------


def network(level, shape, outputs, seed):
    """The trained counterpart of a level, for sequences `(time, features)`."""
    from suite.initializers import ChronoBias
    from suite.models import RecurrentNetwork

    model = RecurrentNetwork(
        (UNITS,),
        outputs,
        cell="simple_rnn" if level in PLAIN else "gru" if level == GRU else "lstm",
        bidirectional=level == BOTH,
        bias_initializer=ChronoBias(shape[0]) if level == CHRONO else "zeros",
        seed=seed,
    )
    model.build((None, *shape))  # without a call, which takes longer than the training of a batch
    return model


def measure(cell, seeds):
    """How long a gradient lasts before training; then, for some of the cells, what is learned."""
    metrics, left, decades = at_the_start(cell.layer, seeds, cell.lag)
    every_other = np.arange(0, cell.lag + 1, 2)
    found = Measurements(
        metrics=metrics,
        curves={"gradient": left[:, every_other], "loudness": decades},
        axes={"gradient": every_other.astype(float), "loudness": np.array(LOUDNESS)},
    )
    if cell.layer in BIAS:
        found.theory = {"gradient": sigma(BIAS[cell.layer]) ** every_other}
    if cell.layer in cell.trained:
        for run in (training.train_sequences, training.train_rows):
            scores, history = run(partial(network, cell.layer), seeds, cell.budget)
            found.curves |= scores
            found.axes |= dict.fromkeys(scores, history.steps.astype(float))
            found.compile_seconds += history.compile_seconds
            found.run_seconds += history.run_seconds
    return found


LAWS = (
    "product_deviation",
    "constant_deviation",
    "complement_deviation",
    "feedback_deviation",
    "log_product",
    "log_law",
    "log_constant",
)


def nearer(layer, rival, metric="distance"):
    """The gradient of `layer` stays nearer to its size than that of `rival`, on average.

    Not in every pair: the radius of a Gaussian matrix is that of chance, and some come close to 1.
    """
    return Difference(metric, "layer", rival, layer)


def learning(task, y_label, title, **more):
    """Learning curves of one task."""
    return Curves(
        y=task,
        by="layer",
        where={"layer": TRAINED},
        x_label="step",
        y_label=y_label,
        title=title,
        center="mean",
        **more,
    )


EXPERIMENT = Experiment(
    claim="C67",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C67.stated",
            "Over 100 steps an LSTM keeps the size of its gradient better on average than a plain "
            "recurrent layer, whatever its forget bias: with b = 0 too.",
            every(*(nearer(CLOSED, rival) for rival in PLAIN)),
            kind="as stated",
        ),
        Hypothesis(
            "C67.open",
            "It does with a forget bias of 3, or 5, on input of size one and of size 8.",
            every(
                *(
                    nearer(layer, rival, metric)
                    for layer in (OPEN, WIDE)
                    for rival in PLAIN
                    for metric in ("distance", "distance_loud")
                )
            ),
            mutants=(
                Mutant("with a bias of 0", {"second": CLOSED}),
                Mutant("the GRU as it starts", {"second": GRU}),
            ),
        ),
        Hypothesis(
            "C67.loud",
            "On input of size 8, which saturates a plain orthogonal layer, it does with b = 0.",
            nearer(CLOSED, ORTHOGONAL, "distance_loud"),
            mutants=(Mutant("on input of size one too", {"metric": "distance"}),),
        ),
        Hypothesis(
            "C67.order",
            "The larger the forget bias, the more of the gradient is left, on average.",
            every(
                Difference("log_gradient", "layer", HALF_OPEN, CLOSED),
                Difference("log_gradient", "layer", OPEN, HALF_OPEN),
                Difference("log_gradient", "layer", WIDE, OPEN),
            ),
            mutants=(Mutant("the further it is from one", {"metric": "distance"}),),
        ),
        Hypothesis(
            "C67.product",
            "If the gates see the input alone, what is left is the product of the forget gates, "
            "in a GRU of the update gates.",
            # A product of a hundred gates, each the sigmoid of a sum of two.
            Identity("product_deviation", terms=2 * 100, where={"layer": GATED}),
            formula=r"U = 0: \quad \partial c_T / \partial c_0 = \mathrm{diag}(f_1 \cdots f_T)",
            mutants=(
                Mutant("with f = σ(b) at any input", {"metric": "constant_deviation"}),
                Mutant("with 1 − f", {"metric": "complement_deviation"}),
                Mutant("with U as drawn", {"metric": "feedback_deviation"}),
            ),
        ),
        Hypothesis(
            "C67.rate",
            "Its logarithm then shrinks by E[log f] a step, over inputs.",
            Agreement("log_product", "log_law", where={"layer": GATED}),
            formula=r"\mathbb{E} \log \prod_t f_t = T\, \mathbb{E} \log \sigma(b + w x)",
            mutants=(
                Mutant(
                    "log σ(b), for b = 5",
                    {"expected": "log_constant", "where": {"layer": WIDE}},
                ),
            ),
        ),
    ),
    factors={"layer": (*ONE_WAY, BOTH)},
    # C67.loud asks for most: differences of 11 decades on average, with a standard deviation of 8
    # (twenty other seeds, in NumPy). With 14 of them the 99 % interval reaches 3 * 8 / sqrt(14) =
    # 6.4 decades, and excludes zero unless the mean is 4.6 / 2.1 = 2.2 standard errors too small.
    seeds=14,
    paired=("initial weights", "data", "batches"),
    budget={
        "lag": 100,
        "length": 30,
        "samples": 1024,
        "held_out": 256,
        "steps": 200,
        "batch_size": 32,
        "learning_rate": 0.01,
        "record_every": 50,
        "trained": TRAINED,
        "compiled": True,
    },
    # Without a compiler, and on sequences short enough for that; one layer has to do.
    smoke={
        "lag": 4,
        "length": 3,
        "samples": 8,
        "held_out": 8,
        "batch_size": 4,
        "steps": 1,
        "trained": (HALF_OPEN,),
        "compiled": False,
    },
    metrics={
        "log_gradient": Metric("gradient left after 100 steps", "decade"),
        "distance": Metric("its distance from one, up or down", "decade", better="lower"),
        "distance_loud": Metric("the same on input of size 8", "decade", better="lower"),
        "gain_spread": Metric("its range over recurrent gains ½, 1 and 2", "decade", "lower"),
        "product_deviation": Metric("without U, deviation from the product of gates", "1"),
        "constant_deviation": Metric("the same, from gates that ignore the input", "1"),
        "complement_deviation": Metric("the same, from the product of 1 − f", "1"),
        "feedback_deviation": Metric("with U, deviation from the product of gates", "1"),
        "log_product": Metric("without U, gradient left, mean over units", "decade"),
        "log_law": Metric("its expectation", "decade"),
        "log_constant": Metric("its value for gates that ignore the input", "decade"),
    },
    figure=(
        Curves(
            y="gradient",
            by="layer",
            where={"layer": (ORTHOGONAL, *GATED)},
            x_label="lag (steps)",
            y_label="gradient left (largest singular value)",
            title="Before training: what is left of a gradient (dashed: direct path, σ(b) a step)",
            log="y",
        ),
        Curves(
            y="loudness",
            by="layer",
            where={"layer": (ORTHOGONAL, CLOSED, HALF_OPEN, WIDE)},
            log="x",
            center="mean",
            x_label="size of the input (standard deviation)",
            y_label="gradient left after 100 steps (decades)",
            title="Louder input saturates a plain layer more than gates",
        ),
        Points(
            x="layer",
            y="gain_spread",
            where={"layer": (ORTHOGONAL, CLOSED, HALF_OPEN, WIDE, GRU)},
            x_label="layer",
            y_label="range over gains ½, 1, 2 (decades)",
            title="How much the recurrent gain matters: open gates carry past it",
        ),
        learning(
            "first_sign",
            "variance explained",
            "After training: the sign of the first of 30 entries",
            runs=True,
        ),
        learning("adding", "variance explained", "The sum of two marked numbers out of 30"),
        learning("sunspots", "variance explained", "Next year's sunspots, from 30 years"),
        learning(training.ROWS, "test accuracy", "MNIST images, read row by row"),
    ),
    measure=measure,
    finding="How long an LSTM keeps its gradient is up to its forget gates: with a bias of 0 the "
    "direct path is halved at every step, with 5 after a hundred.",
    stated=r"\text{the LSTM is a stabler recurrent layer}",
    corrected=r"\frac{\partial c_T}{\partial c_0} = \mathrm{diag}\Big(\prod_t f_t\Big) "
    r"\text{ for } U = 0, \quad f = \sigma(b + \dots)",
    figures=("F29",),
    components=(
        "suite.layers.LSTM",
        "suite.layers.GRU",
        "suite.layers.SimpleRNN",
        "suite.layers.Bidirectional",
        "suite.initializers.ChronoBias",
        "suite.models.RecurrentNetwork",
        "suite.training.train",
    ),
    limits="How near one the gradient stays was made the measure, and the mean difference the "
    "rule of C67.order, after a first look at these seeds. C67.open compared pairs, until on fresh "
    "seeds up to 3 of 14 Gaussian layers did as well; C67.loud was added after a look at others. "
    "Untrained layers of 16 units as Keras draws them, on noise of one feature; with 16 features "
    "of size one a plain layer loses as much as with one of size 3 to 4. A recurrent gain of 2 "
    "makes plain layers explode. Open gates let the carry grow, and with U the gradient may exceed "
    "one. What is learned is shown for one learning rate and 200 steps, and judges nothing: a "
    "bidirectional layer meets the first entry last, so that its lag is one.",
)
