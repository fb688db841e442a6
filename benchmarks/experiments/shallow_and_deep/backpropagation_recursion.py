"""Backpropagation: one sweep from the loss back, in which every derivative is used again.

Lecture section "Gradients of deep networks", claim C27. Behind each node of the computation graph
stands `Delta = d loss / d node`; a node sends `Delta d node / d parent` to each of its parents,
where the contributions of all uses add up. The lecture's worked example is

    z1 = W x    z2 = z1 + b    z3 = sigmoid(z2)    z4 = w^T z3    loss = (z4 - target)^2 / 2
    Delta_4 = z4 - target    Delta_3 = Delta_4 w^T    Delta_2 = Delta_3 sigma'(z2) = Delta_1

It is swept here beside a multilayer perceptron, a convolution, a recurrence and a node with two
uses. The oracle is a forward pass of each, written in this file in complex numbers: for an analytic
function `Im f(w + ih) / h` is the derivative to rounding, without a difference that could cancel.
Adding a shift to a node inside, and differentiating by the shift, gives that node's Delta.
"""

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.verdicts import AtMost, Identity

WORKED, PERCEPTRON, CONVOLUTION, RECURRENCE, TWO_USES = (
    "worked example",
    "perceptron",
    "convolution",
    "recurrence",
    "two uses",
)
GRAPHS = (WORKED, PERCEPTRON, CONVOLUTION, RECURRENCE, TWO_USES)
TINY = 1e-100  # of the complex step: its square, the truncation, is below the smallest float
STEPS = np.geomspace(1e-11, 1e-1, 31)  # of the finite difference: both arms of the V
BEST_STEP = np.finfo(float).eps ** (1 / 3)  # truncation h^2 and rounding epsilon / h are equal
LONGEST = 32  # terms: the 2 x 4 x 4 places where the convolution uses a weight
# In each graph a node behind a nonlinearity, where a sweep could forget the slope.
NONLINEAR = dict(zip(GRAPHS, ("z3", "h3", "h1", "h5", "y"), strict=True))


def sigmoid(z):
    """The logistic function of complex numbers near the real axis."""
    return 1 / (1 + np.exp(-z))


def half_square(error):
    """`1/2 sum error^2`, without the absolute value that complex numbers would suggest."""
    return (error * error).sum() / 2


# --- the five graphs: random leaves, the graph of the suite, and the oracle's forward pass ------
# The oracle takes the leaves and a shift for every inner node, and returns the loss.


def worked_leaves(rng):
    """`W (3, 2)`, `x (2,)`, `b`, `w (3,)` and the target of the lecture's example."""
    return {
        "W": rng.normal(size=(3, 2)),
        "x": rng.normal(0.5, 1, 2),
        "b": rng.normal(size=3),
        "w": rng.normal(size=3),
        "target": rng.normal(5, 1),  # away from z4, or the error would be rounding
    }, {"z1": (3,), "z2": (3,), "z3": (3,), "z4": ()}


def worked_graph(leaves):
    """The loss node of the lecture's example."""
    from suite.autodiff import squared_error, worked_example

    z4 = worked_example(leaves["W"], leaves["x"], leaves["b"], leaves["w"])
    return squared_error(z4, leaves["target"].value)


def worked_loss(v):
    """The same in complex numbers."""
    z1 = v["W"] @ v["x"] + v["z1"]
    z2 = z1 + v["b"] + v["z2"]
    z3 = sigmoid(z2) + v["z3"]
    z4 = v["w"] @ z3 + v["z4"]
    return half_square(z4 - v["target"])


def perceptron_leaves(rng):
    """Four layers of sizes 4, 5, 3, 2 on six samples of five features."""
    sizes = (5, 4, 5, 3, 2)
    leaves = {"x": rng.normal(0.5, 1, (6, 5)), "target": rng.normal(size=(6, 2))}
    for layer, (a, b) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), start=1):
        leaves[f"kernel{layer}"] = rng.normal(0, a**-0.5, (a, b))
        leaves[f"bias{layer}"] = rng.normal(size=b)
    return leaves, {f"h{layer}": (6, size) for layer, size in enumerate(sizes[1:], start=1)}


