"""He initialization: twice the variance for ReLU, 2 / (1 + a^2) for a leaky slope a.

Lecture section "Exploding and vanishing gradients", claim C42. The `a` of the slide is the slope of
the activation for negative inputs, `f(z) = max(z, 0) + a min(z, 0)`. For symmetric z

    E[f(z)^2] = (1 + a^2) / 2 V[z]        so tau^2 = 2 / ((1 + a^2) n) keeps the second moment

It is the second moment, not the variance: f(z) has a mean, `(1 - a) / sqrt(2 pi)` for a standard
normal z. For a convolution, n counts the window: d^2 times the channels.

With Gaussian weights layer after layer multiplies the mean square by independent factors
`n_l tau^2 / m sum_i f(u_i)^2` over m = n_{l+1} standard normals, so the mean of the logarithm
after L layers is known exactly. It lies below the logarithm of the mean: a typical ReLU network
loses 5 / (2n) of a nat in each layer of width n even if He initialized.
"""

import math

import numpy as np

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.experiments.exploding_and_vanishing.variance_with_depth import kernels
from benchmarks.verdicts import Agreement

WIDTHS = (64, 32) * 15 + (64,)  # rectangular in every layer, or Glorot's would be LeCun's
SAMPLES = 16
WINDOW = (3, 3, 8, 16)  # of the convolution: a kernel d x d x inputs x outputs
SCHEMES = ("LeCun", "Glorot", "He", "He with slope")  # the last differs for a leaky slope only
SLOPES = {"tanh": 1.0, "ReLU": 0.0, "leaky": 0.3}  # tanh is linear for small signals
PIECEWISE = ("ReLU", "leaky")  # for which the laws are exact
BINS = np.linspace(-1, 1, 42)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(100)


def scheme(name, slope):
    """The suite's initializer, by name of the scheme; takes a seed."""
    from suite.initializers import GlorotNormal, HeNormal, LecunNormal

    return {
        "LeCun": LecunNormal,
        "Glorot": GlorotNormal,
        "He": HeNormal,
        "He with slope": lambda seed: HeNormal(seed, negative_slope=slope),
    }[name]


def gain(name, fan_in, fan_out, slope):
    """`fan_in tau^2` by the scheme's formula."""
    return {
        "LeCun": 1.0,
        "Glorot": 2 * fan_in / (fan_in + fan_out),
        "He": 2.0,
        "He with slope": 2 / (1 + slope**2),
    }[name]


def activate(name, z):
    """The suite's activation, in float64."""
    from suite import activations

    z = np.asarray(z, float)
    if name == "leaky":
        return activations.leaky_relu(z, negative_slope=SLOPES[name]).numpy()
    return getattr(activations, name.lower())(z).numpy()


def second_moment(name, variance):
    """`E f(z)^2` for normal z: the slide's formula, and for tanh quadrature."""
    if name == "tanh":
        return WEIGHTS @ np.tanh(math.sqrt(variance) * NODES) ** 2 / WEIGHTS.sum()
    return variance * (1 + SLOPES[name] ** 2) / 2


def log_mean_square(width, slope):
    """`E log(mean of f(u_i)^2)` over `width` standard normals, exactly.

    `E log X = int_0^inf (e^-t - E e^-tX) / t dt`, where `E e^-tX` is the width-th power of that of
    a single f(u)^2; the integral is taken over log t.
    """
    t = np.exp(np.linspace(-40, 60, 20_001))
    single = (1 / np.sqrt(1 + 2 * t) + 1 / np.sqrt(1 + 2 * slope**2 * t)) / 2
    return np.trapezoid(np.exp(-t) - single**width, np.log(t)) - math.log(width)


def unit_inputs(rng, columns):
    """Inputs of non-zero mean, each row of mean square one, `(SAMPLES, columns)`."""
    x = rng.normal(0.7, 1.0, (SAMPLES, columns))
    return x / np.sqrt(np.mean(x**2, axis=1, keepdims=True))


