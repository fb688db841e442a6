"""Robbins and Monro's conditions give convergence; how fast is another question.

Lecture section "Stochastic gradients", claim C32. The learning rates of SGD shall satisfy

    sum_t lambda_t = infinity      far enough to reach any point
    sum_t lambda_t^2 < infinity    and the noise in the end is averaged away

and the slide adds that SGD then converges at O(1/T). On a quadratic of curvature mu with gradient
noise of unit variance, the mean squared distance to the minimum follows a recursion exactly:

    m_{t+1} = (1 - lambda_t mu)^2 m_t + lambda_t^2

With `lambda_t = c / t` it falls as `T^-min(2 c mu, 1)`, with a further `log T` at `2 c mu = 1`;
with `lambda_t = c / t^p`, p < 1, as `T^-p`, even for `p = 1/2`, whose squares have an infinite
sum. Here mu = 1. The schedules are the library's; its SGD runs with them in 4000 chains for as long
as that is cheap, and the recursion is iterated a hundred times longer.
"""

import math

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.experiments.stochastic_gradients import _chains
from benchmarks.verdicts import Agreement, AtMost, Identity

# name -> (c, power) of `RobbinsMonro`
INVERSE = {f"{c:g}/t": (c, 1.0) for c in (0.1, 0.25, 0.5, 1.0, 2.0)}
CRITICAL, CONSTANT, SUMMABLE, ROOT = "0.5/t", "constant 0.1", "0.5/t²", "1/√t"
SLOWER = {"power 0.75": (1.0, 0.75), "power 0.6": (1.0, 0.6)}
SCHEDULES = INVERSE | SLOWER | {ROOT: (1.0, 0.5), CONSTANT: (0.1, 0.0), SUMMABLE: (0.5, 2.0)}
SATISFYING = (*INVERSE, *SLOWER)  # both conditions hold
POWERS = (*(name for name in SATISFYING if name != CRITICAL), ROOT)
OTHERS = (*SLOWER, ROOT, CONSTANT, SUMMABLE)
START = 1.0  # distance to the minimum, in standard deviations of the gradient noise
CHAINS = 200  # a seed
BOWL = np.array([1.0, 0.2])  # curvatures of the drawn problem
BOWL_START = np.array([2.0, 2.0])
BOWL_STEPS, BOWL_RATE = 150, 0.2
DESCENT, CONSTANT_PATH, DECAYING_PATH = "gradient descent", "SGD", "SGD, rate 1/t"


def rates(name, steps):
    """The schedule's learning rates at t = 1, ..., steps, as the library computes them."""
    import keras

    from suite.optimizers import RobbinsMonro

    c, power = SCHEDULES[name]
    return keras.ops.convert_to_numpy(RobbinsMonro(c, power)(np.arange(steps))).astype(float)


def mean_and_square(learning_rates):
    """E w_t and E w_t^2 at t = 0, 1, ..., steps, exactly."""
    first, second = [START], [START**2]
    for rate in learning_rates.tolist():
        keep = 1 - rate
        first.append(keep * first[-1])
        second.append(keep * keep * second[-1] + rate * rate)
    return np.array(first), np.array(second)


def exponent_of(name):
    """`log m_T / log T` in the limit; a constant rate and a summable one arrive nowhere."""
    c, power = SCHEDULES[name]
    return -min(2 * c, 1.0) if power == 1 else -power if 0 < power < 1 else 0.0