def perceptron_graph(leaves):
    """The loss node of the multilayer perceptron."""
    from suite.autodiff import multilayer_perceptron, squared_error

    kernels = [leaves[f"kernel{layer}"] for layer in range(1, 5)]
    biases = [leaves[f"bias{layer}"] for layer in range(1, 5)]
    outputs = multilayer_perceptron(leaves["x"], kernels, biases)
    return squared_error(outputs[-1], leaves["target"].value)


def perceptron_loss(v):
    """The same in complex numbers."""
    h = v["x"]
    for layer in range(1, 5):
        z = h @ v[f"kernel{layer}"] + v[f"bias{layer}"]
        h = (np.tanh(z) if layer < 4 else z) + v[f"h{layer}"]
    return half_square(h - v["target"])


def convolution_leaves(rng):
    """Two images of 5 x 6 with two channels under three filters of 2 x 3."""
    return {
        "x": rng.normal(0.5, 1, (2, 5, 6, 2)),
        "kernel": rng.normal(0, 0.3, (2, 3, 2, 3)),
        "target": rng.normal(size=(2, 4, 4, 3)),
    }, {"h1": (2, 4, 4, 3)}


def convolution_graph(leaves):
    """The loss node of one convolutional layer with tanh."""
    from suite.autodiff import correlate2d, squared_error, tanh

    h = tanh(correlate2d(leaves["x"], leaves["kernel"])).named("h1")
    return squared_error(h, leaves["target"].value)


def convolution_loss(v):
    """The same in complex numbers: a sum for every place of the window."""
    x, kernel = v["x"], v["kernel"]
    y = sum(
        x[:, u : u + 4, w : w + 4] @ kernel[u, w]
        for u in range(kernel.shape[0])
        for w in range(kernel.shape[1])
    )
    return half_square(np.tanh(y) + v["h1"] - v["target"])


def recurrence_leaves(rng):
    """Five time steps, three units, two features; every step uses the same kernel."""
    leaves = {f"x{t}": rng.normal(0.5, 1, 2) for t in range(1, 6)}
    return leaves | {
        "h0": rng.normal(size=3),
        "kernel": rng.normal(0, 5**-0.5, (5, 3)),
        "bias": rng.normal(size=3),
        "target": rng.normal(size=3),
    }, {f"h{t}": (3,) for t in range(1, 6)}


def recurrence_graph(leaves):
    """The loss node behind the last state."""
    from suite.autodiff import recurrence, squared_error

    xs = [leaves[f"x{t}"] for t in range(1, 6)]
    states = recurrence(xs, leaves["h0"], leaves["kernel"], leaves["bias"])
    return squared_error(states[-1], leaves["target"].value)


def recurrence_loss(v):
    """The same in complex numbers."""
    h = v["h0"]
    for t in range(1, 6):
        h = np.tanh(np.concatenate([h, v[f"x{t}"]]) @ v["kernel"] + v["bias"]) + v[f"h{t}"]
    return half_square(h - v["target"])


def two_uses_leaves(rng):
    """A node `y = tanh(W x)` with two uses, `y * y` and `V y`, which come together again."""
    return {
        "x": rng.normal(0.5, 1, 4),
        "W": rng.normal(size=(3, 4)),
        "V": rng.normal(size=(3, 3)),
        "target": rng.normal(size=3),
    }, {"y": (3,), "square": (3,), "linear": (3,)}


def two_uses_graph(leaves):
    """The loss node of the diamond."""
    from suite.autodiff import squared_error, tanh

    y = tanh(leaves["W"] @ leaves["x"]).named("y")
    square, linear = (y * y).named("square"), (leaves["V"] @ y).named("linear")
    return squared_error(square + linear, leaves["target"].value)


