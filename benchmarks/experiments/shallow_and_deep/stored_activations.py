"""The backward pass reads the activations of the forward pass; few of them have to be kept.

Lecture section "Gradients of deep networks", claim C29. The gradient by the weights of layer `l`
is the layer's input times its delta, and the delta contains the slope at the layer's output: both
are values of the forward pass. A perceptron of `L` layers and `D` units keeps one array a layer,

    8 L D bytes for each example in float64

and what it computes on the way, `h W` and `h W + b`, it may forget. Checkpointing trades memory for
time: with the input of every k-th layer kept and each segment computed anew,

    L / k - 1 checkpoints  +  k activations of one segment      least at k = sqrt(L)

for one further forward pass, and the same gradient to the last bit. A value is dropped here in
earnest: its array is freed, and a sweep that asks for it stops with an error.
"""

import math
from functools import cache, partial

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.verdicts import AtMost, Slope

EVERYTHING, CHECKPOINTS = "every layer", "checkpoints"
DEPTHS = (16, 64, 256)  # squares, so that the square root is a number of layers
WIDTH, BATCH = 6, 3
FLOAT = 8  # bytes of a float64
# Counts are exact powers: nothing but the rounding of logarithms.
EXACTLY = 1e-9


def network(depth, seed):
    """Layers as functions, the input, the loss as a function, kernels and biases."""
    from suite.autodiff import parameter, squared_error, tanh

    rng = np.random.default_rng([int(seed), depth])
    kernels = [parameter(rng.normal(0, WIDTH**-0.5, (WIDTH, WIDTH))) for _ in range(depth)]
    biases = [parameter(rng.normal(0, 0.1, WIDTH)) for _ in range(depth)]

    def layer(kernel, bias, h):
        return tanh((h @ kernel).named("product") + bias).named("layer")

    layers = [partial(layer, *pair) for pair in zip(kernels, biases, strict=True)]
    x, target = rng.normal(0.5, 1, (BATCH, WIDTH)), rng.normal(size=(BATCH, WIDTH))
    return layers, x, lambda y: squared_error(y, target), [*kernels, *biases]


def graph_of(layers, x, loss):
    """The loss of the whole network, its layers' outputs, and the products and sums between."""
    from suite.autodiff import constant

    h, outputs = constant(x), []
    for layer in layers:
        h = layer(h)
        outputs.append(h)
    sums = [output.edges[0].parent for output in outputs]
    products = [edge.parent for s in sums for edge in s.edges if edge.parent.name == "product"]
    return loss(h), outputs, sums + products


def gradients_without(loss, dropped, parameters):
    """The gradients after the values of some nodes were freed; None if the sweep asks for one."""
    from suite.autodiff import gradients

    for node in dropped:
        node.drop()
    try:
        return gradients(loss, parameters)
    except ValueError:
        return None


