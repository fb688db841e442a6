"""The loss is a sum over examples, and so is its gradient; what the sum costs is another matter.

Lecture section "Stochastic gradients", claim C30. For `L` layers of width `D` and `N` examples

    grad loss = sum_n grad loss_n          loss_n = - log p(y_n | x_n, w)

The slide's table gives time `N L D^3` and space `N L D^2`. Time is `N L D^2`: a row times a matrix
costs `D^2` (see C26). Space depends on how the sum is made:

    one after another      activations of one example, one gradient       0        bytes a
    all at once            activations of all, one gradient               8 L D    further
    a gradient for each    activations of one, all N gradients       8 L (D^2 + D) example

Only the last one needs what the table says, and a sum does not need it. What a further example
takes is measured: Python's allocator is asked for the most that was held at one time. Beside it
stand the sizes of the arrays that have to be held; operations are counted.
"""

import gc
import tracemalloc
from functools import cache

import numpy as np

from benchmarks.experiment import Experiment, Hypothesis, Lines, Measurements, Metric, Mutant
from benchmarks.verdicts import AtMost, Identity, Slope, every

LOOP, BATCH, STACKED = "one after another", "all at once", "a gradient for each"
STRATEGIES = (LOOP, BATCH, STACKED)
SAMPLES, WIDTHS = (2, 6, 18), (16, 32, 64)
SHOWN_SAMPLES, SHOWN_WIDTH = 6, 32
DEPTH, FLOAT = 4, 8  # bytes of a float64
TRACED_SAMPLES = (10, 18)  # between which the allocated memory is compared
PIXELS, HIDDEN, CLASSES = 64, 16, 10  # sizes of the network on handwritten digits
# Counts are exact powers where one term is counted: rounding of logarithms alone.
EXACTLY = 1e-9
# D^2 + D, with biases, or D^2 + 2 D, with activations: an exponent of 2 to within 2 / D.
WITH_BIASES = 2 / min(WIDTHS)


def weights_of(sizes, rng):
    """Kernels and biases between layers of the given sizes, as arrays."""
    pairs = list(zip(sizes[:-1], sizes[1:], strict=True))
    kernels = [rng.normal(0, a**-0.5, (a, b)) for a, b in pairs]
    return kernels, [rng.normal(0, 0.1, b) for _, b in pairs]


def problem(width, samples, seed):
    """Random inputs and labels, and a network whose layers all have the same width."""
    rng = np.random.default_rng([int(seed), width])
    kernels, biases = weights_of([width] * (DEPTH + 1), rng)
    x = rng.normal(0.5, 1, (samples, width))
    return x, np.eye(width)[rng.integers(width, size=samples)], kernels, biases


@cache
def digits():
    """Images `(1078, 64)` and labels of the handwritten digits."""
    from suite.datasets import load_arrays

    split = load_arrays("digits", seed=0, validation=0.2, test=0.2)
    return split.x_train.astype(float), split.y_train


def images(samples, seed):
    """Handwritten digits with their labels, and a network of its own sizes."""
    rng = np.random.default_rng([int(seed), 1])
    x, labels = digits()
    rows = rng.permutation(len(x))[:samples]
    kernels, biases = weights_of([PIXELS, *[HIDDEN] * (DEPTH - 1), CLASSES], rng)
    return x[rows], np.eye(CLASSES)[labels[rows]], kernels, biases


def gradient_by_hand(x, target, kernels, biases):
    """The gradient of the summed cross-entropy, written in NumPy: the oracle.

    Samples are summed by einsum over per-sample gradients, which are all held.
    """
    h = [x]
    for kernel, bias in zip(kernels[:-1], biases[:-1], strict=True):
        h.append(np.tanh(h[-1] @ kernel + bias))
    logits = h[-1] @ kernels[-1] + biases[-1]
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    delta = exponentials / exponentials.sum(axis=1, keepdims=True) - target
    by_kernel, by_bias = [], []
    for layer in reversed(range(len(kernels))):
        by_kernel.append(np.einsum("ni,nj->nij", h[layer], delta).sum(axis=0))
        by_bias.append(delta.sum(axis=0))
        delta = (delta @ kernels[layer].T) * (1 - h[layer] ** 2)
    return by_kernel[::-1] + by_bias[::-1]