def expected_logs(cell, gains):
    """Exact logarithm of the typical mean square after each layer; for tanh that of wide layers."""
    slope, logs, wide = SLOPES[cell.activation], [0.0], [0.0]
    per_layer = {m: log_mean_square(m, slope) for m in set(WIDTHS[1:])}
    for g, m in zip(gains, WIDTHS[1:], strict=True):
        wide.append(math.log(second_moment(cell.activation, g * math.exp(wide[-1]))))
        logs.append(logs[-1] + math.log(g) + per_layer[m])
    return np.array(wide if cell.activation == "tanh" else logs), np.array(wide)


def measure(cell, seeds):
    """One layer, one convolution and one deep network of the scheme for each seed."""
    from suite.training.streams import integer, streams

    slope = SLOPES[cell.activation]
    initializer = scheme(cell.scheme, slope)
    shapes = list(zip(WIDTHS[:-1], WIDTHS[1:], strict=True))
    gains = [gain(cell.scheme, *shape, slope) for shape in shapes]
    d, _, channels, filters = WINDOW
    patch = d * d * channels
    conv_gain = gain(cell.scheme, patch, d * d * filters, slope)
    conv_gain_channels = patch / channels * gain(cell.scheme, channels, filters, slope)

    x, patches = np.empty((len(seeds), SAMPLES, WIDTHS[0])), np.empty((len(seeds), SAMPLES, patch))
    one_layer = np.empty((len(seeds), *shapes[0]))
    window = np.empty((len(seeds), patch, filters))
    networks = []
    for i, seed in enumerate(seeds):
        rng = np.random.default_rng(streams(int(seed))["data"])
        draws = streams(int(seed))["initial weights"].spawn(4)  # the network takes the first two
        x[i], patches[i] = unit_inputs(rng, WIDTHS[0]), unit_inputs(rng, patch)
        one_layer[i] = initializer(seed=integer(draws[2]))(shapes[0]).numpy()
        # At one place a convolution is a dense layer of what its window sees.
        window[i] = initializer(seed=integer(draws[3]))(WINDOW).numpy().reshape(patch, filters)
        networks.append(kernels(WIDTHS, tuple(gains), seed))
    second = np.mean(activate(cell.activation, x @ one_layer) ** 2, axis=(1, 2))
    conv = np.mean(activate(cell.activation, patches @ window) ** 2, axis=(1, 2))

    logs = np.zeros((len(seeds), len(WIDTHS)))
    for layer, weights in enumerate(zip(*networks, strict=True), start=1):
        x = activate(cell.activation, x @ np.stack(weights))
        logs[:, layer] = np.log(np.mean(x[:, 0] ** 2, axis=1))  # of one input each: independent
        if layer == 1:
            first_mean = np.mean(x, axis=(1, 2))
    density = [np.histogram(outputs, BINS, density=True)[0] for outputs in x]

    law, wide = expected_logs(cell, gains)
    tanh = cell.activation == "tanh"
    he = sum(math.log(2 / (1 + slope**2) / g) for g in gains)

    def every(value):
        return np.full(len(seeds), float(value))

    decades = 1 / math.log(10)
    return Measurements(
        metrics={
            "second_moment": second,
            "second_moment_law": every(second_moment(cell.activation, gains[0])),
            "variance_law": every(
                second_moment(cell.activation, gains[0])
                - (gains[0] * (1 - slope) ** 2 / (2 * math.pi))
            ),
            "mean": first_mean,
            "mean_law": every(math.sqrt(gains[0] / (2 * math.pi)) * (1 - slope)),
            "one": every(1),
            "zero": every(0),
            "convolution": conv,
            "convolution_law": every(second_moment(cell.activation, conv_gain)),
            "channels_law": every(second_moment(cell.activation, conv_gain_channels)),
            "log_ratio": logs[:, -1],
            "log_law": every(law[-1]),
            "wide_law": every(wide[-1]),
            "he_law": every(law[-1] + (0 if tanh else he)),
        },
        curves={"decades": decades * logs} | ({"density": np.array(density)} if tanh else {}),
        axes={"density": (BINS[1:] + BINS[:-1]) / 2} if tanh else {},
        theory={"decades": decades * law},
    )