def picture(seed):
    """A bowl in the plane with one path of gradient descent and two of SGD, in the same noise.

    All start with the same rate; the decaying one is `c / (1 + c t / 5)`, which is 5/t in the end.
    """
    from suite.optimizers import SGD

    noise = np.random.default_rng([int(seed), 4]).normal(size=(BOWL_STEPS, 2))
    decay = BOWL_RATE / (1 + BOWL_RATE * np.arange(BOWL_STEPS) / 5)
    paths = {}
    for name, scale, rates in (
        (DESCENT, 0.0, np.full(BOWL_STEPS, BOWL_RATE)),
        (CONSTANT_PATH, 1.0, np.full(BOWL_STEPS, BOWL_RATE)),
        (DECAYING_PATH, 1.0, decay),
    ):
        # A step of rate lambda is a step of rate 1 along lambda times the gradient.
        moves = _chains.trajectory(
            SGD(1.0),
            BOWL_START,
            lambda w, z: z[0] * (BOWL * w + z[1]),
            np.stack([np.tile(rates[:, None], 2), scale * noise], axis=1),
        )
        paths[name] = np.vstack([BOWL_START, moves]).astype("float32")
    columns = np.linspace(-2.6, 2.6, 40)
    return paths | {
        "loss": (columns[:, None] ** 2 * BOWL[1] + columns**2 * BOWL[0]) / 2,
        "loss.x": columns,
        "loss.y": columns,
    }


def measure(cell, seeds):
    """The exact recursion, and SGD's own mean squared distance over it, one value a seed."""
    from suite.optimizers import SGD, RobbinsMonro

    c, power = SCHEDULES[cell.schedule]
    learning_rates = rates(cell.schedule, cell.steps)
    first, m = mean_and_square(learning_rates)
    last, tenth, rate = cell.steps, cell.steps // 10, learning_rates[-1]
    exponent = math.log(m[last] / m[tenth]) / math.log(last / tenth)
    growth = (last * m[last] - tenth * m[tenth]) / (c**2 * math.log(last / tenth))
    # What a summable 0.5 / t^2 leaves of the start: prod (1 - c / t^2) = sin(pi a) / (pi a).
    root = math.pi * math.sqrt(c)
    forgotten = abs(first[last] - START * math.sin(root) / root)

    chains = _chains.trajectory(
        SGD(RobbinsMonro(c, power)),
        np.full((len(seeds), CHAINS), START),
        lambda w, z: w + z,
        _chains.noise(seeds, (cell.sampled_steps, CHAINS)),
    )
    square = np.mean(chains**2, axis=2).T  # (seeds, sampled_steps)
    shown = np.unique(np.geomspace(1, cell.sampled_steps, 60).astype(int))
    far = np.unique(np.geomspace(1, last, 80).astype(int))
    t = cell.sampled_steps

    def every(value):
        return np.full(len(seeds), float(value))

    return Measurements(
        metrics={
            "exponent": every(exponent),
            "exponent_deviation": every(abs(exponent - exponent_of(cell.schedule))),
            "deviation_from_one": every(abs(exponent + 1)),
            "decade_ratio": every(m[last] / m[tenth]),
            "growth_deviation": every(abs(growth - 1)),
            "plateau_deviation": every(abs(m[last] * (2 - rate) / rate - 1)),
            "half_rate_deviation": every(abs(m[last] * 2 / rate - 1)),
            "forgotten_deviation": every(forgotten),
            "scaled_error": square[:, t - 1] / m[t],
            "one": every(1),
            "noise_free": every(first[t] ** 2 / m[t]),
        },
        curves={
            "squared_distance": square[:, shown - 1],
            "exact": np.broadcast_to(m[far], (len(seeds), len(far))),
        },
        axes={"squared_distance": shown, "exact": far},
        theory={"squared_distance": m[shown]},
        slide={"exact": 1 / far},
        arrays=picture(seeds[0]) if cell.schedule == CONSTANT else {},
    )


# Between 10^4 and 10^5 steps the exponent of 1 / t^p differs from -p by its next term,
# (1 - p) p / 2 t^(p - 1): 0.0094 at p = 3/4. Twice that leaves room for the term after.
NEXT_TERM = 0.02
# The slowest schedule, 0.1 / t, gains a factor of 10^-0.2 a decade; halfway to none at all.
STILL_FALLING = 10**-0.1

