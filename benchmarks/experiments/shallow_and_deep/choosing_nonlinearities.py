"""What there is to look at when choosing an activation: range, slopes, symmetry, kinks.

Lecture section "Shallow and deep networks", claim C25. The lecture advises to look at the
saturation of the slope, at discontinuities and at symmetry. The library says what they are in a
table, `suite.activations.PROPERTIES`; here every entry of it is measured on the function itself.
Slopes are TensorFlow's derivatives, in float64, next to derivatives written out in NumPy. One word
needs care: what jumps for ReLU is the slope. The function is continuous.
"""

import numpy as np
from scipy.special import expit, ndtr

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.verdicts import AtMost, Identity, every

ACTIVATIONS = ("relu", "leaky_relu", "elu", "softplus", "gelu", "silu", "sigmoid", "tanh")
BOUNDED = ("sigmoid", "tanh")
RECTIFIERS = ("relu", "leaky_relu", "elu", "softplus", "gelu", "silu")  # slope 1 at plus infinity
KINKED = ("relu", "leaky_relu")
LEAK = 0.2  # the default of `suite.activations.leaky_relu`, as of Keras's function
LEAK_OF_THE_LAYER = 0.3  # the default of the layer `keras.layers.LeakyReLU`

NEAR = 10.0  # half the interval in which minima and largest slopes lie
SPACING = 1e-3  # of the grid there
LARGEST_DERIVATIVE = 2.0  # no second or third derivative exceeds this where there is one: tanh
# Between grid points a smooth extremum is missed by at most max|f''| SPACING^2 / 8.
MISSED = LARGEST_DERIVATIVE * SPACING**2 / 8
FAR = 1e16  # one ulp there is 2: whatever has a limit has reached it
STEP = 2.0**-20  # to either side of a kink: exact in binary
POINTS = 200  # a seed


def closed_slope(name, x):
    """The derivative, written out, of shape `x.shape`; at a kink the one from below."""
    if name == "sigmoid":
        return expit(x) * expit(-x)
    if name == "tanh":
        return 1 / np.cosh(x) ** 2
    if name == "softplus":
        return expit(x)
    if name == "silu":
        return expit(x) * (1 + x * expit(-x))
    if name == "gelu":
        return ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    below = {"relu": 0.0, "leaky_relu": LEAK, "elu": np.exp(np.minimum(x, 0))}[name]
    return np.where(x > 0, 1.0, below)