def two_uses_loss(v):
    """The same in complex numbers."""
    y = np.tanh(v["W"] @ v["x"]) + v["y"]
    return half_square(y * y + v["square"] + v["V"] @ y + v["linear"] - v["target"])


LEAVES = dict(
    zip(
        GRAPHS,
        (worked_leaves, perceptron_leaves, convolution_leaves, recurrence_leaves, two_uses_leaves),
        strict=True,
    )
)
GRAPH_OF = dict(
    zip(
        GRAPHS,
        (worked_graph, perceptron_graph, convolution_graph, recurrence_graph, two_uses_graph),
        strict=True,
    )
)
LOSS_OF = dict(
    zip(
        GRAPHS,
        (worked_loss, perceptron_loss, convolution_loss, recurrence_loss, two_uses_loss),
        strict=True,
    )
)
DATA = ("x", "target", "h0", *(f"x{t}" for t in range(1, 6)))  # leaves without a gradient


def problem(graph, seed):
    """Leaves by name, the zero shifts of inner nodes by name, and which leaves have a gradient."""
    leaves, inner = LEAVES[graph](np.random.default_rng([int(seed), GRAPHS.index(graph)]))
    shifts = {name: np.zeros(shape) for name, shape in inner.items()}
    return leaves, shifts, [name for name in leaves if name not in DATA]


def complex_step(loss, values, name):
    """`d loss / d values[name]`, entry by entry, in the shape of the value."""
    value = np.asarray(values[name], complex)
    found = np.empty(value.shape)
    for place in np.ndindex(value.shape):
        moved = value.copy()
        moved[place] += TINY * 1j
        found[place] = loss(values | {name: moved}).imag / TINY
    return found


def differenced(loss, values, direction, h):
    """Central difference of the loss along a direction through all of its names."""

    def at(t):
        return loss(values | {name: values[name] + t * d for name, d in direction.items()})

    return (at(h) - at(-h)) / (2 * h)


def swept(graph, leaves, trainable):
    """One sweep: its steps by name of the node, and the steps in their order."""
    from suite.autodiff import backward, constant, parameter

    nodes = {n: (parameter if n in trainable else constant)(v, n) for n, v in leaves.items()}
    steps = list(backward(GRAPH_OF[graph](nodes)))
    return {step.node.name: step for step in steps}, steps


def last_use_only(steps, name):
    """The gradient of a node if each of its uses overwrote the one before in place of adding."""
    found = [c for step in steps for parent, c in step.contributions if parent.name == name]
    return found[-1]


def deviation(found, reference):
    """The worst name's largest deviation, relative to the largest entry of its reference."""
    return max(
        np.abs(found[name] - reference[name]).max() / np.abs(reference[name]).max()
        for name in reference
    )


def measure(cell, seeds):
    """Gradients and deltas of the sweep against complex steps and differences."""
    graph, loss = cell.graph, LOSS_OF[cell.graph]
    names = (
        "gradient_error",
        "delta_error",
        "fd_error",
        "overwritten_error",
        "slope_left_out_error",
    )
    values = {name: np.empty(len(seeds)) for name in names}
    by_step = np.empty((len(seeds), len(STEPS)))
    for i, seed in enumerate(seeds):
        leaves, shifts, trainable = problem(graph, seed)
        stops, steps = swept(graph, leaves, trainable)
        everything = leaves | shifts
        gradients = {name: complex_step(loss, everything, name) for name in trainable}
        deltas = {name: complex_step(loss, everything, name) for name in shifts}
        found = {name: stops[name].delta for name in gradients}
        values["gradient_error"][i] = deviation(found, gradients)
        values["delta_error"][i] = deviation({n: stops[n].delta for n in deltas}, deltas)
        overwritten = {name: last_use_only(steps, name) for name in gradients | deltas}
        values["overwritten_error"][i] = deviation(overwritten, gradients | deltas)
        # Delta passed on as if the nonlinearity had slope one.
        behind = stops[NONLINEAR[graph]]
        ((_, sent),) = behind.contributions
        values["slope_left_out_error"][i] = deviation({"sent": behind.delta}, {"sent": sent})

        rng = np.random.default_rng([int(seed), 9])
        direction = {name: rng.normal(size=g.shape) for name, g in gradients.items()}
        length = np.sqrt(sum((d**2).sum() for d in direction.values()))
        direction = {name: d / length for name, d in direction.items()}
        along = sum((found[name] * d).sum() for name, d in direction.items())
        scale = np.sqrt(sum((g**2).sum() for g in found.values()))
        errors = [abs(differenced(loss, everything, direction, h) - along) / scale for h in STEPS]
        # A log axis has no place for the differences that happen to be exact.
        by_step[i] = np.maximum(errors, np.finfo(float).eps)
        best = differenced(loss, everything, direction, BEST_STEP)
        values["fd_error"][i] = abs(best - along) / scale
    return Measurements(metrics=values, curves={"fd_error": by_step}, axes={"fd_error": STEPS})


