"""Fan-in keeps signals, fan-out keeps gradients; Glorot's compromise keeps neither, and their sum.

Lecture section "Exploding and vanishing gradients", claim C41. A layer from n to m units multiplies

    the variance of signals by    n tau^2      kept if tau^2 = 1 / n
    the variance of gradients by  m tau^2      kept if tau^2 = 1 / m

With `tau^2 = 2 / (n + m)` the factors are `2n / (n + m)` and `2m / (n + m)`, which add up to two;
both are one only if n = m. Through an hourglass n - an - a^2 n - an - n their product is
`(4a / (1 + a)^2)^2 < 1`, forward and backward: what the compromise costs.

A sample variance of m independent weights has relative variance `(kurtosis - 1) / m`, so the
initializers are held to the spread that their own distribution allows.
"""

import numpy as np
from scipy import stats

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.verdicts import EPSILON, Agreement, AtMost, every

WAIST = 64  # width of the second and the fourth layer of every hourglass
SIGNALS = 8  # a seed
FAN_IN, FAN_OUT = "fan-in", "fan-out"
GLOROT = ("GlorotNormal", "GlorotUniform")
KURTOSIS = {
    "GlorotUniform": 9 / 5,
    # of a normal cut at two of its standard deviations
    "others": float(stats.truncnorm(-2, 2).stats("k")) + 3,
}


def hourglass(aspect):
    """Widths n, an, a^2 n, an, n with `an = WAIST`."""
    ends, middle = round(WAIST / aspect), round(WAIST * aspect)
    return (ends, WAIST, middle, WAIST, ends)


def variance(name, fan_in, fan_out):
    """`tau^2` by the formula."""
    return {FAN_IN: 1 / fan_in, FAN_OUT: 1 / fan_out}.get(name, 2 / (fan_in + fan_out))


def kernels(name, widths, seed):
    """The hourglass's weights, each `(fan_in, fan_out)`."""
    from suite.initializers import GlorotNormal, GlorotUniform, LecunNormal, VarianceScaling
    from suite.training.streams import integer, streams

    kinds = {
        FAN_IN: LecunNormal,
        FAN_OUT: lambda seed: VarianceScaling(mode="fan_out", seed=seed),
        "GlorotNormal": GlorotNormal,
        "GlorotUniform": GlorotUniform,
    }
    spawned = streams(int(seed))["initial weights"].spawn(len(widths) - 1)
    return [
        kinds[name](seed=integer(stream))(shape).numpy().astype(float)
        for stream, shape in zip(spawned, zip(widths[:-1], widths[1:], strict=True), strict=True)
    ]


def through(x, weights):
    """Mean square before and after each of the weights, over the first, (layers + 1,)."""
    sizes = [np.mean(x**2)]
    for w in weights:
        x = x @ w
        sizes.append(np.mean(x**2))
    return np.array(sizes) / sizes[0]


