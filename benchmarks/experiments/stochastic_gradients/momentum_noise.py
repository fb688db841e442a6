"""Averaging smooths the direction of a step; the iterate stays as noisy, but arrives sooner.

Lecture section "Stochastic gradients", claim C33. Momentum averages gradients exponentially,

    mu_t = alpha mu_{t-1} + (1 - alpha) g_t        w_t = w_{t-1} - lambda mu_t

and the slide gives the reduction of noise as its purpose. For gradients `h w + noise` of variance
`sigma^2` theory says, in the order measured here,

    Var[mu] = sigma^2 (1 - alpha) / (1 + alpha)                     the direction, h = 0
    E[mu_t] = (1 - alpha^t) E[g]                                    its start at zero
    Var[w]  = lambda sigma^2 (1 + alpha) / (h (2 (1 + alpha) - lambda h (1 - alpha)))
    rho     = (sqrt(kappa) - 1) / (sqrt(kappa) + 1)                 at the best alpha

The iterate's stationary variance is close to `lambda sigma^2 / (2 h)` for every alpha: consecutive
averages share their noise, so their errors add up again. All chains of a cell, with and without
curvature, are coordinates of one variable that `suite.optimizers.Momentum` moves.
"""

import math

import numpy as np
from scipy.linalg import solve_discrete_lyapunov

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.experiments.stochastic_gradients import _chains
from benchmarks.verdicts import Agreement, AtMost, Identity

LEARNING_RATE = 2.0**-4  # Keras keeps it in float32, which holds a power of two exactly
CURVATURE = 2.0
SIGMA = 1.5
CHAINS = 100  # a seed
KAPPA = 100.0
BEST = ((math.sqrt(KAPPA) - 1) / (math.sqrt(KAPPA) + 1)) ** 2  # the fastest momentum: 81/121
MOMENTA = (0.0, 0.5, BEST, 0.9, 0.99)
SIGNAL = 3.0  # a constant gradient
PEER_STEPS = 50  # in which Keras's form is compared
SMOOTHED = 200  # points of the picture


def iterate_variance(alpha):
    """Stationary variance of w, in closed form."""
    lr, h = LEARNING_RATE, CURVATURE
    return lr * SIGMA**2 * (1 + alpha) / (h * (2 * (1 + alpha) - lr * h * (1 - alpha)))


def lyapunov_variance(alpha):
    """The same from `C = A C A^T + Q` of the state (w, mu), and the equation's condition."""
    lr, h = LEARNING_RATE, CURVATURE
    a = np.array([[1 - lr * (1 - alpha) * h, -lr * alpha], [(1 - alpha) * h, alpha]])
    b = SIGMA * (1 - alpha) * np.array([-lr, 1.0])
    condition = np.linalg.cond(np.eye(4) - np.kron(a, a))
    return solve_discrete_lyapunov(a, np.outer(b, b))[0, 0], condition


def best_steps(alpha):
    """`lambda (1 - alpha) h` at both ends of the spectrum, for the fastest convergence.

    With complex roots at both ends the radius is `sqrt(alpha)` for every learning rate in between;
    that needs alpha >= `BEST`, and `lambda = 1 / sqrt(mu beta)` is always one of them. Below, the
    ends of the spectrum share the radius at `2 (1 + alpha) / (1 + kappa)`.
    """
    low = 2 * (1 + alpha) / (1 + KAPPA)
    if alpha >= BEST:
        low = (1 - alpha) / math.sqrt(KAPPA)
    return np.array([low, low * KAPPA])


def radius(alpha):
    """Spectral radius in theory: of `r^2 - (1 + alpha - s) r + alpha` at the low end s."""
    half = (1 + alpha - best_steps(alpha)[0]) / 2
    return math.sqrt(alpha) if alpha >= BEST else half + math.sqrt(half**2 - alpha)


def identified_radius(path):
    """Spectral radius of the linear recursion that a path of shape `(>= 4, coordinates)` obeys.

    Two equations `w_{t+1} = p w_t + q w_{t-1}` give p and q, whose polynomial has the roots.
    """
    found = []
    for w in path.T:
        rounding = 64 * np.finfo(float).eps * w[1] ** 2
        if abs(w[1] ** 2 - w[0] * w[2]) <= rounding:  # no momentum: one root, and one equation
            found.append(abs(w[1] / w[0]))
            continue
        p, q = np.linalg.solve([[w[1], w[0]], [w[2], w[1]]], w[2:4])
        found.append(np.abs(np.roots([1, -p, -q])).max())
    return max(found)