def grid_panel(activation, schemes, title):
    """Variance against depth under these schemes, for one activation."""
    return Curves(
        y="decades",
        by="scheme",
        where={"activation": activation, "scheme": schemes},
        center="mean",
        x_label="layer",
        y_label="mean square over the input's (decades)",
        title=title,
    )


EXPERIMENT = Experiment(
    claim="C42",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C42.relu",
            "With τ² = 2/n a ReLU layer keeps the second moment of its input.",
            Agreement("second_moment", "one", where={"scheme": "He", "activation": "ReLU"}),
            kind="as stated",
            formula=r"\tau_\ell^2 = \frac{2}{n_\ell}",
            mutants=(
                Mutant("LeCun's 1/n", {"where": {"scheme": "LeCun", "activation": "ReLU"}}),
                Mutant("Glorot's", {"where": {"scheme": "Glorot", "activation": "ReLU"}}),
                Mutant("the variance is kept", {"expected": "variance_law"}),
            ),
        ),
        Hypothesis(
            "C42.leaky",
            "With τ² = 2/((1 + a²) n) a layer with slope a for negative inputs keeps it.",
            Agreement(
                "second_moment", "one", where={"scheme": "He with slope", "activation": "leaky"}
            ),
            kind="as stated",
            formula=r"\tau_\ell^2 = \frac{2}{(1 + a^2)\, n_\ell}",
            mutants=(
                Mutant("the slope forgotten", {"where": {"scheme": "He", "activation": "leaky"}}),
            ),
        ),
        Hypothesis(
            "C42.moment",
            "The second moment behind the activation is (1 + a²)/2 times the variance before it, "
            "under every scheme.",
            Agreement("second_moment", "second_moment_law", where={"activation": PIECEWISE}),
            formula=r"\mathbb{E}f(z)^2 = \frac{1 + a^2}{2}\, \mathrm{V}[z]",
            mutants=(Mutant("the variance behind it", {"expected": "variance_law"}),),
        ),
        Hypothesis(
            "C42.mean",
            "The activations have a mean, (1 − a)/√(2π) standard deviations of z, so the second "
            "moment is not their variance.",
            Agreement("mean", "mean_law", where={"activation": PIECEWISE}),
            formula=r"\mathbb{E}f(z) = \frac{1 - a}{\sqrt{2\pi}} \sqrt{\mathrm{V}[z]}",
            mutants=(Mutant("no mean", {"expected": "zero"}),),
        ),
        Hypothesis(
            "C42.depth",
            "Over all layers the logarithm of the mean square has exactly the mean that Gaussian "
            "weights give it: below that of the average, by about 5/(2n) a layer for ReLU.",
            Agreement("log_ratio", "log_law", where={"activation": PIECEWISE}),
            formula=r"\mathbb{E}\log\frac{\overline{x_L^2}}{\overline{x_0^2}} = \sum_\ell \left["
            r"\log n_\ell\tau_\ell^2 + \mathbb{E}\log\overline{f(u)^2}\right]",
            mutants=(
                Mutant("infinitely wide layers", {"expected": "wide_law"}),
                Mutant(
                    "every scheme as He's with its slope",
                    {"expected": "he_law", "where": {"activation": PIECEWISE}},
                ),
                Mutant(
                    "the slope forgotten",
                    {"expected": "he_law", "where": {"activation": "leaky", "scheme": "He"}},
                ),
            ),
        ),
        Hypothesis(
            "C42.convolution",
            "In a convolution n is d² times the input channels.",
            Agreement("convolution", "convolution_law", where={"activation": PIECEWISE}),
            formula=r"n = d^2 C",
            mutants=(Mutant("the channels alone", {"expected": "channels_law"}),),
        ),
    ),
    factors={
        "scheme": SCHEMES,
        "activation": tuple(SLOPES),
    },
    # (4 sd / delta)^2. Forgetting a = 0.3 costs a factor 1.09 in one layer, where 16 inputs and 32
    # outputs leave a sd of about sqrt(5 / 32 / 8) = 0.14: (4 * 0.14 / 0.045)^2 = 155. Over 30
    # layers finite width costs 30 * 5/2 * (1/64 + 1/32) / 2 = 1.76 nats at a sd of
    # sqrt(30 * 5 * (1/64 + 1/32) / 2) = 1.9: (4 * 1.9 / 0.88)^2 = 75.
    seeds=160,
    paired=("initial weights", "data"),
    metrics={
        "second_moment": Metric("mean square behind one layer, inputs of mean square one", "1"),
        "second_moment_law": Metric("n τ² (1 + a²)/2", "1"),
        "variance_law": Metric("n τ² times the variance of f(z)", "1"),
        "mean": Metric("mean behind one layer", "1"),
        "mean_law": Metric("√(n τ²) (1 − a)/√(2π)", "1"),
        "one": Metric("one", "1"),
        "zero": Metric("zero", "1"),
        "convolution": Metric("mean square behind a 3 × 3 convolution", "1"),
        "convolution_law": Metric("its law with n = d² C", "1"),
        "channels_law": Metric("its law with n = C", "1"),
        "log_ratio": Metric("log of mean square, last layer over input", "nat"),
        "log_law": Metric("its mean, exactly; for tanh in wide layers", "nat"),
        "wide_law": Metric("its mean in infinitely wide layers", "nat"),
        "he_law": Metric("its mean if the scheme were He's with its slope", "nat"),
    },
    figure=(
        grid_panel("tanh", SCHEMES[:3], "tanh: LeCun fades slowly, He saturates"),
        grid_panel("ReLU", SCHEMES[:3], "ReLU: with He all but held; LeCun and Glorot fade"),
        grid_panel("leaky", SCHEMES, "Leaky ReLU, a = 0.3: He holds with the slope counted"),
        Curves(
            y="density",
            by="scheme",
            where={"activation": "tanh", "scheme": SCHEMES[:3]},
            center="mean",
            x_label="output of tanh in the last layer",
            y_label="density",
            title="What tanh units say after 30 layers: little, or yes and no",
        ),
    ),
    finding=(
        "With a the slope for negative inputs, both formulas keep the second moment exactly on "
        "average, in convolutions with n = d² C. A typical network still shrinks, by about 5/(2n) "
        "of a nat in each ReLU layer of width n."
    ),
    stated=r"\tau_\ell^2 = \frac{2}{n_\ell}, \quad \tau_\ell^2 = \frac{2}{(1 + a^2)\, n_\ell}",
    corrected=r"\mathbb{E}f(z)^2 = \frac{1 + a^2}{2}\mathrm{V}[z], \quad "
    r"\mathrm{V}f(z) = \left[\frac{1 + a^2}{2} - \frac{(1 - a)^2}{2\pi}\right]\mathrm{V}[z]",
    figures=("F19",),
    components=(
        "suite.initializers.HeNormal",
        "suite.initializers.GlorotNormal",
        "suite.initializers.LecunNormal",
        "suite.activations.relu",
        "suite.activations.leaky_relu",
        "suite.activations.tanh",
    ),
    limits=(
        "Layers of 64 and 32 units in turn, forward only and before any training. The exact law "
        "of the logarithm is for Gaussian weights, drawn in the deep networks without the cut at "
        "two standard deviations; for tanh the dashed lines are those of infinitely wide layers."
    ),
    measure=measure,
)