def measure(cell, seeds):
    """Signals and gradients through a new hourglass for each seed."""
    from suite.training.streams import streams

    name, widths = cell.initializer, hourglass(cell.aspect)
    shapes = list(zip(widths[:-1], widths[1:], strict=True))
    fan_in, fan_out = np.array(shapes, float).T
    tau_squared = np.array([variance(name, *shape) for shape in shapes])
    kurtosis = KURTOSIS.get(name, KURTOSIS["others"])
    limit = np.sqrt(6 / (fan_in + fan_out))

    forward, backward = np.empty((2, len(seeds), len(widths)))
    weight_sum, largest, deviation = np.empty((3, len(seeds)))
    for i, seed in enumerate(seeds):
        rng = np.random.default_rng(streams(int(seed))["data"])
        weights = kernels(name, widths, seed)
        forward[i] = through(rng.normal(1.0, 1.0, (SIGNALS, widths[0])), weights)
        arriving = rng.normal(-1.0, 1.0, (SIGNALS, widths[-1]))
        backward[i] = through(arriving, [w.T for w in weights[::-1]])[::-1]
        squares = np.array([np.mean(w**2) for w in weights])
        weight_sum[i] = sum(shapes[0]) * squares[0]
        largest[i] = np.max([np.abs(w).max() for w in weights] / limit)
        standard = np.sqrt((kurtosis - 1) / (fan_in * fan_out))
        deviation[i] = np.mean(((squares / tau_squared - 1) / standard) ** 2)

    def all_seeds(value):
        return np.full(len(seeds), float(value))

    def decades(sizes):
        return np.log10(sizes)

    forward_law = np.append(1.0, np.cumprod(fan_in * tau_squared))
    backward_law = np.append(np.cumprod((fan_out * tau_squared)[::-1])[::-1], 1.0)
    return Measurements(
        metrics={
            "forward": forward[:, 1],
            # The first layer by itself: everything behind it divided out.
            "backward": backward[:, 0] / backward[:, 1],
            "forward_law": all_seeds(forward_law[1]),
            "backward_law": all_seeds(fan_out[0] * tau_squared[0]),
            "sum": weight_sum,
            "one": all_seeds(1),
            "two": all_seeds(2),
            "through_forward": forward[:, -1],
            "through_backward": backward[:, 0],
            "through_law": all_seeds(forward_law[-1]),
            "largest": largest,
            "deviation": deviation,
            "deviation_as_normal": deviation * (kurtosis - 1) / 2,
        },
        curves={"forward": decades(forward), "backward": decades(backward)},
        theory={"forward": decades(forward_law), "backward": decades(backward_law)},
    )