def held_bytes(*groups):
    """Bytes of all arrays in all groups."""
    return sum(array.nbytes for group in groups for array in group)


def one_pass(x, target, kernels, biases):
    """Gradients by all weights in one sweep, and the activations that the sweep reads."""
    from suite.autodiff import (
        constant,
        gradients,
        multilayer_perceptron,
        parameter,
        softmax_cross_entropy,
        stored_activations,
    )

    leaves = [parameter(array) for array in (*kernels, *biases)]
    outputs = multilayer_perceptron(constant(x), leaves[:DEPTH], leaves[DEPTH:])
    loss = softmax_cross_entropy(outputs[-1], target)
    return gradients(loss, leaves), [node.value for node in stored_activations(loss)]


def summed_gradient(strategy, x, target, kernels, biases):
    """The gradient of the summed loss, and the largest number of bytes held on the way.

    Held are the activations of a sweep and the gradients that are still needed; weights and data
    are there in any case, and what a product needs for a moment is left out.
    """
    if strategy == BATCH:
        found, activations = one_pass(x, target, kernels, biases)
        return found, held_bytes(activations, found)
    sums, each, peak = None, [], 0
    for row, label in zip(x, target, strict=True):
        found, activations = one_pass(row[None], label[None], kernels, biases)
        if strategy == STACKED:
            each.append(found)
            peak = max(peak, held_bytes(activations, *each))
        else:
            sums = found if sums is None else [a + b for a, b in zip(sums, found, strict=True)]
            peak = max(peak, held_bytes(activations, sums))
    if strategy == STACKED:
        sums = [np.sum(arrays, axis=0) for arrays in zip(*each, strict=True)]
    return sums, peak


@cache
def error_on_images(strategy, samples, seed):
    """Deviation of the summed gradient on handwritten digits; the width plays no part in it."""
    data = images(samples, seed)
    return off(summed_gradient(strategy, *data)[0], gradient_by_hand(*data))


def cubic_flops(width):
    """Backward operations of one example if the Jacobians of the layers are multiplied first."""
    from suite.autodiff import Counter, jacobian_products

    rng = np.random.default_rng(width)
    row = rng.normal(size=(1, width))
    jacobians = [rng.normal(0, width**-0.5, (width, width)) for _ in range(DEPTH)]
    with Counter() as counter:
        jacobian_products(row, jacobians)
    return 2 * sum(m * k * n for m, k, n in counter.products if m > 1)


def off(found, reference):
    """The worst array's largest deviation, relative to the largest entry of its reference."""
    return max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(found, reference, strict=True))


def measure(cell, seeds):
    """Deviation of the sum, operations, and bytes held, for one way of summing."""
    from suite.autodiff import Counter

    names = ("sum_error", "sum_error_on_images", "mean_error", "flops", "bytes")
    values = {name: np.empty(len(seeds)) for name in names}
    samples, width = cell.samples, cell.width
    for i, seed in enumerate(seeds):
        data = problem(width, samples, seed)
        with Counter() as counter:
            found, values["bytes"][i] = summed_gradient(cell.strategy, *data)
        values["flops"][i] = counter.flops
        reference = gradient_by_hand(*data)
        values["sum_error"][i] = off(found, reference)
        values["mean_error"][i] = off([g / samples for g in found], reference)
        values["sum_error_on_images"][i] = error_on_images(cell.strategy, samples, int(seed))
    further = allocated_per_example(cell.strategy, width)
    return Measurements(
        metrics=values
        | {
            # A log axis has no zero.
            "bytes_per_example": np.full(len(seeds), max(further, 1.0)),
            "share_per_example": np.full(len(seeds), further / (FLOAT * DEPTH * width)),
            "bytes_theory": np.full(len(seeds), float(bytes_in_theory(cell))),
            "flops_theory": np.full(len(seeds), 2.0 * samples * (3 * DEPTH - 1) * width**2),
            "flops_of_jacobians": np.full(len(seeds), float(samples * cubic_flops(width))),
        }
    )


