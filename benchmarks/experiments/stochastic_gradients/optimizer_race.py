"""Five optimizers on three surfaces, and what can be proved about one of them: the saddle.

Lecture section "Stochastic gradients", claim C37: an animation of optimizers that race on a loss
surface, without a statement. The race is run again, with one learning rate for all, and no ranking
follows from it: another learning rate or start gives another order. What can be proved is how long
it takes to leave the saddle `x^2 - y^2` from a distance y_0 of its ridge. Without noise,

    gradient descent    y_t = (1 + 2 lambda)^t y_0         ln(1 / y_0) / ln(1 + 2 lambda) steps
    momentum            r^2 = (1 + alpha + 2 lambda) r - alpha                ln(1 / y_0) / ln r
    Nesterov            r^2 = (1 + 2 lambda) ((1 + alpha) r - alpha)          ln(1 / y_0) / ln r
    RMSprop             every step is at least lambda long         at most 1 / lambda, any y_0

until |y| = 1. RMSprop's gradients grow as it leaves, so their root mean square is smaller than the
last of them. Adam's average of gradients lags behind; that it does not depend on y_0 either is
measured. Every path is repeated by a recursion in NumPy.
"""

import math

import numpy as np

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
    Points,
)
from benchmarks.experiments.stochastic_gradients import _chains
from benchmarks.verdicts import AtMost, Identity

DESCENT, MOMENTUM, NESTEROV, RMSPROP, ADAM = (
    "gradient descent", "momentum", "Nesterov", "RMSprop", "Adam",
)  # fmt: skip
LINEAR, NORMALIZED = (DESCENT, MOMENTUM, NESTEROV), (RMSPROP, ADAM)
OPTIMIZERS = (*LINEAR, *NORMALIZED)
ALPHA = 0.9  # of momentum and RMSprop; Adam's decays are its defaults
BEALE, SADDLE, RAVINE = "beale", "saddle", "ravine"
STARTS = {BEALE: (1.0, -1.0), SADDLE: (0.75, 1e-3), RAVINE: (-1.8, 0.9)}
WINDOWS = {
    BEALE: ((0.0, 4.5), (-1.75, 1.25)),
    SADDLE: ((-1.0, 1.0), (-0.5, 1.25)),
    RAVINE: ((-2.0, 1.0), (-1.0, 1.0)),
}
STEEP = 40.0  # curvature across the ravine; along it, 1
NEARER = 1e-4  # how much closer to the ridge the second start of each seed lies
# Paths are compared with a recursion by hand before a normalized method can have arrived: around a
# zero of its gradient it jumps from side to side, and which way it goes next hangs on rounding.
SAME_STEPS = 60


def beale(x, y):
    """Beale's function, with its minimum of 0 at (3, 1/2)."""
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def losses(name, x, y):
    """One of the surfaces."""
    if name == BEALE:
        return beale(x, y)
    return x**2 - y**2 if name == SADDLE else (x**2 + STEEP * y**2) / 2


def beale_gradient(x, y):
    """Both derivatives, in operators that NumPy and TensorFlow share."""
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    along = 2 * a * (y - 1) + 2 * b * (y**2 - 1) + 2 * c * (y**3 - 1)
    across = 2 * a * x + 2 * b * 2 * x * y + 2 * c * 3 * x * y**2
    return along, across


def slopes(w):
    """Gradients of the rows of w: Beale, ravine, and saddles from the third on."""
    bx, by = beale_gradient(w[0, 0], w[0, 1])
    return [[bx, by], [w[1, 0], STEEP * w[1, 1]]], 2 * w[2:], [1.0, -1.0]


def gradient_in_numpy(w):
    """For the recursions by hand."""
    head, tail, signs = slopes(w)
    return np.concatenate([head, tail * signs])


def gradient_in_program(w, _):
    """For the optimizers' program."""
    import tensorflow as tf

    head, tail, signs = slopes(w)
    return tf.concat([tf.convert_to_tensor(head), tail * tf.constant(signs, w.dtype)], axis=0)


def optimizer_of(name, learning_rate):
    """The library's optimizer; epsilon is 0, since no coordinate is ever without gradient."""
    from suite.optimizers import SGD, Adam, RMSprop

    if name == RMSPROP:
        return RMSprop(learning_rate, rho=ALPHA, epsilon=0.0)
    if name == ADAM:
        return Adam(learning_rate, epsilon=0.0)
    momentum = 0.0 if name == DESCENT else ALPHA
    return SGD(learning_rate, momentum=momentum, nesterov=name == NESTEROV)


