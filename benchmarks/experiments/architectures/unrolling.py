"""A recurrent network is a deep network, unrolled in time, whose layers share their weights.

Lecture section "Sequences", claim C65. The picture of the cell is lost; the standard one reads

    h_t = tanh(W cat(h_{t-1}, x_t) + b)        W cat(h, x) = W_h h + W_x x

and the loss of a sequence is the sum of a loss for each prefix of it, sum_i L(y_i, f(x_1 ... x_i)).
Unrolled, step t is layer t of a feed-forward network that is given x_t on the way. If the layers
had weights of their own, each would have a gradient of its own; they are one and the same, so that

    dL/dW = sum_t dL/dW_t                      (backpropagation through time)

Here the unrolled network is built from one dense layer a step, with equal but separate weights.
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
)
from benchmarks.experiments.architectures._planes import deviation
from benchmarks.experiments.architectures._sequences import (
    DATA,
    NOISE,
    draw_weights,
    longest,
    read,
    sequences,
    width,
)
from benchmarks.verdicts import AtMost, Identity

EVERY, LAST = "every step", "last step"
UNITS, BATCH = 5, 2
TERMS = 12 + UNITS  # a row of pixels and a state
STEPS = np.geomspace(1e-11, 1e-1, 21)  # of the finite difference: both arms of the V
BEST_STEP = np.finfo(float).eps ** (1 / 3)  # truncation h^2 and rounding epsilon / h are equal


@cache  # building takes longer than all that is computed here
def layers(data):
    """The suite's recurrent layer, and one dense layer for every step of the unrolled network."""
    from suite.layers import Dense, SimpleRNN

    recurrent = SimpleRNN(UNITS, return_sequences=True, dtype="float64")
    recurrent.build((None, longest(data), width(data)))
    unrolled = [Dense(UNITS, "tanh", dtype="float64") for _ in range(longest(data))]
    for layer in unrolled:
        layer.build((None, UNITS + width(data)))
    return recurrent, unrolled


def states_of(x, matrix, bias):
    """States `(batch, time, units)` in NumPy, from the vector `cat(h, x)`."""
    h, states = np.zeros((len(x), len(bias))), []
    for t in range(x.shape[1]):
        h = np.tanh(np.concatenate([h, x[:, t]], axis=1) @ matrix + bias)
        states.append(h)
    return np.stack(states, axis=1)


def weights_of_steps(loss, time):
    """Which steps have a loss: `(time,)` of zeros and ones."""
    return np.ones(time) if loss == EVERY else np.eye(time)[-1]


def loss_of(states, targets, counted):
    """`1/2 sum_i |h_i - y_i|^2` over the steps that are counted."""
    return 0.5 * np.sum(counted[:, None] * (states - targets) ** 2)


def stacked(kernel, recurrent_kernel, bias):
    """Gradients or weights of a layer as those of `cat(h, x)`, biases in the last row."""
    return np.concatenate([recurrent_kernel, kernel, bias[None]])


