"""Going back through a layer, the variance of the gradient is multiplied by fan-out times tau^2.

Lecture section "Exploding and vanishing gradients", claim C40. With `z_{l+1} = W_l z_l`, W_l of
shape `(n_{l+1}, n_l)`, backpropagation multiplies by the transpose, a sum over n_{l+1} terms:

    dL/dz_l = W_l^T dL/dz_{l+1}        V[dL/dz_l] = n_{l+1} tau_l^2 V[dL/dz_{l+1}]

The slide has the two variances exchanged, as if the gradient were sent forward. Square layers with
`n tau^2 = 1` hide the mistake. Its condition `n_{l+1} tau_l^2 = 1` is right, for 1/1 = 1.

For Gaussian weights a layer multiplies the mean square by `n_{l+1} tau^2 chi^2_n / n` with
`n = n_l`, independently of the gradient that arrives, so the logarithm's mean over many layers is
known exactly (claim C39, in the other direction).
"""

import math

import numpy as np

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.experiments.exploding_and_vanishing.variance_with_depth import drift, kernels
from benchmarks.verdicts import Agreement

WIDTHS = {
    "widening": (12, 24, 48, 96, 192),
    "narrowing": (192, 96, 48, 24, 12),
    "square": (48,) * 5,
}
LAYER = 1  # the layer whose factor is looked at by itself, from the second width to the third
FAN_IN, FAN_OUT = "1 / fan-in", "1 / fan-out"


def variances(cell):
    """`tau^2` of each layer."""
    widths = WIDTHS[cell.widths]
    return 1 / np.array(widths[:-1] if cell.variance == FAN_IN else widths[1:], float)


def mean_squares(widths, tau_squared, seed):
    """Mean square of the signal and of the gradient at each of the `z_l`, two of (layers + 1,)."""
    from suite.autodiff import backward, constant, parameter
    from suite.training.streams import streams

    rng = np.random.default_rng(streams(int(seed))["data"])
    # Non-zero means: it is second moments that the recursion is about.
    nodes = [parameter(rng.normal(1.5, 0.5, (1, widths[0])), "z0")]
    arriving = rng.normal(-1.0, 0.5, (1, widths[-1]))
    scales = tuple(tau_squared * widths[:-1])
    for weights in kernels(widths, scales, seed):
        nodes.append(nodes[-1] @ constant(weights))
    swept = {id(step.node): step.delta for step in backward(nodes[-1], arriving)}
    forward = [np.mean(node.value**2) for node in nodes]
    return np.array(forward), np.array([np.mean(swept[id(node)] ** 2) for node in nodes])


def measure(cell, seeds):
    """Signals forward and gradients backward through a new linear network for each seed."""
    widths, tau_squared = WIDTHS[cell.widths], variances(cell)
    fan_in, fan_out = np.array(widths[:-1], float), np.array(widths[1:], float)
    both = np.array([mean_squares(widths, tau_squared, seed) for seed in seeds])
    forward, backward = both[:, 0], both[:, 1]

    ratio = backward[:, LAYER] / backward[:, LAYER + 1]
    law = fan_out * tau_squared
    log_law = np.log(law) + np.array([drift(n) for n in widths[:-1]])
    to_the_end = np.append(np.cumsum(log_law[::-1])[::-1], 0.0)
    slide = np.append(np.cumsum(-np.log(law)[::-1])[::-1], 0.0)
    typical_forward = np.log(fan_in * tau_squared) + np.array([drift(n) for n in widths[1:]])
    decades = 1 / math.log(10)

    def every(value):
        return np.full(len(seeds), float(value))

    return Measurements(
        metrics={
            "backward_factor": ratio,
            "law": every(law[LAYER]),
            "fan_in_law": every(fan_in[LAYER] * tau_squared[LAYER]),
            "inverse_law": every(1 / law[LAYER]),
            # The slide: V_{l+1} = n_{l+1} tau^2 V_l. Its right side over its left is to be one.
            "slide_sides": law[LAYER] * ratio,
            "one": every(1),
            "log_ratio": np.log(backward[:, 0] / backward[:, -1]),
            "log_law": every(to_the_end[0]),
            "slide_log_law": every(slide[0]),
        },
        curves={
            "backward": decades * np.log(backward / backward[:, -1:]),
            "forward": decades * np.log(forward / forward[:, :1]),
        },
        theory={
            "backward": decades * to_the_end,
            "forward": decades * np.append(0.0, np.cumsum(typical_forward)),
        },
        slide={"backward": decades * slide},
    )