def gradients_from_checkpoints_alone(x, outputs, loss, parameters, every):
    """What comes out if a segment is not computed anew: its input stands for all its layers."""
    from suite.autodiff import gradients, parameter

    h = [x, *(output.value for output in outputs)]
    depth = len(outputs)
    kept = h[:depth:every]
    output = parameter(h[-1])
    (delta,) = gradients(loss(output), [output])
    kernels, biases = [None] * depth, [None] * depth
    for i in range(depth - 1, -1, -1):
        stale = kept[i // every]
        at_sum = delta * (1 - stale**2)
        kernels[i], biases[i] = stale.T @ at_sum, at_sum.sum(axis=0)
        delta = at_sum @ parameters[i].value.T
    return kernels + biases


def bits_that_differ(found, reference):
    """How many entries are not the very same float64."""
    return sum(int((a != b).sum()) for a, b in zip(found, reference, strict=True))


def peaks(depth, every):
    """Activations held at one time, in theory; the last segment may be shorter."""
    return math.ceil(depth / every) - 1 + every


@cache
def peaks_measured(depth):
    """Activations held at one time for each regular spacing of the checkpoints."""
    from suite.autodiff import checkpointed_gradients

    network_of = network(depth, 0)
    spacings = [k for k in range(1, depth + 1) if depth % k == 0]
    return {k: checkpointed_gradients(*network_of, k).peak_arrays for k in spacings}


def measure(cell, seeds):
    """Arrays held, what happens without them, and the gradient from checkpoints, bit by bit."""
    from suite.autodiff import checkpointed_gradients, gradients, stored_activations

    depth, root = cell.depth, math.isqrt(cell.depth)
    names = (
        "peak_arrays",
        "peak_bytes",
        "bytes_of_all",
        "evaluations",
        "ran_without_activation",
        "ran_without_sums",
        "bits_differ",
        "bits_stale",
    )
    values = {name: np.empty(len(seeds)) for name in names}
    for i, seed in enumerate(seeds):
        layers, x, loss, parameters = network(depth, seed)
        objective, outputs, sums = graph_of(layers, x, loss)
        stored = stored_activations(objective)
        plain = gradients(objective, parameters)
        stale = gradients_from_checkpoints_alone(x, outputs, loss, parameters, root)
        values["bits_stale"][i] = bits_that_differ(stale, plain)
        if cell.kept == EVERYTHING:
            values["peak_arrays"][i] = len(stored)
            values["peak_bytes"][i] = sum(node.value.nbytes for node in stored)
            values["evaluations"][i] = 1
        else:
            checkpointed = checkpointed_gradients(layers, x, loss, parameters, root)
            values["peak_arrays"][i] = checkpointed.peak_arrays
            values["peak_bytes"][i] = checkpointed.peak_bytes
            values["evaluations"][i] = checkpointed.layer_evaluations / depth
        values["bytes_of_all"][i] = sum(node.value.nbytes for node in (*stored, *sums))
        without_sums = gradients_without(objective, sums, parameters)
        values["ran_without_sums"][i] = without_sums is not None
        found = without_sums if cell.kept == EVERYTHING else checkpointed.gradients
        values["bits_differ"][i] = bits_that_differ(found, plain)
        # Which one is dropped is drawn anew for every seed.
        one = stored[int(np.random.default_rng([int(seed), 1]).integers(depth))]
        without_one = gradients_without(objective, [one], parameters)
        values["ran_without_activation"][i] = without_one is not None

    by_spacing = peaks_measured(depth)
    peak = np.array(list(by_spacing.values()), float)
    # Behind each activation all layers below it are computed anew, whenever it is needed.
    without_any = depth + depth * (depth - 1) / 2
    constant = {
        "peak_theory": peaks(depth, depth if cell.kept == EVERYTHING else root),
        "root_excess": by_spacing[root] - peak.min(),
        "end_excess": by_spacing[1] - peak.min(),
        "evaluations_without_checkpoints": without_any / depth,
    }
    in_theory = FLOAT * BATCH * WIDTH * depth
    return Measurements(
        metrics=values
        | {name: np.full(len(seeds), float(value)) for name, value in constant.items()}
        | {
            "peak_with_input": values["peak_arrays"] + 1,
            "bytes_error": np.abs(values["peak_bytes"] - in_theory),
            "bytes_error_of_all": np.abs(values["bytes_of_all"] - in_theory),
        },
        curves={"peak_of_spacing": np.tile(peak, (len(seeds), 1))},
        axes={"peak_of_spacing": np.array(list(by_spacing))},
        theory={"peak_of_spacing": np.array([float(peaks(depth, k)) for k in by_spacing])},
    )


PLAIN, ROOT = {"kept": EVERYTHING}, {"kept": CHECKPOINTS}

EXPERIMENT = Experiment(
    claim="C29",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C29.stated",
            "Without any single one of the stored activations there is no backward pass.",
            AtMost("ran_without_activation", 0),
            kind="as stated",
            formula=r"\frac{\partial\mathcal{L}}{\partial W_\ell} = "
            r"\Delta_\ell \frac{\partial\phi_\ell}{\partial W_\ell}(\phi_{\ell-1})",
            mutants=(
                Mutant("the sums before the nonlinearity as well", {"metric": "ran_without_sums"}),
            ),
        ),
        Hypothesis(
            "C29.one_a_layer",
            "One array a layer is enough: 8\u00a0L\u00a0D bytes for each example.",
            AtMost("bytes_error", 0, where=PLAIN),
            formula=r"8\, B\, L\, D \text{ bytes}",
            mutants=(
                Mutant("products and sums as well", {"metric": "bytes_error_of_all"}),
                Mutant("checkpoints", {"where": ROOT}),
            ),
        ),
        Hypothesis(
            "C29.forgotten",
            "With all products and sums freed the gradient is the same to the last bit.",
            AtMost("bits_differ", 0, where=PLAIN),
            mutants=(
                Mutant("activations between checkpoints freed too", {"metric": "bits_stale"}),
            ),
        ),
        Hypothesis(
            "C29.checkpointed",
            "Computed anew from checkpoints, the gradient is the same to the last bit.",
            AtMost("bits_differ", 0, where=ROOT),
            mutants=(Mutant("not computed anew", {"metric": "bits_stale"}),),
        ),
        Hypothesis(
            "C29.root",
            "With checkpoints every √L layers the arrays held, the input among them, grow as √L.",
            Slope("peak_with_input", "depth", 0.5, EXACTLY, where=ROOT),
            formula=r"\frac{L}{k} + k = 2 \sqrt{L} \quad \text{at } k = \sqrt{L}",
            mutants=(Mutant("every layer kept", {"where": PLAIN}),),
        ),
        Hypothesis(
            "C29.spacing",
            "No other regular spacing of the checkpoints holds fewer arrays.",
            AtMost("root_excess", 0),
            formula=r"\min_k \left(\frac{L}{k} - 1 + k\right) = 2\sqrt{L} - 1",
            mutants=(Mutant("a checkpoint at every layer", {"metric": "end_excess"}),),
        ),
        Hypothesis(
            "C29.price",
            "The price is one further forward pass.",
            AtMost("evaluations", 2),
            mutants=(
                Mutant(
                    "no checkpoints, all from the input",
                    {"metric": "evaluations_without_checkpoints"},
                ),
            ),
        ),
    ),
    factors={"kept": (EVERYTHING, CHECKPOINTS), "depth": DEPTHS},
    # Identities of bits: 20 random states, and as many draws of the activation that is dropped.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "peak_arrays": Metric("activations held at one time", "array", "lower"),
        "peak_theory": Metric("activations held at one time, in theory", "array"),
        "peak_with_input": Metric("the same, the network's input counted too", "array", "lower"),
        "peak_bytes": Metric("bytes of the activations held", "byte", "lower"),
        "bytes_of_all": Metric("bytes of activations, products and sums in the graph", "byte"),
        "bytes_error": Metric("bytes less 8 B L D", "byte"),
        "bytes_error_of_all": Metric("bytes of all these less 8 B L D", "byte"),
        "evaluations": Metric("layers computed, over the depth", "1", "lower"),
        "evaluations_without_checkpoints": Metric("the same from the input each time", "1"),
        "ran_without_activation": Metric("sweeps that ran without an activation", "run"),
        "ran_without_sums": Metric("sweeps that ran without products and sums", "run"),
        "bits_differ": Metric(
            "entries that differ, with products and sums freed or with checkpoints",
            "entry",
            "lower",
        ),
        "bits_stale": Metric("entries that differ if nothing is computed anew", "entry"),
        "root_excess": Metric("arrays at √L more than at the best spacing", "array", "lower"),
        "end_excess": Metric("arrays at spacing 1 more than at the best", "array"),
    },
    figure=(
        Lines(
            x="depth",
            y="peak_arrays",
            by="kept",
            theory="peak_theory",
            log="xy",
            x_label="layers L",
            y_label="activations held at one time",
            title="Checkpoints hold 2√L − 1 activations in place of L",
        ),
        Curves(
            y="peak_of_spacing",
            by="depth",
            where=ROOT,
            log="xy",
            x_label="layers from one checkpoint to the next",
            y_label="activations held at one time",
            title="Few checkpoints mean long segments: the best spacing is √L",
        ),
    ),
    measure=measure,
    finding="The backward pass needs one array of every layer; all but about 2√L of them can be "
    "computed anew, for one further forward pass and the same gradient to the last bit.",
    stated=r"O(L D) \text{ for each example}",
    corrected=r"O(\sqrt{L} D) \text{ for each example, at one further forward pass}",
    components=(
        "suite.autodiff.stored_activations",
        "suite.autodiff.checkpointed_gradients",
    ),
    limits="Layers of one size, and no branch around them. Deltas, of which two are held at a "
    "time, and the weights themselves are not counted.",
)
