"""A gradient costs two forward passes more, whatever the number of weights.

Lecture section "Gradients of deep networks", claim C28. The slide gives `L D^3` for
backpropagation through `L` layers of width `D`. Counted on the graph of a perceptron, for `B`
examples:

    forward      L B D^2                 one product a layer
    backward     2 L B D^2 - B D^2       two a layer: by its weights and by its input; not by x

so that the ratio is exactly `2 - 1 / L`, an instance of the cheap-gradient principle: a gradient
costs a small multiple of the value. `D^3` is right for as many examples as units, `B = D`, or for
as many outputs, each of which takes a sweep of its own. Counted are operations, not seconds:
caches and threads change the slope of a timing, and a timing then tells about them.
"""

import numpy as np

from benchmarks.experiment import Experiment, Hypothesis, Lines, Measurements, Metric, Mutant
from benchmarks.verdicts import AtMost, Slope

ONE, SQUARE, ALL = "one example", "as many examples as units", "as many outputs as units"
WIDTHS, DEPTHS = (8, 16, 32, 64), (2, 4, 8)
SHOWN_DEPTH = 4
# Counts are exact powers: nothing but the rounding of logarithms.
EXACTLY = 1e-9


def network(depth, width, batch, seed):
    """Input `(batch, width)`, target of the same shape, and the leaves of all layers."""
    from suite.autodiff import parameter

    rng = np.random.default_rng([int(seed), depth, width])
    kernels = [
        parameter(rng.normal(0, width**-0.5, (width, width)), f"kernel{layer}")
        for layer in range(1, depth + 1)
    ]
    biases = [parameter(rng.normal(size=width), f"bias{layer}") for layer in range(1, depth + 1)]
    return rng.normal(0.5, 1, (batch, width)), rng.normal(size=(batch, width)), kernels, biases


def counted(depth, width, task, seed):
    """The counters of the forward and of the backward pass."""
    from suite.autodiff import (
        Counter,
        backward,
        constant,
        gradients,
        multilayer_perceptron,
        squared_error,
    )

    batch = width if task == SQUARE else 1
    x, target, kernels, biases = network(depth, width, batch, seed)
    with Counter() as forward:
        output = multilayer_perceptron(constant(x), kernels, biases)[-1]
        loss = squared_error(output, target)
    with Counter() as back:
        if task == ALL:  # the gradient of each entry of the output, one sweep each
            for unit in np.eye(width):
                list(backward(output, unit[None]))
        else:
            gradients(loss, [*kernels, *biases])
    return forward, back


def multiplications_in_theory(depth, width, task):
    """Forward and backward multiplications inside products."""
    batch = width if task == SQUARE else 1
    sweeps = width if task == ALL else 1
    return depth * batch * width**2, sweeps * batch * (2 * depth - 1) * width**2


def measure(cell, seeds):
    """Counts of both passes, and their deviation from the closed forms."""
    depth, width = cell.depth, cell.width
    names = ("forward_flops", "backward_flops", "work")
    values = {name: np.empty(len(seeds)) for name in names}
    forward_theory, back_theory = multiplications_in_theory(depth, width, cell.task)
    for i, seed in enumerate(seeds):
        forward, back = counted(depth, width, cell.task, seed)
        values["forward_flops"][i], values["backward_flops"][i] = forward.flops, back.flops
        # Slopes and entrywise products included.
        values["work"][i] = 1 + back.multiplications / forward.multiplications
    total = values["forward_flops"] + values["backward_flops"]
    theory = 2 * (forward_theory + back_theory)
    sweeps = width if cell.task == ALL else 1
    # Integers on both sides, so that 2 - 1/L is compared without a division.
    forward_part = sweeps * values["forward_flops"]
    parameters = depth * (width**2 + width)
    constant = {
        "theory_flops": theory,
        # One further forward pass for each weight, and one for the value: forward differences.
        "work_of_differences": 1 + parameters,
    }
    return Measurements(
        metrics=values
        | {name: np.full(len(seeds), float(value)) for name, value in constant.items()}
        | {
            "flops": total,
            "ratio": values["backward_flops"] / forward_part,
            "ratio_error": np.abs(
                depth * values["backward_flops"] - (2 * depth - 1) * forward_part
            ),
            "ratio_error_of_two": np.abs(
                depth * values["backward_flops"] - 2 * depth * forward_part
            ),
            "count_error": np.abs(total - theory),
            "count_error_of_cubic": np.abs(total - theory * width),
        }
    )


def one(**more):
    """The cells of one example's gradient at the depth that is shown."""
    return {"task": ONE, "depth": SHOWN_DEPTH} | more