def one_by_one(rows):
    """The rows, with the interpreter's memory swept before each: it keeps some of what was freed.

    Without that a kilobyte of empty containers would pile up an example, whatever the width.
    """
    for row in rows:
        gc.collect()
        yield row


def allocated(strategy, data):
    """The largest number of bytes that Python, NumPy's arrays included, holds during the sum."""
    x, *rest = data
    gc.collect()
    gc.freeze()  # what is there already need not be looked at again
    tracemalloc.start()
    try:
        summed_gradient(strategy, x if strategy == BATCH else one_by_one(x), *rest)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.unfreeze()


@cache
def allocated_per_example(strategy, width):
    """How much of that one further example adds."""
    few, many = (allocated(strategy, problem(width, n, 0)) for n in TRACED_SAMPLES)
    return (many - few) / (TRACED_SAMPLES[1] - TRACED_SAMPLES[0])


def bytes_in_theory(cell):
    """Activations and gradients held together."""
    activations = FLOAT * DEPTH * cell.width
    gradient = FLOAT * DEPTH * (cell.width**2 + cell.width)
    return {
        LOOP: activations + gradient,
        BATCH: cell.samples * activations + gradient,
        STACKED: activations + cell.samples * gradient,
    }[cell.strategy]


def at(strategy, **more):
    """The cells of a strategy at the number of examples, or at the width, that is shown."""
    return {"strategy": strategy} | (more or {"samples": SHOWN_SAMPLES})


def widest(strategy):
    """The cells of a strategy with the widest layers."""
    return at(strategy, width=max(WIDTHS))


# Sums run over the units of a layer, or the pixels, and over the examples.
LONGEST = max(PIXELS, *WIDTHS) * max(SAMPLES)