EXPERIMENT = Experiment(
    claim="C40",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C40.slide",
            "The variance of the gradient behind a layer is fan-out times τ² that before it.",
            Agreement(
                "slide_sides",
                "one",
                where={"variance": FAN_IN, "widths": ("widening", "narrowing")},
            ),
            kind="as stated",
            formula=r"\mathrm{V}[\partial\mathcal{L}/\partial z_{\ell+1}] \simeq "
            r"n_{\ell+1}\tau_\ell^2\, \mathrm{V}[\partial\mathcal{L}/\partial z_\ell]",
        ),
        Hypothesis(
            "C40.condition",
            "With fan-out times τ² equal to one the gradient's variance is kept in every shape.",
            Agreement("backward_factor", "one", where={"variance": FAN_OUT}),
            kind="as stated",
            formula=r"n_{\ell+1}\tau_\ell^2 = 1",
            mutants=(
                Mutant("one over fan-in", {"where": {"variance": FAN_IN, "widths": "widening"}}),
            ),
        ),
        Hypothesis(
            "C40.layer",
            "The variance of the gradient before a layer is fan-out times τ² that behind it.",
            Agreement("backward_factor", "law"),
            formula=r"\mathrm{V}[\partial\mathcal{L}/\partial z_\ell] = "
            r"n_{\ell+1}\tau_\ell^2\, \mathrm{V}[\partial\mathcal{L}/\partial z_{\ell+1}]",
            mutants=(
                Mutant("the slide's direction", {"expected": "inverse_law"}),
                Mutant("fan-in for fan-out", {"expected": "fan_in_law"}),
            ),
        ),
        Hypothesis(
            "C40.square",
            "In square layers with n τ² = 1 the slide's form holds as well: they cannot tell.",
            Agreement("slide_sides", "one", where={"widths": "square"}),
            mutants=(
                Mutant(
                    "a network that widens", {"where": {"widths": "widening", "variance": FAN_IN}}
                ),
            ),
        ),
        Hypothesis(
            "C40.depth",
            "Over all layers the logarithm of the gradient's mean square changes, on average over "
            "networks, by the sum of log mτ² + ψ(n/2) − log(n/2), n being fan-in and m fan-out.",
            Agreement("log_ratio", "log_law"),
            formula=r"\mathbb{E}\log\frac{\overline{g_0^2}}{\overline{g_L^2}} = \sum_\ell "
            r"\left[\log n_{\ell+1}\tau_\ell^2 + \psi(\tfrac{n_\ell}2) - "
            r"\log\tfrac{n_\ell}2\right]",
            mutants=(
                Mutant(
                    "the slide's recursion",
                    {
                        "expected": "slide_log_law",
                        "where": {"variance": FAN_IN, "widths": ("widening", "narrowing")},
                    },
                ),
            ),
        ),
    ),
    factors={"widths": tuple(WIDTHS), "variance": (FAN_IN, FAN_OUT)},
    # (4 sd / delta)^2: a factor of relative sd sqrt(2 / 24) at most, against rivals off by a
    # factor of 2 or more, asks for 4 sd / 0.25 squared = 22; the log's sd of 0.6 for fewer.
    seeds=100,
    paired=("initial weights", "data"),
    metrics={
        "backward_factor": Metric("variance of gradient, before over behind the layer", "1"),
        "law": Metric("fan-out times τ²", "1"),
        "fan_in_law": Metric("fan-in times τ²", "1"),
        "inverse_law": Metric("one over fan-out times τ², the slide's", "1"),
        "slide_sides": Metric("right side of the slide's equation over its left", "1"),
        "one": Metric("one", "1"),
        "log_ratio": Metric("log of mean square of gradient, input over output", "nat"),
        "log_law": Metric("its mean, exactly", "nat"),
        "slide_log_law": Metric("its mean by the slide's recursion", "nat"),
    },
    figure=(
        Curves(
            y="backward",
            by="widths",
            center="mean",
            # The slide's line for one of two mirrored shapes would lie on the other's theory.
            where={"variance": FAN_IN, "widths": ("widening", "square")},
            x_label="layer",
            y_label="variance of gradient over the last's (decades)",
            title="Fan-in scaling: gradients grow backward where the network widens",
        ),
        Curves(
            y="forward",
            by="widths",
            center="mean",
            where={"variance": FAN_IN},
            x_label="layer",
            y_label="variance over the input's (decades)",
            title="The same networks forward: signals keep their size in every shape",
        ),
        Curves(
            y="backward",
            by="widths",
            center="mean",
            where={"variance": FAN_OUT},
            x_label="layer",
            y_label="variance of gradient over the last's (decades)",
            title="Fan-out scaling: gradients keep their size in every shape",
        ),
    ),
    finding=(
        "The variance of gradients is multiplied by fan-out times τ² on the way back through a "
        "layer; the slide has before and behind exchanged. Its condition for keeping them, that "
        "the factor is one, is right."
    ),
    stated=r"\mathrm{V}[\partial\mathcal{L}/\partial z_{\ell+1}] \simeq "
    r"n_{\ell+1}\tau_\ell^2\, \mathrm{V}[\partial\mathcal{L}/\partial z_\ell]",
    corrected=r"\mathrm{V}[\partial\mathcal{L}/\partial z_\ell] \simeq "
    r"n_{\ell+1}\tau_\ell^2\, \mathrm{V}[\partial\mathcal{L}/\partial z_{\ell+1}]",
    components=("suite.autodiff.backward", "suite.initializers.VarianceScaling"),
    limits=(
        "Linear layers, with weights independent of the gradient that arrives. In a network with "
        "activations the same weights made the signal, and the slopes f′ multiply the factor."
    ),
    measure=measure,
)
