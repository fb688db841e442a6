"""One hidden layer comes as close to any continuous function as wanted; how close, by construction.

Lecture section "Shallow and deep networks", claim C21. The theorem asks for a non-constant, bounded
and continuous activation. For a sigmoid its network can be written down: n steep units make a
staircase over n steps, one value of the target a step, so that on [0, 1]

    |f(x) - network(x)| <= omega_f(2 / n)        omega_f(d) = max |f(x) - f(y)|  over |x - y| <= d

for every continuous f, and the modulus of continuity omega_f vanishes with its argument. Being
bounded is more than is needed: ReLU units interpolate f by straight lines, with the same bound.
What is needed is that the activation is no polynomial (Leshno et al. 1993): with one, the network
is a polynomial of that degree, however wide it is, and no better than the best of those. That best
error is the solution of a linear program.
"""

from functools import cache

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d
from scipy.optimize import linprog

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.verdicts import AtMost

POLYNOMIALS = {"constant": 0, "z": 1, "z²": 2, "z³": 3}  # activation -> degree
STEPS_OF = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}  # activation -> its limits
ACTIVATIONS = (*STEPS_OF, "relu", *POLYNOMIALS)
UNITS = (5, 10, 20, 40, 80, 160, 320)
# Multiples of every number of units, so that knots and the middles between them lie on the grid.
INTERVALS = 1920
# Steps rise with this slope, in units of the spacing of the knots: at the neighboring knot, half a
# spacing away, a sigmoid has come within exp(-40) of its limit, less than float64 can tell from it.
STEEPNESS = 80.0
DEGREE = max(POLYNOMIALS.values())
LP_POINTS = 161  # of every twelfth grid point: fewer constraints make the bound smaller, so safer
SHOWN = (5, 10, 40)  # units of the networks that are drawn
EVERY = 10  # one of so many grid points is drawn, and fitted with polynomials


def targets(seeds):
    """Grid `(points,)` and for each seed a continuous function on it, `(seeds, points)`.

    Three waves of falling size, and a kink at a random place: no derivative there.
    """
    x = np.linspace(0, 1, INTERVALS + 1)
    out = np.empty((len(seeds), len(x)))
    for i, seed in enumerate(seeds):
        rng = np.random.default_rng(int(seed))
        waves = np.arange(1, 4)[:, None]
        size, phase = rng.normal(size=(3, 1)) / waves, rng.uniform(0, 2 * np.pi, (3, 1))
        out[i] = (size * np.sin(2 * np.pi * waves * x + phase)).sum(axis=0)
        out[i] += rng.normal() * np.abs(x - rng.uniform(0.2, 0.8))
    return x, out


def drawn_target(x):
    """What the picture approximates: a valley with a kink in it, tilted."""
    z = 2 * x - 1
    return np.abs(np.sin(3 * z)) + 0.3 * z


def modulus(values, points):
    """`omega_f` over a distance of so many grid points, one value a function `(seeds, points)`."""
    size = points + 1
    highest = maximum_filter1d(values, size, axis=-1, mode="nearest")
    lowest = minimum_filter1d(values, size, axis=-1, mode="nearest")
    return (highest - lowest).max(axis=-1)