def gradient_through_time(recurrent, x, targets, counted):
    """Of the recurrent layer, `(units + features + 1, units)`."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        error = recurrent(tf.constant(x)) - targets
        loss = 0.5 * tf.reduce_sum(counted[:, None] * error**2)
    variables = [weight.value for weight in recurrent.trainable_variables]
    return stacked(*(g.numpy() for g in tape.gradient(loss, variables)))


def gradients_of_copies(unrolled, weights, x, targets, counted):
    """Of each layer of the unrolled network, `(time, units + features + 1, units)`."""
    import tensorflow as tf

    for layer in unrolled:
        layer.set_weights(weights)
    with tf.GradientTape() as tape:
        h, loss = tf.zeros((len(x), UNITS), tf.float64), 0.0
        for t, layer in enumerate(unrolled):
            h = layer(tf.concat([h, x[:, t]], axis=1))
            loss += 0.5 * counted[t] * tf.reduce_sum((h - targets[:, t]) ** 2)
    variables = [[weight.value for weight in layer.trainable_variables] for layer in unrolled]
    found = tape.gradient(loss, variables)
    return np.stack([np.vstack([kernel, bias[None]]) for kernel, bias in found])


def truncated(x, states, targets, counted):
    """The gradient if no step looked back further than itself."""
    before = np.concatenate([np.zeros_like(states[:, :1]), states[:, :-1]], axis=1)
    seen = np.concatenate([before, x, np.ones((*x.shape[:2], 1))], axis=2)
    delta = counted[:, None] * (states - targets) * (1 - states**2)
    return np.einsum("bti,btj->ij", seen, delta)


def trial(data, loss, seed):
    """Metrics, contributions of the steps and errors of differences of one random state."""
    rng = np.random.default_rng(int(seed))
    x = sequences(data, BATCH, rng)
    time = x.shape[1]
    recurrent, unrolled = layers(data)
    kernel, recurrent_kernel, bias = draw_weights(recurrent, rng)
    matrix = np.concatenate([recurrent_kernel, kernel])
    h, targets = rng.normal(0.3, 1, (BATCH, UNITS)), rng.normal(0.2, 0.5, (BATCH, time, UNITS))
    counted = weights_of_steps(loss, time)

    half, step = time // 2, x[:, time // 2]  # an image begins with empty rows
    one_product = np.concatenate([h, step], axis=1) @ matrix
    two_products = h @ recurrent_kernel + step @ kernel
    # One call for both directions.
    found, from_end = np.split(read(recurrent, np.concatenate([x, x[:, ::-1]])), 2)
    both = np.concatenate([x[:, :half], x[:, :half][:, ::-1]])
    prefix, prefix_from_end = np.split(read(recurrent, both), 2)

    gradient = gradient_through_time(recurrent, x, targets, counted)
    copies = gradients_of_copies(unrolled, [matrix, bias], x, targets, counted)
    total = copies.sum(axis=0)
    cut_off = truncated(x, states_of(x, matrix, bias), targets, counted)
    values = {
        "cat_error": deviation(one_product, two_products),
        "cat_swapped": deviation(np.concatenate([step, h], axis=1) @ matrix, two_products),
        "layer_error": deviation(found, states_of(x, matrix, bias)),
        "layer_swapped": deviation(
            found, states_of(x, np.concatenate([kernel, recurrent_kernel]), bias)
        ),
        "prefix_error": deviation(prefix, found[:, :half]),
        "prefix_from_end": deviation(prefix_from_end[:, ::-1], from_end[:, ::-1][:, :half]),
        "gradient_error": deviation(total, gradient),
        "gradient_of_last": deviation(copies[-1], gradient),
        "gradient_of_mean": deviation(total / time, gradient),
        "gradient_truncated": deviation(cut_off, gradient),
    }

    direction = rng.normal(size=gradient.shape)
    direction /= np.linalg.norm(direction)
    weights = stacked(kernel, recurrent_kernel, bias)

    def at(step):
        moved = weights + step * direction
        return loss_of(states_of(x, moved[:-1], moved[-1]), targets, counted)

    def off(step, slope):
        difference = (at(step) - at(-step)) / (2 * step)
        return abs(difference - slope) / np.linalg.norm(gradient)

    along = np.sum(gradient * direction)
    values["fd_error"] = off(BEST_STEP, along)
    values["fd_truncated"] = off(BEST_STEP, np.sum(cut_off * direction))
    values["fd_of_last"] = off(BEST_STEP, np.sum(copies[-1] * direction))
    # A log axis has no place for the differences that happen to be exact.
    errors = [max(off(step, along), np.finfo(float).eps) for step in STEPS]
    sizes = np.linalg.norm(copies, axis=(1, 2)) / np.linalg.norm(total)
    return values, sizes, errors


def chain(time=5):
    """The unrolled network as a picture: states in a row, inputs below, losses above."""
    steps = np.arange(1.0, time + 1)
    gap = np.full((1, 2), np.nan)

    def arrow(start, end):
        return np.concatenate([np.array([start, end]), gap])

    rows = {"input x": 0.0, "state h": 1.0, "loss L": 2.0}
    arrays = {name: np.column_stack([steps, np.full(time, y)]) for name, y in rows.items()}
    arrays["state h"] = np.concatenate([[[0.0, 1.0]], arrays["state h"]])
    arrays["W_h"] = np.concatenate([arrow((t - 1, 1), (t, 1)) for t in steps])
    arrays["W_x"] = np.concatenate([arrow((t, 0), (t, 1)) for t in steps])
    arrays["output"] = np.concatenate([arrow((t, 1), (t, 2)) for t in steps])
    return arrays


def measure(cell, seeds):
    """One value a seed; the curves run over the steps of the sequence."""
    found = {name: np.empty(len(seeds)) for name in EXPERIMENT.metrics}
    sizes = np.empty((len(seeds), longest(cell.data)))
    errors = np.empty((len(seeds), len(STEPS)))
    for i, seed in enumerate(seeds):
        values, sizes[i], errors[i] = trial(cell.data, cell.loss, seed)
        for name, value in values.items():
            found[name][i] = value
    return Measurements(
        metrics=found,
        curves={"contribution": sizes, "difference": errors},
        axes={"contribution": np.arange(1.0, longest(cell.data) + 1), "difference": STEPS},
        arrays=chain() if cell.data == NOISE and cell.loss == EVERY else {},
    )


EXPERIMENT = Experiment(
    claim="C65",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C65.cat",
            "A matrix times two vectors stacked is a matrix for each of them.",
            Identity("cat_error", terms=TERMS),
            kind="as stated",
            formula=r"W\, \mathrm{cat}(h, x) = W_h h + W_x x",
            mutants=(Mutant("cat(x, h) under the same W", {"metric": "cat_swapped"}),),
        ),
        Hypothesis(
            "C65.cell",
            "The layer computes the cell on the stacked vector, step after step.",
            # An error of one step is passed on by slopes below one: at most one for each step.
            Identity("layer_error", terms=14 * TERMS),
            kind="as stated",
            formula=r"h_t = \tanh(W\, \mathrm{cat}(h_{t-1}, x_t) + b)",
            mutants=(Mutant("cat(x, h) under the same W", {"metric": "layer_swapped"}),),
        ),
        Hypothesis(
            "C65.prefix",
            "What it puts out at step i is a function of the first i inputs alone.",
            Identity("prefix_error", terms=TERMS),
            kind="as stated",
            formula=r"\sum_{i \le t} \mathcal{L}_i(y_i, f(x_{1:i}))",
            mutants=(Mutant("reading from the end", {"metric": "prefix_from_end"}),),
        ),
        Hypothesis(
            "C65.unrolled",
            "Its gradient is that of the unrolled network, summed over the copies of the weights.",
            Identity("gradient_error", terms=14 * TERMS * BATCH),
            formula=r"\frac{\partial \mathcal{L}}{\partial W} = "
            r"\sum_t \frac{\partial \mathcal{L}}{\partial W_t}",
            mutants=(
                Mutant("the last copy alone", {"metric": "gradient_of_last"}),
                Mutant("the mean over the copies", {"metric": "gradient_of_mean"}),
                Mutant("cut off after one step", {"metric": "gradient_truncated"}),
            ),
        ),
        Hypothesis(
            "C65.differences",
            "The gradient agrees with differences of the loss.",
            # Truncation and rounding are epsilon^(2/3) = 4e-11 each, times ratios of the loss and
            # of its third derivative to the gradient; 1e-6 leaves room for those ratios.
            AtMost("fd_error", 1e-6),
            mutants=(
                Mutant("the last copy alone", {"metric": "fd_of_last"}),
                Mutant("cut off after one step", {"metric": "fd_truncated"}),
            ),
        ),
    ),
    factors={"data": DATA, "loss": (EVERY, LAST)},
    # Identities: 20 random states leave no room for a coincidence.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "cat_error": Metric("W cat(h, x) against two products", "1", "lower"),
        "cat_swapped": Metric("the same of W cat(x, h)", "1"),
        "layer_error": Metric("states against those by hand", "1", "lower"),
        "layer_swapped": Metric("the same with cat(x, h)", "1"),
        "prefix_error": Metric("outputs for a prefix against those for the whole", "1", "lower"),
        "prefix_from_end": Metric("the same, reading from the end", "1"),
        "gradient_error": Metric("sum over the copies against the layer's gradient", "1", "lower"),
        "gradient_of_last": Metric("the same of the last copy", "1"),
        "gradient_of_mean": Metric("the same of the mean over the copies", "1"),
        "gradient_truncated": Metric("the same, cut off after one step", "1"),
        "fd_error": Metric("gradient along a direction against differences", "1", "lower"),
        "fd_of_last": Metric("the same of the last copy", "1"),
        "fd_truncated": Metric("the same, cut off after one step", "1"),
    },
    figure=(
        Plane(
            points=("input x", "state h", "loss L"),
            lines=("W_h", "W_x", "output"),
            where={"data": NOISE, "loss": EVERY},
            x_label="time step t",
            y_label="inputs below, losses above",
            title="Unrolled in time: every step is a layer with the same W",
        ),
        Curves(
            y="contribution",
            by="loss",
            where={"data": DATA[1]},
            log="y",
            x_label="row of the image: the copy of W",
            y_label="its gradient over the sum's",
            title="What every copy of W adds to the gradient",
        ),
        Curves(
            y="difference",
            by="data",
            where={"loss": EVERY},
            log="xy",
            x_label="step of the finite difference",
            y_label="relative deviation from the gradient",
            title="Differences meet the gradient until rounding takes over",
        ),
    ),
    measure=measure,
    finding="Unrolled in time, a recurrent network is a deep one with tied weights: its gradient "
    "is the sum of what every step adds, and with a loss at the end alone, what a step "
    "adds depends on how far back it lies.",
    stated=r"\sum_{i \le t} \mathcal{L}_i(y_i, f(x_{1:i}))",
    corrected=r"h_t = \tanh(W\, \mathrm{cat}(h_{t-1}, x_t) + b), \quad "
    r"\frac{\partial \mathcal{L}}{\partial W} = "
    r"\sum_t \frac{\partial \mathcal{L}}{\partial W_t}",
    figures=("F28",),
    components=("suite.layers.SimpleRNN", "suite.layers.Dense"),
    limits="The slide's cell is lost; this is the standard one. Random weights: how the "
    "contributions fade or grow with the distance depends on them, which C66 looks at.",
)