def peer_path(optimizer, seed):
    """A noisy quadratic, step by step, with an optimizer that Keras may have made."""
    import keras

    g = _chains.noise([seed], (PEER_STEPS,), 3)[:, 0]
    w, path = keras.Variable([1.0], dtype="float64"), []
    for z in g:
        optimizer.apply([CURVATURE * w.value + z], [w])
        path.append(keras.ops.convert_to_numpy(w.value)[0])
    return np.array(path)


def apart(a, b):
    """Largest distance of two paths, relative."""
    return np.abs(a - b).max() / np.abs(b).max()


def measure(cell, seeds):
    """Variances of direction and iterate, bias, rate, and the same steps by Keras."""
    import keras

    from suite.optimizers import Momentum

    alpha, lr, steps, count = cell.alpha, LEARNING_RATE, cell.steps, len(seeds)
    # Columns: noise alone; noise on a curvature; both ends of a spectrum; a constant; the picture.
    noise, bowl = slice(0, CHAINS), slice(CHAINS, 2 * CHAINS)
    ends, constant, picture = slice(2 * CHAINS, 2 * CHAINS + 2), -2, -1
    columns = 2 * CHAINS + 4
    curvature, start = np.zeros(columns), np.zeros((count, columns))
    curvature[bowl] = CURVATURE
    curvature[ends] = best_steps(alpha) / (lr * (1 - alpha))  # only the product matters
    start[:, ends] = 1
    forces = np.zeros((steps, count, columns))
    forces[..., noise] = SIGMA * _chains.noise(seeds, (steps, CHAINS), 0)
    forces[..., bowl] = SIGMA * _chains.noise(seeds, (steps, CHAINS), 1)
    forces[..., constant] = SIGNAL
    shown = min(steps, SMOOTHED)
    wave = np.sin(4 * np.pi * np.arange(shown) / SMOOTHED)
    forces[:shown, :, picture] = wave[:, None] + 0.5 * _chains.noise(seeds, (shown,), 2)
    path = _chains.trajectory(
        Momentum(lr, momentum=alpha), start, lambda w, z: curvature * w + z, forces
    )
    path = np.concatenate([start[None], path])
    averages = (path[:-1] - path[1:]) / lr  # what the optimizer stepped along

    t = np.arange(1, steps + 1)
    # From its start at zero the average's variance is the stationary one times 1 - alpha^(2 t).
    direction = SIGMA**2 * (1 - alpha) / (1 + alpha) * (1 - alpha ** (2 * steps))
    solved, condition = lyapunov_variance(alpha)
    closed = iterate_variance(alpha)
    plain = iterate_variance(0.0)
    rate = identified_radius(path[:5, 0, ends])
    watched = np.linspace(0, steps // 2, 51).astype(int)
    distance = np.linalg.norm(path[: cell.descent + 1, 0, ends], axis=1) / math.sqrt(2)

    keras_path, same, slide = [], [], []
    for seed in seeds[: cell.peers]:
        keras_path.append(peer_path(keras.optimizers.SGD(lr, momentum=alpha), seed))
        slide.append(peer_path(Momentum(lr / (1 - alpha), momentum=alpha), seed))
        same.append(peer_path(Momentum(lr, momentum=alpha), seed))

    def every(value):
        return np.full(count, float(value))

    # One measured deviation for all seeds, where a few of them are enough.
    return Measurements(
        metrics={
            "direction_square": np.mean(averages[-1, :, noise] ** 2, axis=1),
            "direction_law": every(direction),
            "iterate_square": np.mean(path[-1, :, bowl] ** 2, axis=1),
            "iterate_law": every(closed),
            "proportional_law": every(plain * (1 - alpha) / (1 + alpha)),
            "iterate_over_plain": every(solved / plain),
            "direction_over_plain": every((1 - alpha) / (1 + alpha)),
            "iterate_reduction_missed": every(abs(solved / plain - (1 - alpha) / (1 + alpha))),
            "lyapunov_deviation": every(abs(closed - solved) / solved / condition),
            "first_order_deviation": every(
                abs(lr * SIGMA**2 / (2 * CURVATURE) - solved) / solved / condition
            ),
            "bias_deviation": np.abs(
                averages[..., constant] / SIGNAL - (1 - alpha**t)[:, None]
            ).max(axis=0),
            "bias": np.abs(averages[..., constant] / SIGNAL - 1).max(axis=0),
            "rate": every(rate),
            "rate_theory": every(radius(alpha)),
            "rate_deviation": every(abs(rate - radius(alpha))),
            "plain_rate_deviation": every(abs(rate - (KAPPA - 1) / (KAPPA + 1))),
            "keras_deviation": every(max(map(apart, slide, keras_path))),
            "keras_deviation_same_rate": every(max(map(apart, same, keras_path))),
        },
        curves={
            "distance": np.broadcast_to(distance, (count, len(distance))),
            "spread": np.mean(path[watched][..., bowl] ** 2, axis=2).T,
        },
        axes={"spread": watched},
        theory={"spread": np.full(len(watched), closed)},
        arrays={
            "average": np.column_stack([t[:shown], averages[:shown, 0, picture]]),
            "signal": np.column_stack([t[:shown], wave]),
            "gradient": np.column_stack([t[:shown], forces[:shown, 0, picture]]),
        },
    )


EXPERIMENT = Experiment(
    claim="C33",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C33.direction",
            "Averaging divides the variance of the direction by "
            "(1\u00a0+\u00a0α)/(1\u00a0−\u00a0α).",
            Agreement("direction_square", "direction_law"),
            kind="as stated",
            formula=r"\mathrm{Var}[\mu_\infty] = \frac{1 - \alpha}{1 + \alpha}\, \sigma^2",
            mutants=(Mutant("as little as the iterate's", {"expected": "iterate_law"}),),
        ),
        Hypothesis(
            "C33.stated",
            "The iterate's noise falls by the same factor as the direction's.",
            Agreement("iterate_square", "proportional_law"),
            kind="as stated",
            formula=r"\mathrm{Var}[w] \propto \frac{1 - \alpha}{1 + \alpha}",
        ),
        Hypothesis(
            "C33.iterate",
            "At the same λ the iterate's variance is nearly the same for every α.",
            Agreement("iterate_square", "iterate_law"),
            formula=r"\mathrm{Var}[w] = \frac{\lambda \sigma^2 (1 + \alpha)}"
            r"{h\,(2(1 + \alpha) - \lambda h (1 - \alpha))} \approx \frac{\lambda \sigma^2}{2h}",
            mutants=(Mutant("in proportion to the direction's", {"expected": "proportional_law"}),),
        ),
        Hypothesis(
            "C33.lyapunov",
            "That closed form solves the Lyapunov equation of weight and average.",
            # Deviations are divided by the condition number of the linear system in 4 unknowns.
            Identity("lyapunov_deviation", terms=4),
            formula=r"C = A C A^\top + Q",
            mutants=(Mutant("λσ²/(2h), exactly", {"metric": "first_order_deviation"}),),
        ),
        Hypothesis(
            "C33.bias",
            "The average starts at zero and holds the share 1\u00a0−\u00a0αᵗ of a constant "
            "gradient after t steps.",
            # Averages are differences of weights that have gone as many steps.
            Identity("bias_deviation", terms=1000),
            formula=r"\mathbb{E}\,\mu_t = (1 - \alpha^t)\, \mathbb{E}\, g",
            mutants=(Mutant("the whole gradient at once", {"metric": "bias"}),),
        ),
        Hypothesis(
            "C33.acceleration",
            "On a quadratic with κ\u00a0=\u00a0100 the best α reaches the rate "
            "(√κ\u00a0−\u00a01)/(√κ\u00a0+\u00a01), and every other α the one of its roots.",
            # At the best alpha two roots meet, and a double root moves with the square root of
            # rounding: 64 epsilon, of two equations in two unknowns.
            AtMost("rate_deviation", math.sqrt(2 * 64 * 2.0**-52)),
            formula=r"\rho = \frac{\sqrt{\kappa} - 1}{\sqrt{\kappa} + 1} \ll "
            r"\frac{\kappa - 1}{\kappa + 1}",
            mutants=(Mutant("(κ − 1)/(κ + 1) for all", {"metric": "plain_rate_deviation"}),),
        ),
        Hypothesis(
            "C33.keras",
            "Keras's momentum takes the slide's steps if λ is divided by 1\u00a0−\u00a0α.",
            Identity("keras_deviation", terms=PEER_STEPS, dtype="float32"),
            formula=r"\lambda_{\mathrm{slide}} = \frac{\lambda_{\mathrm{Keras}}}{1 - \alpha}",
            mutants=(Mutant("the same λ", {"metric": "keras_deviation_same_rate"}),),
        ),
    ),
    factors={"alpha": MOMENTA},
    # A squared Gaussian has relative standard deviation sqrt(2): 20 seeds of 100 chains know a
    # variance to 3 %. The nearest rivals are factors of 3 away.
    seeds=20,
    paired=("noise",),
    # At alpha = 0.99 what is left of the start has decayed by 0.99^1000, 4e-5.
    budget={"steps": 1000, "descent": 100, "peers": 2},
    metrics={
        "direction_square": Metric("squared average of noise, mean over chains", "1", "lower"),
        "direction_law": Metric("σ² (1 − α)/(1 + α)", "1"),
        "iterate_square": Metric("squared distance to the minimum, mean over chains", "1", "lower"),
        "iterate_law": Metric("its stationary value in theory", "1"),
        "proportional_law": Metric("without momentum, times (1 − α)/(1 + α)", "1"),
        "iterate_over_plain": Metric("variance of the iterate over that without momentum", "1"),
        "direction_over_plain": Metric("variance of the direction over that without", "1"),
        "iterate_reduction_missed": Metric("distance of the two ratios", "1"),
        "lyapunov_deviation": Metric("relative deviation from Lyapunov, over condition", "1"),
        "first_order_deviation": Metric("the same for λσ²/(2h)", "1"),
        "bias_deviation": Metric("deviation of the share of a constant from 1 − αᵗ", "1"),
        "bias": Metric("deviation of that share from one", "1"),
        "rate": Metric("error factor a step at κ = 100", "1", "lower"),
        "rate_theory": Metric("spectral radius in theory", "1"),
        "rate_deviation": Metric("deviation of the two", "1"),
        "plain_rate_deviation": Metric("deviation from (κ − 1)/(κ + 1)", "1"),
        "keras_deviation": Metric("distance from Keras's path, relative", "1", "lower"),
        "keras_deviation_same_rate": Metric("the same at equal λ", "1"),
    },
    figure=(
        Plane(
            points=("gradient",),
            lines=("average", "signal"),
            by="alpha",
            where={"alpha": (0.5, 0.9, 0.99)},
            x_label="step",
            y_label="gradient",
            title="More smoothing, and a longer delay",
        ),
        Curves(
            y="spread",
            by="alpha",
            center="mean",
            x_label="step",
            y_label="variance of the iterate",
            title="The iterate ends up as noisy for every α; dashed, in theory",
        ),
        Lines(
            x="alpha",
            y="direction_square",
            theory="direction_law",
            x_label="momentum α",
            y_label="variance of the direction",
            title="The direction is smoothed",
        ),
        Curves(
            y="distance",
            by="alpha",
            log="y",
            x_label="step",
            y_label="distance to the minimum, relative",
            title="κ = 100 without noise: the best α is ten times as fast as none",
        ),
    ),
    measure=measure,
    finding="Momentum smooths the direction and leaves the noise of the iterate nearly as it was; "
    "what it buys is speed, √κ in place of κ.",
    stated=r"\mu_t = \alpha \mu_{t-1} + (1 - \alpha)\, \tilde g_t, \quad "
    r"w = w_{t-1} - \lambda \mu_t",
    corrected=r"w_t = w_{t-1} - \lambda \mu_t, \quad \mathrm{Var}[\mu] = "
    r"\frac{1 - \alpha}{1 + \alpha} \sigma^2, \quad "
    r"\mathrm{Var}[w] \approx \frac{\lambda \sigma^2}{2h} \text{ for every } \alpha",
    figures=("F16",),
    components=("suite.optimizers.Momentum", "suite.optimizers.SGD"),
    limits="A quadratic with noise of constant variance, at a fixed learning rate. Rates are "
    "those of the best learning rate for each α, which needs the ends of the spectrum.",
)