def by_hand(name, start, rate, steps, gradient):
    """The optimizers' recursions in NumPy, `(steps, *start.shape)`."""
    w, v, nu, path = start, np.zeros_like(start), np.zeros_like(start), []
    for t in range(1, steps + 1):
        g = gradient(w)
        if name == DESCENT:
            w = w - rate * g
        elif name == MOMENTUM:
            v = ALPHA * v - rate * g
            w = w + v
        elif name == NESTEROV:
            v = ALPHA * v - rate * g
            w = w + ALPHA * v - rate * g
        elif name == RMSPROP:
            nu = ALPHA * nu + (1 - ALPHA) * g**2
            w = w - rate * g / np.sqrt(nu)
        else:
            v = 0.9 * v + 0.1 * g
            nu = 0.999 * nu + 0.001 * g**2
            w = w - rate * (v / (1 - 0.9**t)) / np.sqrt(nu / (1 - 0.999**t))
        path.append(w)
    return np.array(path)


def growth(name, rate):
    """Factor by which a linear method's distance from the ridge grows a step."""
    alpha = 0.0 if name == DESCENT else ALPHA
    if name == NESTEROV:
        return max(np.roots([1, -(1 + alpha) * (1 + 2 * rate), alpha * (1 + 2 * rate)]))
    return max(np.roots([1, -(1 + alpha + 2 * rate), alpha]))


def steps_to_leave(y):
    """First step after which |y| >= 1; y has shape `(steps, starts)`."""
    left = np.abs(y) >= 1
    if not left.any(axis=0).all():
        raise ValueError("a path has not left the saddle: more steps are needed")
    return 1 + left.argmax(axis=0)


def distances(seeds):
    """Where each seed starts, between a thousandth and a hundredth from the ridge."""
    return np.array([10 ** np.random.default_rng(int(s)).uniform(-3, -2) for s in seeds])


def measure(cell, seeds):
    """Steps to leave the saddle from two distances a seed, and the paths of the race."""
    rate, count = _chains.learning_rate(cell.learning_rate), len(seeds)
    near = distances(seeds)
    # Rows: the three paths of the race; then each seed's two starts beside the ridge.
    ridge = np.column_stack([np.full(2 * count, 0.75), np.concatenate([near, NEARER * near])])
    start = np.vstack([STARTS[BEALE], STARTS[RAVINE], STARTS[SADDLE], ridge])
    path = _chains.trajectory(
        optimizer_of(cell.optimizer, cell.learning_rate),
        start,
        gradient_in_program,
        np.zeros((cell.steps, 1)),
    )
    hand = by_hand(cell.optimizer, start, rate, SAME_STEPS, gradient_in_numpy)
    others = [
        by_hand(name, start, rate, SAME_STEPS, gradient_in_numpy)
        for name in OPTIMIZERS
        if name != cell.optimizer
    ]

    def apart(recursion, rows):
        ours, theirs = path[:SAME_STEPS, rows], recursion[:, rows]
        return np.abs(ours - theirs).max() / np.abs(theirs).max()

    leaving = steps_to_leave(path[:, 3:, 1])
    steps, nearer = leaving[:count].astype(float), leaving[count:].astype(float)
    linear = cell.optimizer in LINEAR
    factor = growth(cell.optimizer if linear else DESCENT, rate)
    plain = np.ceil(np.log(1 / near) / math.log1p(2 * rate))
    extra = math.log(1 / NEARER) / math.log(factor)

    shown = np.unique(np.geomspace(1, min(cell.shown, cell.steps), 150).astype(int)) - 1
    arrays = {}
    for row, name in enumerate((BEALE, RAVINE, SADDLE)):
        whole = np.vstack([start[row], path[shown, row]])
        (left, right), (low, high) = WINDOWS[name]
        x, y = np.linspace(left, right, 50), np.linspace(low, high, 50)
        z = losses(name, *np.meshgrid(x, y)).astype(np.float32)  # of a picture, and stored
        inside = (left <= whole[:, 0]) & (whole[:, 0] <= right)
        inside &= (low <= whole[:, 1]) & (whole[:, 1] <= high)
        # From where a path first leaves the window, it is out of the picture.
        until = len(inside) if inside.all() else int(inside.argmin())
        arrays |= {name: z, f"{name}.x": x, f"{name}.y": y, f"{name}_path": whole[:until]}

    def every(value):
        return np.full(count, float(value))

    return Measurements(
        metrics={
            "steps": steps,
            "steps_nearer": nearer,
            "steps_off_descent": np.abs(steps - plain),
            "extra_steps": np.abs(nearer - steps),
            "extra_off_theory": np.abs(nearer - steps - extra),
            "extra_off_descent": np.abs(
                nearer - steps - math.log(1 / NEARER) / math.log1p(2 * rate)
            ),
            "steps_times_rate": np.maximum(steps, nearer) * rate,
            "hand_deviation": every(max(apart(hand, row) for row in (0, 1, 2))),
            "nearest_other": every(min(apart(other, row) for other in others for row in (0, 1, 2))),
        },
        arrays=arrays,
    )


def race(name, x_label, y_label, title, log=False):
    """One panel: the five paths over a surface."""
    paths = (f"{name}_path",)
    return Plane(x_label, y_label, title, surface=name, paths=paths, log=log)


