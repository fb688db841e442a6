"""The gradient of a deep network is a row times the Jacobians of its layers.

Lecture section "Gradients of deep networks", claim C24. A network is a composition of layers
`h_l = phi_l(h_l-1)` with weights `W_l`, and the chain rule takes it apart again:

    f = phi_L o phi_L-1 o ... o phi_1
    d loss / d W_l = (d loss / d h_L) (d h_L / d h_L-1) ... (d h_l+1 / d h_l) (d h_l / d W_l)

The nested form on the slide jumps from `phi_L` to `phi_L-2`: a network without its last hidden
layer. The last factor has three axes, `D` outputs by `D x D` weights; because a weight reaches one
unit only, all but `D^2` of its `D^3` entries are zero.

Every factor is taken here from a graph of one layer alone, and the factors are multiplied as
matrices. Two things that do not know of each other are compared with that product: the reverse
sweep over the whole graph, and differences of a forward pass written in this file.
"""

import numpy as np

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.verdicts import AtMost, Identity

SYNTHETIC, DIGITS = "synthetic", "digits"
AS_DERIVED, LEFT_OUT, REVERSED, TRANSPOSED = (
    "as derived",
    "one Jacobian left out",
    "opposite order",
    "Jacobians transposed",
)
WIDTH, DEPTH, OUTPUTS = 16, 6, 10
INPUTS = {SYNTHETIC: 12, DIGITS: 64}
WIDTHS = (2, 4, 8, 16, 32)  # of the layer whose derivative by its weights is counted
LONGEST = DEPTH * max(INPUTS.values())  # terms: a sum over units or pixels for each factor
STEP = np.finfo(float).eps ** (1 / 3)  # truncation h^2 and rounding epsilon / h are then equal