def value_and_slope(name, x):
    """The library's activation and TensorFlow's derivative of it, in float64."""
    import tensorflow as tf

    from suite import activations

    x = tf.constant(x, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = getattr(activations, name)(x)
    return y.numpy(), tape.gradient(y, x).numpy()


def end_error(found, stated):
    """How far an end of an interval is from the one in the table; 1 / size where that is infinite.

    A function without bound has to be large where its argument is.
    """
    if np.isinf(stated):
        return 1 / abs(found) if found * stated > 0 else np.inf
    return abs(found - stated)


def table_errors(name, table):
    """Deviations between the table and the function that do not depend on a seed, by metric."""
    from suite.activations.properties import Interval

    grid = np.linspace(-NEAR, NEAR, round(2 * NEAR / SPACING) + 1)
    everywhere = np.concatenate([[-FAR], grid, [FAR]])
    y, slope = value_and_slope(name, everywhere)

    def ends(values, interval):
        found = (values.min(), values.max())
        stated = (interval.lower, interval.upper)
        return max(end_error(*pair) for pair in zip(found, stated, strict=True))

    limits = [abs(slope[i] - table.slope_limits[i]) for i in (0, -1)]
    around = np.array([-STEP, STEP])
    values, sides = value_and_slope(name, around)
    stated = table.kinks[0].jump if table.kinks else 0.0
    # One difference across the kink is the mean of both slopes.
    across = (values[1] - values[0]) / (2 * STEP)
    return {
        "range_error": ends(y, table.range),
        "slopes_error": ends(slope, table.slopes),
        "slopes_as_tanh_error": ends(slope, Interval(0, 1)),
        "limit_error": max(limits),
        "slope_above": abs(slope[-1]),
        "slope_above_minus_1": abs(slope[-1] - 1),
        "jump_error": abs(sides[1] - sides[0] - stated),
        "jump_by_one_difference": abs(across - sides[0] - stated),
        "slope_jump": abs(sides[1] - sides[0]),
        "value_jump": abs(values[1] - values[0]),
        "limit_of_the_layer_error": max(abs(slope[0] - LEAK_OF_THE_LAYER), limits[1]),
    }


def measure(cell, seeds):
    """The table against the function, and both derivatives against each other."""
    from suite.activations import PROPERTIES

    table = PROPERTIES[cell.activation]
    count = len(seeds)
    metrics = {k: np.full(count, v) for k, v in table_errors(cell.activation, table).items()}

    x = np.stack([np.random.default_rng(int(s)).normal(0, 3, POINTS) for s in seeds])
    y, slope = value_and_slope(cell.activation, x)
    known = closed_slope(cell.activation, x)
    size = np.abs(known).max(axis=1)
    metrics["slope_error"] = np.abs(slope - known).max(axis=1) / size
    metrics["unit_slope_error"] = np.abs(1 - known).max(axis=1) / size

    def asymmetry(center):
        """Largest |f(c + u) + f(c - u) - 2 f(c)| over the values' own size."""
        mirrored, _ = value_and_slope(cell.activation, 2 * center[0] - x)
        return np.abs(y + mirrored - 2 * center[1]).max(axis=1) / np.abs(y).max(axis=1)

    metrics["about_origin"] = asymmetry((0.0, 0.0))
    metrics["about_center"] = asymmetry(table.center or (0.0, 0.0))

    # A kink is drawn from points to either side of it, not as a ramp between grid points.
    shown = np.sort(np.append(np.linspace(-5, 5, 80), [-STEP, STEP]))
    values, slopes = value_and_slope(cell.activation, shown)
    return Measurements(
        metrics=metrics,
        curves={"value": np.tile(values, (count, 1)), "slope": np.tile(slopes, (count, 1))},
        axes={"value": shown, "slope": shown},
    )


EXPERIMENT = Experiment(
    claim="C25",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C25.slope",
            "TensorFlow's derivative of each activation is its slope: for ReLU 1 above 0, else 0.",
            # Products of at most four factors, each good to an ulp or two of its dtype.
            Identity("slope_error", terms=4),
            kind="as stated",
            formula=r"\mathrm{ReLU}(x) = \max(x, 0)",
            mutants=(Mutant("slope 1 everywhere, no activation", {"metric": "unit_slope_error"}),),
        ),
        Hypothesis(
            "C25.range",
            "Values and slopes fill exactly the intervals that the table of the library states.",
            every(AtMost("range_error", MISSED), AtMost("slopes_error", MISSED)),
            formula=r"\sup_x \sigma'(x) = \tfrac14, \quad \sup_x \tanh'(x) = 1",
            mutants=(
                Mutant(
                    "the sigmoid as steep as tanh",
                    {"metric": "slopes_as_tanh_error", "where": {"activation": "sigmoid"}},
                ),
            ),
        ),
        Hypothesis(
            "C25.saturation",
            "Bounded activations saturate on both sides; the slope of every rectifier tends to 1 "
            "above, and to what the table says below.",
            every(
                AtMost("slope_above", MISSED, where={"activation": BOUNDED}),
                AtMost("slope_above_minus_1", MISSED, where={"activation": RECTIFIERS}),
                AtMost("limit_error", MISSED),
            ),
            formula=r"\lim_{x \to \infty} \tanh'(x) = 0, \quad "
            r"\lim_{x \to \infty} \mathrm{ReLU}'(x) = 1",
            mutants=(
                Mutant(
                    "rectifiers saturate above",
                    {"metric": "slope_above", "where": {"activation": RECTIFIERS}},
                ),
                Mutant(
                    "the leak of the layer LeakyReLU, 0.3",
                    {"metric": "limit_of_the_layer_error", "where": {"activation": "leaky_relu"}},
                ),
            ),
        ),
        Hypothesis(
            "C25.symmetry",
            "Of these only tanh is odd; the sigmoid is symmetric about the point (0, ½).",
            # A sum of four numbers.
            Identity("about_center", terms=4, where={"activation": BOUNDED}),
            formula=r"\tanh(-x) = -\tanh(x), \quad \sigma(-x) = 1 - \sigma(x)",
            mutants=tuple(
                Mutant(f"{name} is odd", {"metric": "about_origin", "where": {"activation": name}})
                for name in ACTIVATIONS
                if name != "tanh"
            ),
        ),
        Hypothesis(
            "C25.continuous",
            "No activation here is discontinuous, ReLU included.",
            # No slope exceeds 1.2, so a continuous function changes by less across 2 STEP.
            AtMost("value_jump", 4 * STEP),
            formula=r"\lim_{x \uparrow 0} \mathrm{ReLU}(x) = \lim_{x \downarrow 0} "
            r"\mathrm{ReLU}(x) = 0",
            mutants=(
                Mutant(
                    "its slope, in place of it",
                    {"metric": "slope_jump", "where": {"activation": KINKED}},
                ),
            ),
        ),
        Hypothesis(
            "C25.kink",
            "What jumps is the slope: by 1 for ReLU, by 1 minus the leak for leaky ReLU, and for "
            "none of the others.",
            # Over a distance of 2 STEP a smooth slope changes by at most max|f''| 2 STEP.
            AtMost("jump_error", LARGEST_DERIVATIVE * 2 * STEP),
            formula=r"\mathrm{ReLU}'(0^+) - \mathrm{ReLU}'(0^-) = 1",
            mutants=(
                Mutant("no jump", {"metric": "slope_jump", "where": {"activation": KINKED}}),
                Mutant(
                    "the slope at 0 from one difference across the kink",
                    {"metric": "jump_by_one_difference", "where": {"activation": KINKED}},
                ),
            ),
        ),
    ),
    factors={"activation": ACTIVATIONS},
    # Identities: 20 draws of the points leave no room for a coincidence.
    seeds=20,
    paired=("data",),
    metrics={
        "slope_error": Metric("derivative against the closed form, relative", "1", "lower"),
        "unit_slope_error": Metric("the same if the slope were 1", "1"),
        "range_error": Metric("distance of the ends of the range from the table's", "1", "lower"),
        "slopes_error": Metric("distance of the slopes' bounds from the table's", "1", "lower"),
        "slopes_as_tanh_error": Metric("distance of the slopes' bounds from 0 and 1", "1"),
        "limit_error": Metric("distance of the slope's limits from the table's", "1", "lower"),
        "limit_of_the_layer_error": Metric("the same with a leak of 0.3", "1"),
        "slope_above": Metric(f"slope at {FAR:g}", "1"),
        "slope_above_minus_1": Metric(f"|slope - 1| at {FAR:g}", "1"),
        "about_center": Metric("asymmetry about the table's center", "1", "lower"),
        "about_origin": Metric("asymmetry about the origin", "1"),
        "value_jump": Metric("change of the value across 0", "1", "lower"),
        "slope_jump": Metric("change of the slope across 0", "1"),
        "jump_error": Metric("distance of that change from the table's jump", "1", "lower"),
        "jump_by_one_difference": Metric("the same by one difference across 0", "1"),
    },
    figure=(
        Curves(
            y="value",
            by="activation",
            x_label="input",
            y_label="output",
            title="Rectifiers grow without bound, sigmoid and tanh do not",
        ),
        Curves(
            y="slope",
            by="activation",
            x_label="input",
            y_label="slope",
            title="Their slopes: 1 for every rectifier on the right, nothing left for the others",
        ),
    ),
    measure=measure,
    finding="Two things separate the activations: whether the slope survives large inputs, and "
    "whether it jumps. None of the functions themselves jumps.",
    stated=r"\mathrm{ReLU}(x) = \max(x, 0)",
    corrected=r"\mathrm{ReLU} \text{ is continuous, its slope jumps by 1}",
    figures=("F13",),
    components=("suite.activations.PROPERTIES", "suite.activations.relu", "suite.activations.tanh"),
    limits="Which activation is the most common, and which trains best, is not asked. The "
    "intervals are checked between -10 and 10 and at 1e16 to either side.",
)