EXPERIMENT = Experiment(
    claim="C37",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C37.descent",
            "Gradient descent leaves the saddle after ln(1/y₀)/ln(1\u00a0+\u00a02λ) steps, "
            "rounded up.",
            AtMost("steps_off_descent", 0, where={"optimizer": DESCENT}),
            formula=r"t = \left\lceil \frac{\ln(1/y_0)}{\ln(1 + 2\lambda)} \right\rceil",
            mutants=(
                Mutant("momentum alike", {"where": {"optimizer": MOMENTUM}}),
                Mutant("RMSprop alike", {"where": {"optimizer": RMSPROP}}),
            ),
        ),
        Hypothesis(
            "C37.linear",
            "Momentum and Nesterov need steps in proportion to ln(1/y₀) too, with a larger root r "
            "in place of 1\u00a0+\u00a02λ.",
            # y_t is y_0 times a function of t: only rounding up, twice, and what is left of the
            # smaller root keep the difference from ln(10^4) / ln r.
            AtMost("extra_off_theory", 2, where={"optimizer": LINEAR}),
            formula=r"r^2 = (1 + \alpha + 2\lambda)\, r - \alpha, \quad "
            r"r^2 = (1 + 2\lambda)((1 + \alpha)\, r - \alpha)",
            mutants=(
                Mutant(
                    "1 + 2λ for momentum",
                    {"metric": "extra_off_descent", "where": {"optimizer": MOMENTUM}},
                ),
            ),
        ),
        Hypothesis(
            "C37.rmsprop",
            "RMSprop leaves the saddle within 1/λ steps from any distance.",
            AtMost("steps_times_rate", 1.0, where={"optimizer": RMSPROP}),
            formula=r"\nu_t \le g_t^2 \;\Rightarrow\; \lvert y_t - y_{t-1} \rvert \ge \lambda",
            mutants=(Mutant("gradient descent", {"where": {"optimizer": DESCENT}}),),
        ),
        Hypothesis(
            "C37.normalized",
            "A start 10 000 times as close to the ridge costs RMSprop and Adam at most two "
            "steps more.",
            # Both starts grow by the same lengths, in learning rates, up to the share y_0 of the
            # way, at most 0.01: that is one step at lambda = 0.01, and rounding up one more.
            AtMost("extra_steps", 2, where={"optimizer": NORMALIZED}),
            formula=r"t(10^{-4}\, y_0) - t(y_0) = O(1)",
            mutants=(Mutant("gradient descent", {"where": {"optimizer": DESCENT}}),),
        ),
        Hypothesis(
            "C37.recursions",
            "On all three surfaces the library's first 60 steps are those of the recursions.",
            # Rounding is carried along, one more a step.
            Identity("hand_deviation", terms=SAME_STEPS),
            mutants=(Mutant("another optimizer's recursion", {"metric": "nearest_other"}),),
        ),
    ),
    factors={"optimizer": OPTIMIZERS},
    # Deterministic: 20 distances from the ridge, each with a second one.
    seeds=20,
    paired=("initial weights",),
    budget={"learning_rate": 0.01, "steps": 1000, "shown": 600},
    metrics={
        "steps": Metric("steps until |y| = 1", "steps", "lower"),
        "steps_nearer": Metric("the same from 10 000 times as close", "steps", "lower"),
        "steps_off_descent": Metric("distance from gradient descent's count", "steps"),
        "extra_steps": Metric("steps that the closer start costs", "steps", "lower"),
        "extra_off_theory": Metric("distance from their number in theory", "steps"),
        "extra_off_descent": Metric("distance from gradient descent's number", "steps"),
        "steps_times_rate": Metric("most steps, times the learning rate", "1", "lower"),
        "hand_deviation": Metric("largest distance from the recursion, relative", "1", "lower"),
        "nearest_other": Metric("the same for the nearest other optimizer's recursion", "1"),
    },
    figure=(
        race(BEALE, "x", "y", "Beale's function, λ = 0.01 for all: one start, no ranking", True),
        race(SADDLE, "x", "y", "The saddle x² − y², a thousandth from its ridge"),
        race(RAVINE, "x, curvature 1", "y, curvature 40", "A ravine"),
        Points(
            x="optimizer",
            y="extra_steps",
            x_label="optimizer",
            y_label="extra steps for a start 10 000 times as close",
            title="At the saddle, normalized methods do not mind a tiny gradient",
        ),
    ),
    measure=measure,
    finding="At a saddle the steps of gradient descent, with momentum or without, grow with the "
    "logarithm of the distance; RMSprop needs at most 1/λ from anywhere.",
    corrected=r"t_{\mathrm{GD}} = \left\lceil \frac{\ln(1/y_0)}{\ln(1 + 2\lambda)} \right\rceil, "
    r"\quad t_{\mathrm{RMSprop}} \le \frac{1}{\lambda}",
    figures=("F17",),
    components=(
        "suite.optimizers.SGD",
        "suite.optimizers.RMSprop",
        "suite.optimizers.Adam",
    ),
    limits="Three surfaces in the plane, one start and one learning rate, no noise: the race "
    "ranks nothing. Which surface the lecture showed is not known. With ε > 0 a normalized method "
    "is slow as well while its gradient is below ε.",
)