EXPERIMENT = Experiment(
    claim="C32",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C32.converges",
            "Under both conditions the mean squared distance keeps falling.",
            AtMost("decade_ratio", STILL_FALLING, where={"schedule": SATISFYING}),
            kind="as stated",
            formula=r"\sum_t \lambda_t = \infty,\; \sum_t \lambda_t^2 < \infty "
            r"\;\Rightarrow\; w_t \to w^*",
            mutants=(
                Mutant("the squares' sum infinite", {"where": {"schedule": CONSTANT}}),
                Mutant("both sums finite", {"where": {"schedule": SUMMABLE}}),
            ),
        ),
        Hypothesis(
            "C32.stated",
            "Under both conditions the mean squared distance falls as 1/T.",
            AtMost("deviation_from_one", NEXT_TERM, where={"schedule": SATISFYING}),
            kind="as stated",
            formula=r"\mathbb{E} \lVert w_T - w^* \rVert^2 = O(1/T)",
        ),
        Hypothesis(
            "C32.rate",
            "The exponent is −min(2cμ, 1) for λ\u00a0=\u00a0c/t, and −p for λ\u00a0=\u00a0c/tᵖ "
            "with p\u00a0<\u00a01.",
            AtMost("exponent_deviation", NEXT_TERM, where={"schedule": POWERS}),
            formula=r"\mathbb{E} \lVert w_T - w^* \rVert^2 \propto T^{-\min(2 c \mu,\, 1)}",
            mutants=(Mutant("−1 for all", {"metric": "deviation_from_one"}),),
        ),
        Hypothesis(
            "C32.critical",
            "At 2cμ\u00a0=\u00a01 it falls as log(T)/T: T times the squared distance gains "
            "c² log\u00a010 a decade.",
            # The sum of 1/t between T/10 and T is log 10 up to 9 / (2 T); the rest of the
            # expansion is smaller by another 1/t, times logarithms.
            AtMost("growth_deviation", 1e-3, where={"schedule": CRITICAL}),
            formula=r"T\, m_T = c^2 \log T + O(1)",
            mutants=(Mutant("without the logarithm, as at c = 1", {"where": {"schedule": "1/t"}}),),
        ),
        Hypothesis(
            "C32.not_necessary",
            "The conditions are not necessary: λ\u00a0=\u00a01/√t has an infinite sum of squares, "
            "and the squared distance keeps falling.",
            AtMost("decade_ratio", STILL_FALLING, where={"schedule": ROOT}),
            formula=r"\lambda_t = t^{-1/2}: \quad m_T \simeq \tfrac12 T^{-1/2}",
            mutants=(Mutant("a constant rate", {"where": {"schedule": CONSTANT}}),),
        ),
        Hypothesis(
            "C32.plateau",
            "A constant learning rate stops at λ/(2\u00a0−\u00a0λ): the noise is never averaged "
            "away.",
            # A contraction by 1 - lambda forgets older roundings.
            Identity("plateau_deviation", terms=int(1 / 0.1), where={"schedule": CONSTANT}),
            formula=r"m_\infty = \frac{\lambda}{2 - \lambda}",
            mutants=(Mutant("λ/2", {"metric": "half_rate_deviation"}),),
        ),
        Hypothesis(
            "C32.reach",
            "If the rates have a finite sum, a fixed share of the start is never forgotten.",
            # The factors left out after T = 10^5 steps change the product by c / T.
            AtMost("forgotten_deviation", 2 * 0.5 / 1e5, where={"schedule": SUMMABLE}),
            formula=r"\frac{\mathbb{E}\, w_\infty}{w_0} = \prod_t \left(1 - \frac{c}{t^2}\right) "
            r"= \frac{\sin \pi \sqrt{c}}{\pi \sqrt{c}}",
            mutants=(Mutant("with an infinite sum", {"where": {"schedule": CRITICAL}}),),
        ),
        Hypothesis(
            "C32.chains",
            "SGD with each of these schedules has the mean squared distance of the recursion.",
            Agreement("scaled_error", "one"),
            formula=r"m_{t+1} = (1 - \lambda_t \mu)^2 m_t + \lambda_t^2",
            mutants=(Mutant("the recursion without noise", {"expected": "noise_free"}),),
        ),
    ),
    factors={"schedule": tuple(SCHEDULES)},
    # A squared Gaussian has relative standard deviation sqrt(2): 20 seeds of 200 chains know its
    # mean to 2 %, and four of these are a sixth of the gap that the noise makes.
    seeds=20,
    paired=("noise",),
    budget={"steps": 100_000, "sampled_steps": 1000},
    smoke={"steps": 10_000, "sampled_steps": 100},
    metrics={
        "exponent": Metric("exponent over the last decade", "1"),
        "exponent_deviation": Metric("its deviation from theory", "1", "lower"),
        "deviation_from_one": Metric("its deviation from −1", "1"),
        "decade_ratio": Metric("mean squared distance at T over that at T/10", "1", "lower"),
        "growth_deviation": Metric("gain of T m over c² log 10, deviation from 1", "1"),
        "plateau_deviation": Metric("relative deviation from λ/(2 − λ)", "1"),
        "half_rate_deviation": Metric("relative deviation from λ/2", "1"),
        "forgotten_deviation": Metric("deviation of the mean from sin(π√c)/(π√c)", "1"),
        "scaled_error": Metric("mean squared distance of the chains over the recursion's", "1"),
        "one": Metric("one", "1"),
        "noise_free": Metric("the recursion without noise over the recursion", "1"),
    },
    figure=(
        Plane(
            surface="loss",
            paths=(DESCENT, CONSTANT_PATH, DECAYING_PATH),
            where={"schedule": CONSTANT},
            x_label="first weight",
            y_label="second weight",
            title="SGD wanders on at a constant rate; a falling rate averages the noise away",
        ),
        Curves(
            y="exact",
            by="schedule",
            where={"schedule": tuple(INVERSE)},
            log="xy",
            x_label="step",
            y_label="mean squared distance, exact",
            title="All satisfy the conditions; not all fall as 1/t (dotted)",
        ),
        Curves(
            y="exact",
            by="schedule",
            where={"schedule": OTHERS},
            log="xy",
            x_label="step",
            y_label="mean squared distance, exact",
            title="1/√t falls without them; two stop short of the minimum",
        ),
        Curves(
            y="squared_distance",
            by="schedule",
            where={"schedule": ("0.1/t", "1/t", ROOT, CONSTANT)},
            log="xy",
            center="mean",
            x_label="step",
            y_label="mean squared distance of 200 chains",
            title="SGD follows the recursion (dashed)",
        ),
    ),
    measure=measure,
    finding="Robbins and Monro's conditions give convergence but no rate: 1/T needs c/t with "
    "c > 1/(2μ), and 1/√t converges without satisfying them.",
    stated=r"\sum_{t=1}^{T} \lambda_t = \infty,\; \sum_{t=1}^{T} \lambda_t^2 < \infty "
    r"\;\Rightarrow\; O(1/T)",
    corrected=r"\sum_{t=1}^{\infty} \lambda_t = \infty,\; \sum_{t=1}^{\infty} \lambda_t^2 < \infty "
    r"\;\Rightarrow\; w_t \to w^*; \quad \mathbb{E}\lVert w_T - w^*\rVert^2 = O(1/T) "
    r"\text{ for } \lambda_t = \tfrac{c}{t},\; c > \tfrac{1}{2\mu}",
    figures=("F15",),
    components=("suite.optimizers.RobbinsMonro", "suite.optimizers.SGD"),
    limits="A quadratic in one dimension with Gaussian noise of constant variance, where "
    "everything is exact. Convergence is measured in mean square; almost sure convergence is "
    "about whole paths, and its proof needs more than these two sums.",
)