EXPERIMENT = Experiment(
    claim="C30",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C30.sum",
            "The gradient of the summed loss is the sum of the gradients of the examples.",
            every(
                Identity("sum_error", terms=LONGEST),
                Identity("sum_error_on_images", terms=LONGEST),
            ),
            kind="as stated",
            formula=r"\nabla\mathcal{L} = \sum_{n=1}^N \nabla\mathcal{L}_n",
            mutants=(Mutant("their mean", {"metric": "mean_error"}),),
        ),
        Hypothesis(
            "C30.time_as_stated",
            "The operations of an update grow as the third power of the width.",
            # The exponents in question are 2 and 3: within half a unit is nearer to 3.
            Slope("flops", "width", 3.0, 0.5, where=at(BATCH)),
            kind="as stated",
            formula=r"O(N L D^3)",
        ),
        Hypothesis(
            "C30.space_as_stated",
            "However the sum is made, every further example takes memory that grows as the second "
            "power of the width.",
            # The exponents in question are 1 and 2: within half a unit is nearer to 2.
            every(
                Slope("bytes_per_example", "width", 2.0, 0.5, where=at(STACKED)),
                Slope("bytes_per_example", "width", 2.0, 0.5, where=at(BATCH)),
            ),
            kind="as stated",
            formula=r"O(N L D^2)",
        ),
        Hypothesis(
            "C30.single",
            "The space of one gradient grows as the second power of the width, like the weights.",
            Slope("bytes", "width", 2.0, WITH_BIASES, where=at(LOOP)),
            kind="as stated",
            formula=r"O(L D^2)",
            mutants=(
                Mutant("activations alone", {"metric": "bytes_per_example", "where": at(BATCH)}),
            ),
        ),
        Hypothesis(
            "C30.time",
            "The operations of an update grow as the second power of the width and with the "
            "number of examples, whichever way the sum is made.",
            every(
                *(Slope("flops", "width", 2.0, EXACTLY, where=at(s)) for s in STRATEGIES),
                *(
                    Slope("flops", "samples", 1.0, EXACTLY, where=at(s, width=SHOWN_WIDTH))
                    for s in STRATEGIES
                ),
            ),
            formula=r"O(N L D^2)",
            mutants=(Mutant("Jacobians multiplied first", {"metric": "flops_of_jacobians"}),),
        ),
        Hypothesis(
            "C30.loop",
            "Added one after another, a further example takes no memory for its activations, let "
            "alone for its gradient.",
            # In units of the activations, 8 L D bytes: nearer to none of them than to all. What
            # the interpreter keeps for itself is least beside the widest.
            AtMost("share_per_example", 0.5, where=widest(LOOP)),
            formula=r"O(L D^2 + L D)",
            mutants=(
                Mutant(BATCH, {"where": widest(BATCH)}),
                Mutant(STACKED, {"where": widest(STACKED)}),
            ),
        ),
        Hypothesis(
            "C30.batch",
            "All at once, a further example takes memory in proportion to the width, as its "
            "activations do.",
            # Exponents 0, 1 and 2 are in question: within half a unit is nearest to 1.
            Slope("bytes_per_example", "width", 1.0, 0.5, where=at(BATCH)),
            formula=r"O(L D^2 + N L D)",
            mutants=(Mutant(STACKED, {"where": at(STACKED)}),),
        ),
        Hypothesis(
            "C30.stacked",
            "Only gradients kept for each example take memory that grows as the second power.",
            Slope("bytes_per_example", "width", 2.0, 0.5, where=at(STACKED)),
            formula=r"O(N L D^2)",
            mutants=(Mutant(BATCH, {"where": at(BATCH)}),),
        ),
    ),
    factors={"strategy": STRATEGIES, "samples": SAMPLES, "width": WIDTHS},
    # 20 random states for the identity; counts and bytes are the same in all of them.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "sum_error": Metric("deviation of the summed gradient, relative", "1", "lower"),
        "sum_error_on_images": Metric("the same on handwritten digits", "1", "lower"),
        "mean_error": Metric("deviation of the mean from the sum, relative", "1"),
        "flops": Metric("operations of one update", "flop", "lower"),
        "flops_theory": Metric("operations of one update in theory", "flop"),
        "flops_of_jacobians": Metric("backward operations, Jacobians multiplied first", "flop"),
        "bytes": Metric("largest size of the arrays held together", "byte", "lower"),
        "bytes_theory": Metric("the same in theory", "byte"),
        "bytes_per_example": Metric("bytes allocated for one further example", "byte", "lower"),
        "share_per_example": Metric("the same over those of its activations", "1", "lower"),
    },
    figure=(
        Lines(
            x="samples",
            y="bytes",
            by="strategy",
            where={"width": SHOWN_WIDTH},
            theory="bytes_theory",
            log="xy",
            x_label="examples N",
            y_label="bytes of the arrays held",
            title="A sum needs no memory for its terms",
        ),
        Lines(
            x="width",
            y="bytes_per_example",
            by="strategy",
            where={"samples": SHOWN_SAMPLES},
            log="xy",
            x_label="width D",
            y_label="bytes allocated for a further example",
            title="What one more example takes: next to nothing, activations, or a gradient",
        ),
        Lines(
            x="width",
            y="flops",
            by="samples",
            where={"strategy": BATCH},
            theory="flops_theory",
            log="xy",
            x_label="width D",
            y_label="operations of one update",
            title="Time is quadratic in the width and linear in the examples",
        ),
    ),
    measure=measure,
    finding="The gradient is the sum over examples; it costs D² a layer and example, and memory "
    "for the terms only if all their gradients are kept.",
    stated=r"\text{time } O(N L D^3), \quad \text{space } O(N L D^2)",
    corrected=r"\text{time } O(N L D^2), \quad \text{space } O(L D^2 + L D) "
    r"\text{ to } O(L D^2 + N L D)",
    components=(
        "suite.autodiff.gradients",
        "suite.autodiff.stored_activations",
        "suite.autodiff.Counter",
    ),
    limits="The memory of a further example is what Python's allocator reports, with products, "
    "sums and deltas that the sweep holds for a while. The total is counted from activations and "
    "gradients alone, sums being made in place.",
)