def network(activation, units, x, values):
    """Outputs `(seeds, points)` of the suite's perceptron: one hidden layer, shared by all targets.

    Steps and lines are constructed. With a polynomial there is nothing to construct: the read-out
    is the least-squares fit to the target.
    """
    from suite.models import MultilayerPerceptron
    from suite.theory import ridge

    function = {
        "constant": lambda z: 0 * z + 1,
        "z": lambda z: z,
        "z²": lambda z: z**2,
        "z³": lambda z: z**3,
    }.get(activation, activation)
    model = MultilayerPerceptron(
        units=(units,), outputs=len(values), activation=function, dtype="float64"
    )
    model.build((None, 1))
    knots = np.linspace(0, 1, units + 1)
    at_knots = values[:, :: INTERVALS // units]
    if activation in STEPS_OF:
        low, high = STEPS_OF[activation]
        # tanh(z / 2) is the sigmoid, stretched to its own limits.
        slope = STEEPNESS * units / (high - low)
        middles = (knots[1:] + knots[:-1]) / 2
        kernel, bias = np.full((1, units), slope), -slope * middles
        rises = np.diff(at_knots, axis=1).T / (high - low)
        first = at_knots[:, 0] - low * rises.sum(axis=0)
    else:
        kernel, bias = np.ones((1, units)), -knots[:-1]
        slopes = np.diff(at_knots, axis=1) * units
        rises = np.diff(slopes, axis=1, prepend=0).T
        first = at_knots[:, 0]
    model.set_weights([kernel, bias, rises, first])
    if activation in POLYNOMIALS:
        some = x[::EVERY, None]
        hidden = np.asarray(model.blocks[1](model.blocks[0](some)))
        features = np.column_stack([hidden, np.ones(len(some))])
        fitted = ridge(features, values[:, ::EVERY], strength=0.0)
        model.set_weights([kernel, bias, fitted[:, :-1].T, fitted[:, -1]])
    return np.asarray(model(x[:, None])).T


@cache
def smallest_errors(seeds):
    """The smallest possible largest error of a polynomial, `(degrees, seeds)`: linear programs.

    min t  such that  -t <= sum_k c_k x_i^k - f(x_i) <= t  at every x_i
    """
    x, values = targets(seeds)
    some = slice(None, None, INTERVALS // (LP_POINTS - 1))
    out = np.empty((DEGREE + 1, len(seeds)))
    for degree in range(DEGREE + 1):
        powers = x[some, None] ** np.arange(degree + 1)
        margin = -np.ones((len(powers), 1))
        rows = np.block([[powers, margin], [-powers, margin]])
        cost = np.append(np.zeros(degree + 1), 1.0)
        for i, f in enumerate(values[:, some]):
            found = linprog(cost, rows, np.concatenate([f, -f]), bounds=(None, None))
            out[degree, i] = found.fun
    return out


def measure(cell, seeds):
    """Largest error of one network a seed, against the two bounds of theory."""
    x, values = targets(seeds)
    every = np.vstack([values, drawn_target(x)])
    built = network(cell.activation, cell.units, x, every)
    error = np.abs(built - every).max(axis=1)[:-1]
    bound = modulus(values, 2 * INTERVALS // cell.units)
    degree = POLYNOMIALS.get(cell.activation, DEGREE)
    smallest = smallest_errors(tuple(seeds.tolist()))[degree]
    curves, axes, theory = {}, {}, {}
    if cell.units in SHOWN and cell.activation == "sigmoid":
        curves = {"network": np.tile(built[-1, ::EVERY], (len(seeds), 1))}
        axes, theory = {"network": x[::EVERY]}, {"network": every[-1, ::EVERY]}
    return Measurements(
        metrics={
            "error": error,
            "bound": bound,
            "error_over_bound": error / bound,
            "smallest_over_error": smallest / error,
        },
        curves=curves,
        axes=axes,
        theory=theory,
    )


EXPERIMENT = Experiment(
    claim="C21",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C21.stated",
            "With a sigmoid or tanh, both bounded and continuous, n hidden units come within "
            "ω(2/n) of every continuous function drawn, everywhere on the interval.",
            AtMost("error_over_bound", 1.0, where={"activation": tuple(STEPS_OF)}),
            kind="as stated",
            formula=r"\max_x \lvert f(x) - w^\top \sigma(Wx + b) \rvert \le \omega_f(2/n) "
            r"\;\to\; 0",
            mutants=(
                Mutant("a constant activation", {"where": {"activation": "constant"}}),
                Mutant("a linear activation", {"where": {"activation": "z"}}),
            ),
        ),
        Hypothesis(
            "C21.unbounded",
            "The activation need not be bounded: n ReLU units come as close.",
            AtMost("error_over_bound", 1.0, where={"activation": "relu"}),
            formula=r"\sigma \text{ not a polynomial}",
            mutants=(
                Mutant("any unbounded activation: z²", {"where": {"activation": "z²"}}),
                Mutant("any unbounded activation: z³", {"where": {"activation": "z³"}}),
            ),
        ),
        Hypothesis(
            "C21.polynomial",
            "With a polynomial for an activation no width helps: the network is a polynomial of "
            "that degree, and never better than the best of those.",
            # The linear program is solved to 1e-7 of the constraints, the solver's own tolerance.
            AtMost("smallest_over_error", 1.0 + 1e-6, where={"activation": tuple(POLYNOMIALS)}),
            formula=r"\max_x \lvert f - w^\top \sigma(Wx + b) \rvert \ge "
            r"\min_{\deg p \le d} \max_x \lvert f - p \rvert",
            mutants=tuple(
                Mutant(f"{name} units are no better than a cubic", {"where": {"activation": name}})
                for name in (*STEPS_OF, "relu")
            ),
        ),
    ),
    factors={"activation": ACTIVATIONS, "units": UNITS},
    # The bounds hold for every function; 20 random ones with a kink leave a mistake no room.
    seeds=20,
    paired=("data",),
    metrics={
        "error": Metric("largest error on the interval", "1", "lower"),
        "bound": Metric("modulus of continuity at 2 / n", "1"),
        "error_over_bound": Metric("largest error over that modulus", "1", "lower"),
        "smallest_over_error": Metric(
            "smallest error of a polynomial of the activation's degree (else 3) over the error", "1"
        ),
    },
    figure=(
        Curves(
            y="network",
            by="units",
            theory_label="target",
            where={"activation": "sigmoid", "units": SHOWN},
            x_label="x",
            y_label="output of the network",
            title="Steep sigmoids add up to a staircase that follows any continuous function",
        ),
        Lines(
            x="units",
            y="error",
            by="activation",
            log="xy",
            x_label="hidden units (log)",
            y_label="largest error (log)",
            title="With a polynomial for an activation, width does not help",
            theory="bound",
            theory_label="bound",
        ),
    ),
    measure=measure,
    finding="One wide hidden layer approximates any continuous function, and steep units show how; "
    "the activation may be anything but a polynomial.",
    stated=r"f(x) \approx w^\top \sigma(Wx + b), \quad "
    r"\sigma \text{ non-constant, bounded, continuous}",
    corrected=r"\sigma \text{ continuous and not a polynomial}",
    figures=("F09",),
    components=("suite.models.MultilayerPerceptron", "suite.layers.Dense", "suite.theory.ridge"),
    limits="One input, on a grid of 1921 points. That weights exist says neither that training "
    "finds them nor how many samples it takes; in many dimensions a staircase needs exponentially "
    "many steps.",
)