EXPERIMENT = Experiment(
    claim="C27",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C27.gradient",
            "One sweep gives the gradient by every weight: of the worked example, a perceptron, a "
            "convolution, a recurrence, and where a node is used twice.",
            Identity("gradient_error", terms=LONGEST),
            kind="as stated",
            formula=r"\frac{\partial\mathcal{L}}{\partial W_\ell} = "
            r"\Delta_\ell \frac{\partial\phi_\ell}{\partial W_\ell}",
            mutants=(Mutant("uses overwrite in place of adding", {"metric": "overwritten_error"}),),
        ),
        Hypothesis(
            "C27.delta",
            "On its way the sweep passes the derivative by every inner node.",
            Identity("delta_error", terms=LONGEST),
            kind="as stated",
            formula=r"\Delta_{\ell-1} = "
            r"\Delta_\ell \frac{\partial\phi_\ell}{\partial\phi_{\ell-1}}",
            mutants=(
                Mutant(
                    "Δ passed on without the slope of the nonlinearity",
                    {"metric": "slope_left_out_error"},
                ),
            ),
        ),
        Hypothesis(
            "C27.differences",
            "The gradient agrees with differences of the loss.",
            # Truncation and rounding are epsilon^(2/3) = 4e-11 each, times the ratio of the loss
            # and of its third derivative to the gradient; 1e-6 leaves room for those ratios.
            AtMost("fd_error", 1e-6),
            mutants=(Mutant("uses overwrite in place of adding", {"metric": "overwritten_error"}),),
        ),
    ),
    factors={"graph": GRAPHS},
    # Identities: 20 random states leave no room for a Jacobian that happens to be symmetric.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "gradient_error": Metric("gradient by a weight against complex steps", "1", "lower"),
        "delta_error": Metric("Δ of an inner node against complex steps", "1", "lower"),
        "fd_error": Metric("gradient along a direction against differences", "1", "lower"),
        "overwritten_error": Metric("deviation if the last use alone counts", "1"),
        "slope_left_out_error": Metric("deviation if a slope is left out", "1"),
    },
    figure=(
        Curves(
            y="fd_error",
            by="graph",
            log="xy",
            x_label="step of the finite difference",
            y_label="relative deviation from the sweep",
            title="Differences meet the sweep until rounding takes over",
        ),
    ),
    measure=measure,
    finding="One sweep back gives every gradient to rounding, provided that the contributions of "
    "all uses of a node are added.",
    stated=r"\Delta_{\ell-1} = \Delta_\ell \frac{\partial\phi_\ell}{\partial\phi_{\ell-1}}",
    corrected="",
    figures=("F14",),
    components=(
        "suite.autodiff.backward",
        "suite.autodiff.worked_example",
        "suite.autodiff.recurrence",
        "suite.autodiff.correlate2d",
    ),
    limits="Analytic nonlinearities: at the kink of a rectifier there is no derivative to compare "
    "with. The sweep is the suite's own, written to be looked at, not TensorFlow's.",
)