def problem(data, seed):
    """An input `(inputs,)`, a one-hot label `(OUTPUTS,)`, kernels and biases of all layers."""
    from suite.datasets import load_arrays

    rng = np.random.default_rng([int(seed), 1])
    if data == DIGITS:
        images = load_arrays("digits", seed=0, validation=0.2, test=0.2)
        chosen = int(rng.integers(len(images.x_train)))
        x, label = images.x_train[chosen].astype(float), int(images.y_train[chosen])
    else:
        x, label = rng.normal(0.5, 1.0, INPUTS[data]), int(rng.integers(OUTPUTS))
    sizes = [len(x), *[WIDTH] * (DEPTH - 1), OUTPUTS]
    kernels = [rng.normal(0, a**-0.5, (a, b)) for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
    biases = [rng.normal(0, 0.1, size) for size in sizes[1:]]
    return x, np.eye(OUTPUTS)[label], kernels, biases


def layer_functions(kernels, biases):
    """`phi_1 ... phi_L` in plain NumPy; the last is linear."""

    def layer(kernel, bias, last):
        return lambda h: h @ kernel + bias if last else np.tanh(h @ kernel + bias)

    return [
        layer(kernel, bias, last=i == len(kernels) - 1)
        for i, (kernel, bias) in enumerate(zip(kernels, biases, strict=True))
    ]


def compose(functions, x):
    """`phi_L(... phi_2(phi_1(x)))`."""
    for function in functions:
        x = function(x)
    return x


def loss_of(x, target, kernels, biases):
    """The cross-entropy, by a forward pass that shares no code with the suite."""
    logits = compose(layer_functions(kernels, biases), x)
    top = logits.max()
    return top + np.log(np.exp(logits - top).sum()) - target @ logits


def layer_factors(x, kernels, biases, target):
    """The row at the output, `J_L ... J_2`, and `d h_l / d W_l`, each from a graph of its own.

    Returns:
        The row `(1, OUTPUTS)`; the Jacobians `d h_l / d h_l-1` for `l = L ... 2`; the tensors
        `d h_l / d W_l` of shape `(n_l, n_l-1, n_l)` for `l = 1 ... L`.
    """
    from suite.autodiff import gradients, jacobian, parameter, softmax_cross_entropy, tanh

    jacobians, tensors, h = [], [], x
    for layer, (kernel, bias) in enumerate(zip(kernels, biases, strict=True), start=1):
        below, weights = parameter(h), parameter(kernel)
        above = below @ weights + bias
        above = above if layer == len(kernels) else tanh(above)
        jacobians.append(jacobian(above, below))
        tensors.append(jacobian(above, weights))
        h = above.value
    output = parameter(h)
    (row,) = gradients(softmax_cross_entropy(output, target), [output])
    return row[None], jacobians[:0:-1], tensors


def arranged(form, jacobians):
    """The Jacobians between the loss and one layer, rightly or wrongly put together.

    `jacobians` are `J_L ... J_l+1`. The first, of `OUTPUTS` rows, keeps its place: the wrong forms
    are those that fit together and so raise no error.
    """
    first, between = jacobians[:1], jacobians[1:]
    return (
        first
        + {
            AS_DERIVED: between,
            LEFT_OUT: between[1:],
            REVERSED: between[::-1],
            TRANSPOSED: [jacobian.T for jacobian in between],
        }[form]
    )


def gradients_by_layers(form, row, jacobians, tensors):
    """`d loss / d W_l` for `l = 1 ... L` as products of the factors."""
    depth = len(tensors)
    products = []
    for layer, tensor in enumerate(tensors, start=1):
        delta = row
        for jacobian in arranged(form, jacobians[: depth - layer]):
            delta = delta @ jacobian
        products.append(np.tensordot(delta[0], tensor, axes=1))
    return products


def sweep_gradients(x, target, kernels, biases):
    """The same by one reverse sweep over the graph of the whole network; its output as well."""
    from suite.autodiff import (
        constant,
        gradients,
        multilayer_perceptron,
        parameter,
        softmax_cross_entropy,
    )

    weights = [parameter(kernel) for kernel in kernels]
    outputs = multilayer_perceptron(constant(x), weights, [constant(b) for b in biases])
    return gradients(softmax_cross_entropy(outputs[-1], target), weights), outputs[-1].value


def differenced(x, target, kernels, biases, layer, direction):
    """Central difference of the loss along a direction of one layer's weights."""

    def at(t):
        moved = [k + t * direction if i == layer else k for i, k in enumerate(kernels)]
        return loss_of(x, target, moved, biases)

    return (at(STEP) - at(-STEP)) / (2 * STEP)


def off(found, reference):
    """Largest deviation relative to the largest entry."""
    return np.abs(found - reference).max() / np.abs(reference).max()


def nonzero_entries(width, seed):
    """How many entries of `d h / d W` are not zero, for one layer of `width` units and inputs."""
    from suite.autodiff import jacobian, parameter, tanh

    rng = np.random.default_rng([int(seed), width])
    weights = parameter(rng.normal(0, width**-0.5, (width, width)))
    return np.count_nonzero(jacobian(tanh(rng.normal(0.5, 1.0, width) @ weights), weights))


def measure(cell, seeds):
    """Deviations of the product from sweep and differences, and zeros of the last factor."""
    names = ("chain_error", "fd_error", "composition_error", "slide_composition_error")
    values = {name: np.empty(len(seeds)) for name in names}
    filled, dense = np.empty(len(seeds)), np.empty(len(seeds))
    by_layer = np.empty((len(seeds), DEPTH))
    entries = np.empty((len(seeds), len(WIDTHS)))
    for i, seed in enumerate(seeds):
        x, target, kernels, biases = problem(cell.data, seed)
        row, jacobians, tensors = layer_factors(x, kernels, biases, target)
        found = gradients_by_layers(cell.product, row, jacobians, tensors)
        swept, output = sweep_gradients(x, target, kernels, biases)
        by_layer[i] = [off(a, b) for a, b in zip(found, swept, strict=True)]
        values["chain_error"][i] = by_layer[i].max()

        rng = np.random.default_rng([int(seed), 2])
        worst = 0.0
        for layer, gradient in enumerate(found):
            direction = rng.normal(size=gradient.shape)
            direction /= np.linalg.norm(direction)
            difference = differenced(x, target, kernels, biases, layer, direction)
            error = abs(difference - (gradient * direction).sum())
            worst = max(worst, error / np.linalg.norm(swept[layer]))
        values["fd_error"][i] = worst

        functions = layer_functions(kernels, biases)
        values["composition_error"][i] = off(compose(functions, x), output)
        jumped = functions[:-2] + functions[-1:]
        values["slide_composition_error"][i] = off(compose(jumped, x), output)

        filled[i] = max(np.count_nonzero(t) / (t.shape[1] * t.shape[2]) for t in tensors)
        dense[i] = max(t.size / (t.shape[1] * t.shape[2]) for t in tensors)
        entries[i] = [nonzero_entries(width, seed) for width in WIDTHS]
    widths = np.array(WIDTHS)
    last = np.arange(DEPTH, 0, -1)
    return Measurements(
        metrics=values | {"filled_entries": filled, "dense_entries": dense},
        curves={
            # Rounding may leave nothing at all, which a log axis cannot show.
            "gradient_error": np.maximum(by_layer, np.finfo(float).eps / 2)[:, ::-1],
            "share_used": entries / widths**3,
        },
        axes={"gradient_error": DEPTH - last, "share_used": widths},
        theory={"share_used": 1 / widths},
    )


RIGHT = {"product": AS_DERIVED}

EXPERIMENT = Experiment(
    claim="C24",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C24.nested_as_printed",
            "The nested form on the slide, which goes from the last layer to the one before the "
            "last but one, is the network.",
            Identity("slide_composition_error", terms=LONGEST, where=RIGHT),
            kind="as stated",
            formula=r"f(x) = \phi_L(\phi_{L-2}(\cdots \phi_1(x)))",
        ),
        Hypothesis(
            "C24.chain_rule",
            "Row, Jacobians of the layers and derivative by the weights, multiplied, give the "
            "gradient of the reverse sweep.",
            Identity("chain_error", terms=LONGEST, where=RIGHT),
            kind="as stated",
            formula=r"\frac{\partial\mathcal{L}}{\partial W_\ell} = "
            r"\frac{\partial\mathcal{L}}{\partial\phi_L} "
            r"\frac{\partial\phi_L}{\partial\phi_{L-1}} \cdots "
            r"\frac{\partial\phi_{\ell+1}}{\partial\phi_\ell} "
            r"\frac{\partial\phi_\ell}{\partial W_\ell}",
            mutants=tuple(
                Mutant(form, {"where": {"product": form}})
                for form in (LEFT_OUT, REVERSED, TRANSPOSED)
            ),
        ),
        Hypothesis(
            "C24.nested",
            "With every layer in its place the nested form is the network.",
            Identity("composition_error", terms=LONGEST, where=RIGHT),
            formula=r"f(x) = \phi_L(\phi_{L-1}(\phi_{L-2}(\cdots \phi_1(x))))",
            mutants=(
                Mutant("a layer jumped over, as printed", {"metric": "slide_composition_error"}),
            ),
        ),
        Hypothesis(
            "C24.derivative",
            "The product is the derivative: it agrees with differences of the loss.",
            # Truncation and rounding are epsilon^(2/3) = 4e-11 each, times the ratio of the loss
            # and of its third derivative to the gradient; 1e-6 leaves room for those ratios.
            AtMost("fd_error", 1e-6, where=RIGHT),
            mutants=tuple(
                Mutant(form, {"where": {"product": form}})
                for form in (LEFT_OUT, REVERSED, TRANSPOSED)
            ),
        ),
        Hypothesis(
            "C24.tensor",
            "The derivative of a layer by its weights has no more entries other than zero than "
            "there are weights.",
            AtMost("filled_entries", 1, where=RIGHT),
            formula=r"\left[\frac{\partial\phi_\ell}{\partial W_\ell}\right]_{i,jk} = 0 "
            r"\quad \text{for } j \ne i",
            mutants=(Mutant("every weight reaches every unit", {"metric": "dense_entries"}),),
        ),
    ),
    factors={
        "data": (SYNTHETIC, DIGITS),
        "product": (AS_DERIVED, LEFT_OUT, REVERSED, TRANSPOSED),
    },
    # Identities: 20 random states leave no room for factors that happen to commute.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "chain_error": Metric("product against sweep, relative, worst layer", "1", "lower"),
        "fd_error": Metric("product against differences, relative, worst layer", "1", "lower"),
        "composition_error": Metric("nested form against the network's output", "1", "lower"),
        "slide_composition_error": Metric("the same for the slide's nested form", "1"),
        "filled_entries": Metric("entries of the last factor not zero, per weight", "1"),
        "dense_entries": Metric("all entries of the last factor, per weight", "1"),
    },
    figure=(
        Curves(
            y="gradient_error",
            by="product",
            where={"data": SYNTHETIC},
            log="y",
            x_label="Jacobians between the loss and the layer",
            y_label="relative deviation from the sweep",
            title="Only all Jacobians in their order give the gradient",
        ),
        Curves(
            y="share_used",
            where={"data": SYNTHETIC, "product": AS_DERIVED},
            log="xy",
            x_label="width D of the layer",
            y_label="share of the entries of ∂φ/∂W that are not zero",
            title="Of D³ entries one in D is used: D² of them",
        ),
    ),
    measure=measure,
    finding="The layer-wise chain rule gives the gradient to rounding; the nested form on the "
    "slide jumps over a layer, and another order of the Jacobians is another gradient.",
    stated=r"f = \phi_L(\phi_{L-2}(\cdots))",
    corrected=r"f = \phi_L(\phi_{L-1}(\phi_{L-2}(\cdots)))",
    components=(
        "suite.autodiff.jacobian",
        "suite.autodiff.gradients",
        "suite.autodiff.multilayer_perceptron",
    ),
    limits="Dense layers with tanh, so that differences meet no kink. The jump is only possible "
    "at all where two neighboring layers have the same width.",
)
