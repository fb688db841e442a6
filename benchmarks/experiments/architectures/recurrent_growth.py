"""Recurrence explodes or vanishes, and what decides is the radius of one matrix, used again.

Lecture section "Sequences", claim C66. Without an activation the gradient t steps back is

    dL/dh_{T-t} = (W^T)^t dL/dh_T        |(W^T)^t v| ~ rho^t        rho = max |eigenvalue of W|

while a feed-forward network, with a fresh matrix of independent entries in each layer, grows as
(n tau^2)^(t/2). Two matrices of the same n tau^2 may have different radii: that of a symmetric one
is nearly twice as large as that of one with independent entries, for orthogonal ones it is 1.

How far the law holds after finitely many steps is a theorem too: the slope of the logarithm over L
steps is off log rho by no more than the eigenvectors allow, 1.5 / L times the E of
`_matrix_growth`. That E can be large is the transient of matrices whose eigenvectors are nearly
parallel: they grow for a while even where rho < 1.
"""

import math

import numpy as np

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.experiments.architectures._matrix_growth import (
    FIRST,
    FRESH,
    GAUSSIAN,
    LAST,
    MATRICES,
    NON_NORMAL,
    ORTHOGONAL,
    POWERS,
    RADII,
    SYMMETRIC,
    UNIT_VARIANCE,
    UNITS,
    drawn,
    expected_size,
    factors_of,
    longest_transient,
    powers,
    size,
    spectral_radius,
    tied,
    typical_log,
    untied,
)
from benchmarks.experiments.architectures._recurrent_gradients import LAGS, seen
from benchmarks.verdicts import Agreement, AtMost, Identity, Within, every

SCALES = (UNIT_VARIANCE, *RADII)


def measure(cell, seeds):
    """Growth of one kind of matrix at one scale, in decades and nats, one value a seed."""
    matrix, scale, key = cell.matrix, cell.scale, tuple(int(seed) for seed in seeds)
    shift = np.log(factors_of(matrix, scale, key))
    w = drawn(matrix, key)[0]
    log_radius = np.log(spectral_radius(w)) + shift
    feed_forward = np.log(size(w)) + shift  # log sqrt(n tau^2)

    steps = np.arange(LAST + 1)
    logs = tied(matrix, key) + steps * shift[:, None]
    window = slice(FIRST, LAST + 1)
    rate = np.polyfit(steps[window], logs[:, window].T, 1)[0]
    bound = 1.5 * longest_transient(matrix, key) / (LAST - FIRST)

    fresh = untied(matrix, key) + np.arange(FRESH + 1) * shift[:, None]
    law = typical_log(matrix)
    # Where fresh matrices have no law of their own, the orthogonal ones' is exact: the size.
    law = feed_forward if law is None else law + shift
    average = np.log(expected_size(matrix, key)) + shift
    metrics, gradients = seen(matrix, scale, key)
    decade = 1 / math.log(10)
    rho = RADII.get(scale)
    return Measurements(
        metrics={
            "rate": rate,
            "feed_forward_rate": feed_forward,
            "rate_error": np.abs(rate - log_radius) / bound,
            "feed_forward_error": np.abs(feed_forward - log_radius) / bound,
            "drift": np.abs(logs).max(axis=1),
            "peak": (powers(matrix, key) + np.arange(1, POWERS + 1) * shift[:, None]).max(axis=1),
            "log_radius": log_radius,
            "untied": fresh[:, -1],
            "untied_law": FRESH * law,
            "average_law": FRESH * average,
            "radius_law": FRESH * log_radius,
            **metrics,
        },
        curves={
            "tied": decade * logs[:, : FRESH + 1 : 2],
            "untied": decade * fresh[:, ::2],
            **{name: decade * values for name, values in gradients.items()},
        },
        axes={"tied": np.arange(0.0, FRESH + 1, 2), "untied": np.arange(0.0, FRESH + 1, 2)},
        theory={} if rho is None else {"gradient": decade * np.arange(LAGS) * math.log(rho)},
    )


def at(rho, matrix=GAUSSIAN):
    """The cell of a radius and a kind of matrix."""
    return {"scale": f"ρ = {rho:g}", "matrix": matrix}


VANISHES = [Within("rate", None, 0, where=at(0.8, matrix)) for matrix in MATRICES]
EXPLODES = [Within("rate", 0, None, where=at(1.2, matrix)) for matrix in MATRICES]