EXPERIMENT = Experiment(
    claim="C41",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C41.signals",
            "With τ² = 1 over fan-in a layer of any shape keeps the variance of signals.",
            Agreement("forward", "one", where={"initializer": FAN_IN}),
            kind="as stated",
            formula=r"n_\ell \tau_\ell^2 = 1",
            mutants=(Mutant("one over fan-out", {"where": {"initializer": FAN_OUT}}),),
        ),
        Hypothesis(
            "C41.gradients",
            "With τ² = 1 over fan-out a layer of any shape keeps the variance of gradients.",
            Agreement("backward", "one", where={"initializer": FAN_OUT}),
            kind="as stated",
            formula=r"n_{\ell+1} \tau_\ell^2 = 1",
            mutants=(Mutant("one over fan-in", {"where": {"initializer": FAN_IN}}),),
        ),
        Hypothesis(
            "C41.compromise",
            "With Glorot's τ² the two factors add up to two, whatever the shape.",
            Agreement("sum", "two", where={"initializer": GLOROT}),
            kind="as stated",
            formula=r"\tau_\ell^2 = \frac{2}{n_\ell + n_{\ell+1}}",
            mutants=(Mutant("one over fan-in", {"where": {"initializer": FAN_IN}}),),
        ),
        Hypothesis(
            "C41.neither",
            "With Glorot's τ² signals are multiplied by 2n/(n+m) and gradients by 2m/(n+m): both "
            "are kept in square layers only.",
            every(
                Agreement("forward", "forward_law", where={"initializer": GLOROT}),
                Agreement("backward", "backward_law", where={"initializer": GLOROT}),
            ),
            formula=r"\frac{2n_\ell}{n_\ell + n_{\ell+1}} + "
            r"\frac{2n_{\ell+1}}{n_\ell + n_{\ell+1}} = 2",
            mutants=(Mutant("both kept", {"expected": "one"}),),
        ),
        Hypothesis(
            "C41.hourglass",
            "Through an hourglass Glorot's factors multiply to (4a/(1+a)²)² in both directions.",
            every(
                *(
                    Agreement(
                        f"through_{way}",
                        "through_law",
                        where={"initializer": GLOROT, "aspect": (0.5, 1.0, 2.0)},
                    )
                    for way in ("forward", "backward")
                )
            ),
            formula=r"\prod_\ell \frac{2 n_\ell}{n_\ell + n_{\ell+1}} = "
            r"\left(\frac{4a}{(1+a)^2}\right)^2",
            mutants=(Mutant("both kept", {"expected": "one"}),),
        ),
        Hypothesis(
            "C41.spread",
            "The sample variance of the weights strays from τ² as much as their kurtosis κ allows.",
            Agreement("deviation", "one"),
            formula=r"\mathbb{E}\left(\frac{\hat v}{\tau^2} - 1\right)^2 = \frac{\kappa - 1}{m}",
            mutants=(
                Mutant(
                    "kurtosis of a normal for a uniform",
                    {"metric": "deviation_as_normal", "where": {"initializer": "GlorotUniform"}},
                ),
            ),
        ),
        Hypothesis(
            "C41.limit",
            "Glorot's uniform weights lie within ±√(6/(n+m)).",
            # One unit in the last place of float32, in which the limit itself is rounded.
            AtMost("largest", 1 + EPSILON["float32"], where={"initializer": "GlorotUniform"}),
            formula=r"|w| \le \sqrt{6 / (n_\ell + n_{\ell+1})}",
            mutants=(Mutant("normal weights", {"where": {"initializer": "GlorotNormal"}}),),
        ),
    ),
    factors={
        "initializer": (FAN_IN, FAN_OUT, *GLOROT),
        "aspect": (0.25, 0.5, 1.0, 2.0, 4.0),
    },
    # (4 sd / delta)^2: the hourglass asks for most. Its factor (8/9)^2 = 0.79 lies 0.21 below one,
    # and has relative sd sqrt(2/64 + 2/128 + 2/64 + 2/32) = 0.37, so (4 * 0.29 / 0.105)^2 = 124.
    seeds=128,
    paired=("initial weights", "data"),
    metrics={
        "forward": Metric("factor of the variance of signals, one layer", "1"),
        "backward": Metric("factor of the variance of gradients, one layer", "1"),
        "forward_law": Metric("n τ²", "1"),
        "backward_law": Metric("m τ²", "1"),
        "sum": Metric("(n + m) times the mean square of the weights", "1"),
        "one": Metric("one", "1"),
        "two": Metric("two", "1"),
        "through_forward": Metric("variance of signals, end over start of the hourglass", "1"),
        "through_backward": Metric("variance of gradients, start over end of the hourglass", "1"),
        "through_law": Metric("product of the factors", "1"),
        "largest": Metric("largest weight over √(6/(n+m))", "1"),
        "deviation": Metric("squared deviation of v̂/τ², over (κ − 1)/m", "1"),
        "deviation_as_normal": Metric("the same with κ = 3", "1"),
    },
    figure=(
        Lines(
            x="aspect",
            y="forward",
            by="initializer",
            theory="forward_law",
            log="xy",
            x_label="fan-out over fan-in",
            y_label="factor of the variance, forward",
            title="Forward: fan-in keeps every shape, Glorot is half way",
        ),
        Lines(
            x="aspect",
            y="backward",
            by="initializer",
            theory="backward_law",
            log="xy",
            x_label="fan-out over fan-in",
            y_label="factor of the variance, backward",
            title="Backward: fan-out keeps every shape, Glorot is half way",
        ),
        Curves(
            y="forward",
            by="initializer",
            where={"aspect": 2.0},
            center="mean",
            x_label="layer",
            y_label="variance over the input's (decades)",
            title="An hourglass 32-64-128-64-32, forward",
        ),
        Curves(
            y="backward",
            by="initializer",
            where={"aspect": 2.0},
            center="mean",
            x_label="layer",
            y_label="variance of gradient over the last's (decades)",
            title="The same hourglass, backward",
        ),
    ),
    finding=(
        "Fan-in scaling keeps signals and fan-out scaling gradients in layers of every shape. "
        "Glorot's variance splits the difference: the factors add up to two, and both are one in "
        "square layers only."
    ),
    stated=r"\tau_\ell^2 = \frac{2}{n_\ell + n_{\ell+1}}",
    corrected=r"n_\ell\tau_\ell^2 + n_{\ell+1}\tau_\ell^2 = 2, \quad "
    r"\text{each } 1 \text{ only if } n_\ell = n_{\ell+1}",
    figures=("F19",),
    components=(
        "suite.initializers.GlorotNormal",
        "suite.initializers.GlorotUniform",
        "suite.initializers.LecunNormal",
        "suite.initializers.VarianceScaling",
    ),
    limits=(
        "Linear layers and averages over networks. An hourglass with ends of one width ends where "
        "it began under fan-in or fan-out scaling as well: only layers between them differ."
    ),
    measure=measure,
)