EXPERIMENT = Experiment(
    claim="C28",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C28.stated",
            "The operations of one gradient grow as the third power of the width.",
            # The exponents in question are 2 and 3: within half a unit is nearer to 3.
            Slope("flops", "width", 3.0, 0.5, where=one()),
            kind="as stated",
            formula=r"O(L D^3)",
        ),
        Hypothesis(
            "C28.quadratic",
            "They grow as the second power, like the number of weights and the forward pass.",
            Slope("flops", "width", 2.0, EXACTLY, where=one()),
            formula=r"O(L D^2)",
            mutants=(
                Mutant("as many examples as units", {"where": one(task=SQUARE)}),
                Mutant("as many outputs as units", {"where": one(task=ALL)}),
            ),
        ),
        Hypothesis(
            "C28.cubic_batch",
            "The third power belongs to as many examples as there are units.",
            Slope("flops", "width", 3.0, EXACTLY, where=one(task=SQUARE)),
            formula=r"O(B L D^2), \quad B = D",
            mutants=(Mutant("one example", {"where": one()}),),
        ),
        Hypothesis(
            "C28.ratio",
            "A backward sweep costs 2\u00a0−\u00a01/L forward passes: two products a layer, but "
            "none for the gradient by the input.",
            # Integers below 2^53 on both sides.
            AtMost("ratio_error", 0),
            formula=r"\frac{\mathrm{backward}}{\mathrm{forward}} = 2 - \frac{1}{L}",
            mutants=(Mutant("exactly twice", {"metric": "ratio_error_of_two"}),),
        ),
        Hypothesis(
            "C28.counts",
            "Forward and backward pass of B examples take (3L\u00a0−\u00a01)\u00a0B\u00a0D² "
            "multiplications in products, and every further output its own sweep.",
            AtMost("count_error", 0),
            formula=r"(3L - 1)\, B\, D^2",
            mutants=(Mutant("D³ in place of D²", {"metric": "count_error_of_cubic"}),),
        ),
        Hypothesis(
            "C28.cheap",
            "Value and gradient of one example cost at most five times the value, all "
            "multiplications counted.",
            # Baur & Strassen 1983: at most five times, for any program of arithmetic operations.
            # The slope of tanh is counted and tanh is not: to the disadvantage of the gradient.
            AtMost("work", 5, where={"task": ONE}),
            formula=r"\mathrm{Cost}(f, \nabla f) \le 5\, \mathrm{Cost}(f)",
            mutants=(
                Mutant("forward differences, a pass a weight", {"metric": "work_of_differences"}),
            ),
        ),
    ),
    factors={"task": (ONE, SQUARE, ALL), "width": WIDTHS, "depth": DEPTHS},
    # A count does not depend on the numbers; the second draw shows that.
    seeds=2,
    metrics={
        "forward_flops": Metric("operations of the forward pass", "flop"),
        "backward_flops": Metric("operations of the backward sweep", "flop", "lower"),
        "flops": Metric("operations of both", "flop", "lower"),
        "theory_flops": Metric("operations of both in theory", "flop"),
        "ratio": Metric("backward over forward, for each output", "1", "lower"),
        "ratio_error": Metric("L times backward less (2L - 1) times forward", "flop"),
        "ratio_error_of_two": Metric("L times backward less 2L times forward", "flop"),
        "count_error": Metric("operations less those in theory", "flop"),
        "count_error_of_cubic": Metric("the same with D³ in place of D²", "flop"),
        "work": Metric("value and gradient over value, all multiplications", "1", "lower"),
        "work_of_differences": Metric("the same by forward differences", "1"),
    },
    figure=(
        Lines(
            x="width",
            y="flops",
            by="task",
            where={"depth": SHOWN_DEPTH},
            theory="theory_flops",
            log="xy",
            x_label="width D",
            y_label="operations of value and gradient",
            title="One gradient is quadratic in the width; D examples or outputs make it cubic",
        ),
        Lines(
            x="depth",
            y="ratio",
            where={"task": ONE, "width": max(WIDTHS)},
            x_label="layers L",
            y_label="backward over forward",
            title="A sweep costs 2 − 1/L forward passes",
        ),
    ),
    measure=measure,
    finding="One gradient costs less than three forward passes, so D² a layer; D³ takes as many "
    "examples or outputs as there are units.",
    stated=r"O(L D^3)",
    corrected=r"O(L D^2) \text{ for one example}, \quad O(B L D^2) \text{ for } B",
    components=(
        "suite.autodiff.backward",
        "suite.autodiff.Counter",
        "suite.autodiff.multilayer_perceptron",
    ),
    limits="Dense layers of one width. Transcendental functions are not counted, in neither pass; "
    "how long an operation takes depends on the machine and on the size of the batch.",
)