EXPERIMENT = Experiment(
    claim="C66",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C66.both",
            "Over many steps the gradient of a linear recurrent network vanishes at ρ = 0.8 and "
            "explodes at ρ = 1.2, whatever the kind of matrix.",
            every(*VANISHES, *EXPLODES),
            kind="as stated",
            formula=r"\frac{\partial \mathcal{L}}{\partial h_{T-t}} "
            r"= (W^\top)^t \frac{\partial \mathcal{L}}{\partial h_T}",
            mutants=(
                Mutant(
                    "as n τ² says, for layers that are not tied", {"metric": "feed_forward_rate"}
                ),
            ),
        ),
        Hypothesis(
            "C66.radius",
            "Its growth a step is the spectral radius: the slope of the logarithm lies as close "
            "to log ρ as the eigenvectors ensure.",
            AtMost("rate_error", 1.0),
            formula=r"\left|\text{slope} - \log \rho\right| \le \frac{3}{2 L} "
            r"\log \frac{\kappa(V)\, \lVert a \rVert}{|a_1|}",
            mutants=(
                Mutant("(n τ²)ᵗ, as in a feed-forward network", {"metric": "feed_forward_error"}),
            ),
        ),
        Hypothesis(
            "C66.untied",
            "With fresh weights in every layer, and no direction special among them, it is n τ² "
            "that counts: the logarithm has the mean of a product of independent factors.",
            Agreement("untied", "untied_law", where={"matrix": (GAUSSIAN, SYMMETRIC)}),
            formula=r"\mathbb{E} \log \lVert W_t \cdots W_1 v \rVert "
            r"= t\, \mathbb{E} \log \lVert W_1 v \rVert",
            mutants=(
                Mutant("the average as the typical growth", {"expected": "average_law"}),
                Mutant("ρᵗ, as for tied weights", {"expected": "radius_law"}),
            ),
        ),
        Hypothesis(
            "C66.orthogonal",
            "An orthogonal matrix keeps every length, step after step.",
            # A length is a sum over the units, and its rounding adds up over the steps.
            Identity("drift", terms=UNITS * LAST, where=at(1, ORTHOGONAL)),
            formula=r"\lVert W^t v \rVert = \lVert v \rVert",
            mutants=(
                Mutant("another matrix of radius 1", {"where": at(1, GAUSSIAN)}),
                Mutant(
                    "n τ² = 1 is enough",
                    {"where": {"scale": UNIT_VARIANCE, "matrix": GAUSSIAN}},
                ),
            ),
        ),
        Hypothesis(
            "C66.transient",
            "A radius below one says where it ends: matrices that are not normal grow at first.",
            Within("peak", 0, None, where=at(0.95, NON_NORMAL)),
            formula=r"\max_t \lVert W^t \rVert > 1 \text{ with } \rho < 1",
            mutants=(
                Mutant("symmetric ones too", {"where": at(0.95, SYMMETRIC)}),
                Mutant("no more than ρᵗ", {"metric": "log_radius"}),
            ),
        ),
        Hypothesis(
            "C66.bounded",
            "With tanh no activation explodes: each is at most one.",
            AtMost("largest_tanh_state", 1.0),
            formula=r"|h_t| \le 1",
            mutants=(Mutant("without tanh too", {"metric": "largest_linear_state"}),),
        ),
        Hypothesis(
            "C66.tanh_gradient",
            "The gradient can explode all the same: near rest, where tanh has slope one, it grows "
            "from step to step at ρ = 1.2.",
            Within("tanh_rate", 0, None, where=at(1.2)),
            mutants=(Mutant("at ρ = 0.8 too", {"where": at(0.8)}),),
        ),
        Hypothesis(
            "C66.layer",
            "The layer's gradient at every lag is that power of the matrix.",
            # Each step adds a sum over the units, and errors grow no faster than the product.
            Identity("layer_error", terms=UNITS * LAGS),
            mutants=(Mutant("W in place of its transpose", {"metric": "layer_transposed"}),),
        ),
        Hypothesis(
            "C66.clip_length",
            "Clipping bounds the norm over all weights, and leaves shorter gradients alone.",
            Identity("length_error", terms=UNITS * (2 * UNITS + 1)),
            formula=r"\lVert \mathrm{clip}(g) \rVert = \min(\lVert g \rVert, c)",
            mutants=(
                Mutant("no clipping", {"metric": "unclipped_error"}),
                Mutant("always of length c", {"metric": "always_error"}),
            ),
        ),
        Hypothesis(
            "C66.clip_direction",
            "It keeps the direction.",
            Identity("turned_together", terms=UNITS * (2 * UNITS + 1)),
            formula=r"\mathrm{clip}(g) \parallel g",
            mutants=(
                Mutant("each weight's norm on its own", {"metric": "turned_each_weight"}),
                Mutant("each entry on its own", {"metric": "turned_each_entry"}),
            ),
        ),
    ),
    factors={"matrix": MATRICES, "scale": SCALES},
    # The average against the typical growth asks for most: after 100 layers of 16 units they are
    # 100 / (2 n) = 3.1 nat apart, and the logarithm has a standard deviation of sqrt(100 / 2 n) =
    # 1.8 nat: (4 * 1.8 / 1.56)^2 = 21 networks.
    seeds=30,
    paired=("initial weights", "data"),
    metrics={
        "rate": Metric("growth of the gradient's logarithm, lags 100 to 500", "nat/step"),
        "feed_forward_rate": Metric("log √(n τ²)", "nat/step"),
        "rate_error": Metric("distance of the rate from log ρ, over its bound", "1", "lower"),
        "feed_forward_error": Metric("distance of log √(n τ²) from it, over the bound", "1"),
        "drift": Metric("largest |log| of the gradient's norm", "nat"),
        "peak": Metric("log of the largest norm of a power of W", "nat"),
        "log_radius": Metric("log ρ", "nat"),
        "untied": Metric("log of the norm after 100 fresh matrices", "nat"),
        "untied_law": Metric("its mean", "nat"),
        "average_law": Metric("log of the root of its mean square", "nat"),
        "radius_law": Metric("100 log ρ", "nat"),
        "layer_error": Metric("the layer's gradient against powers of W", "1", "lower"),
        "layer_transposed": Metric("the same, W not transposed", "1"),
        "largest_tanh_state": Metric("largest activation with tanh", "1"),
        "largest_linear_state": Metric("the same without", "1"),
        "tanh_rate": Metric("growth of a tanh network's gradient, lags 20 to 60", "nat/step"),
        "norm": Metric("norm of the gradient by the weights", "1"),
        "length_error": Metric("norm after clipping against min(norm, 10)", "1", "lower"),
        "unclipped_error": Metric("the same without clipping", "1"),
        "always_error": Metric("the same of a gradient scaled to 10", "1"),
        "turned_together": Metric("direction after clipping, off the gradient's", "1", "lower"),
        "turned_each_weight": Metric("the same, each weight clipped on its own", "1"),
        "turned_each_entry": Metric("the same, each entry clipped on its own", "1"),
    },
    figure=(
        Curves(
            y="gradient",
            by="scale",
            where={"matrix": GAUSSIAN, "scale": tuple(RADII)[:5]},
            x_label="lag (steps back)",
            y_label="norm of the gradient (decades)",
            title="The radius sets the slope",
        ),
        Curves(
            y="tied",
            by="matrix",
            where={"scale": UNIT_VARIANCE},
            x_label="steps",
            y_label="norm after them (decades)",
            title="One matrix again and again, n τ² = 1",
        ),
        Curves(
            y="untied",
            by="matrix",
            where={"scale": UNIT_VARIANCE},
            x_label="steps",
            y_label="norm after them (decades)",
            title="A fresh matrix in each step, n τ² = 1",
        ),
        Curves(
            y="tanh_gradient",
            by="scale",
            where={"matrix": GAUSSIAN, "scale": ("ρ = 0.8", "ρ = 1.2", "ρ = 3")},
            x_label="lag (steps back)",
            y_label="norm of the gradient (decades)",
            title="With tanh: activations within ±1, gradients not",
        ),
    ),
    measure=measure,
    finding="The slide is right, and the mechanism is another than with depth: the same matrix is "
    "used at every step, so that its spectral radius decides and not n τ². tanh bounds the "
    "activations, not the gradients; clipping bounds those and keeps their direction.",
    stated=r"\text{unrolled networks explode or vanish}",
    corrected=r"\lVert (W^\top)^t v \rVert \sim \rho^t, \quad "
    r"\text{not } (n\tau^2)^{t/2}",
    components=("suite.layers.SimpleRNN", "suite.optimizers.SGD"),
    limits="Squared norms of tied products have tails so heavy that their mean over networks rests "
    "on a few, which is why logarithms and medians are shown. 16 units; the laws are those of "
    "linear networks, to which tanh adds slopes below one that depend on the input. That gradients "
    "explode although states cannot is judged near rest, a choice made after a first look: far "
    "from it the rate is chaotic and too uncertain for a verdict.",
)
