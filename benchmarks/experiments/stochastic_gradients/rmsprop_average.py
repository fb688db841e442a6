"""RMSprop divides by the root of an average of squares: mean and noise of the gradient together.

Lecture section "Stochastic gradients", claim C34. Element by element,

    nu_t = alpha nu_{t-1} + (1 - alpha) g_t^2        w_t = w_{t-1} - lambda g_t / sqrt(nu_t)

For gradients of mean `m` and variance `sigma^2` the average is `m^2 + sigma^2` once it is
stationary, and `E nu_t = (1 - alpha^t) (m^2 + sigma^2)` after t steps from zero. So noise shortens
the step. The slide has no epsilon: a coordinate whose gradient was never active divides 0 by 0.
Keras adds epsilon inside the root. The average is read from the optimizer's own variable, and the
steps are compared with a recursion in NumPy and with Keras.
"""

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.experiments.stochastic_gradients import _chains
from benchmarks.verdicts import Agreement, AtMost, Identity, Sign, every

ALPHA = 0.9
MEAN = -1.0  # of the gradient; negative, for signs to matter
NOISE = (0.0, 0.5, 1.0, 2.0, 4.0)  # standard deviation of the gradient
CHAINS = 200  # a seed
EARLY = 3  # a step at which 1 - alpha^t is still 0.27
SHOWN = 60  # steps in the picture: by then the average has risen
PEER_STEPS = 30
# Gradients of the comparison with Keras: so small that epsilon = 1e-7 inside the root rules.
SMALL = 1e-4


def recursion(gradients, rate, epsilon, inside):
    """RMSprop by hand from 1, `(steps,)`."""
    w, nu, path = 1.0, 0.0, []
    for g in gradients:
        nu = ALPHA * nu + (1 - ALPHA) * g * g
        w -= rate * g / (np.sqrt(nu + epsilon) if inside else np.sqrt(nu) + epsilon)
        path.append(w)
    return np.array(path)


def eager_path(optimizer, gradients):
    """The same with an optimizer, step by step from 1, which Keras may have made."""
    import keras

    w, path = keras.Variable(np.ones_like(gradients[0]), dtype="float64"), []
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [w])
        path.append(keras.ops.convert_to_numpy(w.value))
    return np.array(path)


def apart(a, b):
    """Largest difference of two paths' steps, relative."""
    a, b = np.diff(a, axis=0), np.diff(b, axis=0)
    return np.abs(a - b).max(axis=0) / np.abs(b).max(axis=0)


def measure(cell, seeds):
    """The average of squares at an early and a late step, and steps against their oracles."""
    import keras

    from suite.optimizers import RMSprop

    count, rate = len(seeds), _chains.learning_rate(0.01)
    second = MEAN**2 + cell.noise**2
    g = MEAN + cell.noise * _chains.noise(seeds, (cell.steps, CHAINS))
    optimizer = RMSprop(0.01, rho=ALPHA, epsilon=0.0)
    nu = _chains.trajectory(
        optimizer,
        np.zeros((count, CHAINS)),
        lambda w, z: z,
        g,
        record=lambda: next(v for v in optimizer.variables if "velocity" in v.path).value,
    )
    average = nu.mean(axis=2).T  # (seeds, steps)
    t = np.arange(1, cell.steps + 1)

    drawn = SMALL * (MEAN + cell.noise * _chains.noise(seeds, (PEER_STEPS,), 1))
    ours = eager_path(RMSprop(0.01, rho=ALPHA), drawn)
    outside = eager_path(RMSprop(0.01, rho=ALPHA, epsilon_inside=False), drawn)
    peer = eager_path(keras.optimizers.RMSprop(0.01, rho=ALPHA), drawn)
    by_hand = np.array([recursion(d, rate, 1e-7, True) for d in drawn.T]).T
    dead = np.zeros((2, 1))
    undefined = ~np.isfinite(eager_path(RMSprop(0.01, rho=ALPHA, epsilon=0.0), dead)[:, 0])
    guarded = ~np.isfinite(eager_path(RMSprop(0.01, rho=ALPHA), dead)[:, 0])

    def every_seed(value):
        return np.full(count, float(value))

    return Measurements(
        metrics={
            "late": average[:, -1],
            "early": average[:, EARLY - 1],
            "stationary_law": every_seed(second),
            "transient_law": every_seed((1 - ALPHA**EARLY) * second),
            "variance_alone": every_seed(cell.noise**2),
            "effective_step": np.mean(1 / np.sqrt(nu[-1]), axis=1),
            "effective_step_theory": every_seed(1 / np.sqrt(second)),
            "keras_deviation": apart(ours, peer),
            "recursion_deviation": apart(ours, by_hand),
            "outside_deviation": apart(outside, peer),
            "undefined_without_epsilon": every_seed(undefined.sum()),
            "undefined_with_epsilon": every_seed(guarded.sum()),
        },
        curves={"average": average[:, :SHOWN]},
        axes={"average": t[:SHOWN]},
        theory={"average": (1 - ALPHA ** t[:SHOWN]) * second},
        slide={"average": np.full(len(t[:SHOWN]), second)},
    )


PAIRS = list(zip(NOISE[:-1], NOISE[1:], strict=True))
# Without noise nothing scatters, and any deviation at all is refuted: no test of a wrong form.
NOISY = {"noise": tuple(level for level in NOISE if level)}

EXPERIMENT = Experiment(
    claim="C34",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C34.stationary",
            "Once stationary, the average of squares is the squared mean plus the variance.",
            Agreement("late", "stationary_law"),
            kind="as stated",
            formula=r"\nu_t \simeq \mu^2 + \sigma^2",
            mutants=(Mutant("the variance alone", {"expected": "variance_alone", "where": NOISY}),),
        ),
        Hypothesis(
            "C34.noise",
            "The noisier the gradient, the shorter the effective step.",
            every(*(Sign("effective_step", factor="noise", first=a, second=b) for a, b in PAIRS)),
            kind="as stated",
            formula=r"\frac{\lambda}{\sqrt{\nu}} \simeq \frac{\lambda}{\sqrt{\mu^2 + \sigma^2}}",
            mutants=(Mutant("multiplied by ν instead", {"metric": "late"}),),
        ),
        Hypothesis(
            "C34.stated",
            "The step is defined for every coordinate, also one whose gradient was never active.",
            AtMost("undefined_without_epsilon", 0),
            kind="as stated",
            formula=r"\frac{\tilde g_t}{\sqrt{\nu_t}}",
        ),
        Hypothesis(
            "C34.epsilon",
            "With ε under the root the step of such a coordinate is defined.",
            AtMost("undefined_with_epsilon", 0),
            formula=r"\frac{\tilde g_t}{\sqrt{\nu_t + \epsilon}}",
            mutants=(Mutant("ε = 0", {"metric": "undefined_without_epsilon"}),),
        ),
        Hypothesis(
            "C34.transient",
            "From its start at zero the average is short of that by the factor 1\u00a0−\u00a0αᵗ.",
            Agreement("early", "transient_law"),
            formula=r"\mathbb{E}\,\nu_t = (1 - \alpha^t)(\mu^2 + \sigma^2)",
            mutants=(Mutant("without the factor", {"expected": "stationary_law", "where": NOISY}),),
        ),
        Hypothesis(
            "C34.recursion",
            "The library takes the steps of the recursion with ε inside the root.",
            # A step is a difference of weights near 1: at 0.01 x 0.3 it has lost 9 bits.
            Identity("recursion_deviation", terms=PEER_STEPS, condition=2.0**9),
            formula=r"w_t = w_{t-1} - \lambda \frac{g_t}{\sqrt{\nu_t + \epsilon}}",
            mutants=(Mutant("ε outside", {"metric": "outside_deviation"}),),
        ),
        Hypothesis(
            "C34.keras",
            "These are Keras's steps.",
            Identity("keras_deviation", terms=PEER_STEPS, dtype="float32"),
            mutants=(Mutant("ε outside", {"metric": "outside_deviation"}),),
        ),
    ),
    factors={"noise": NOISE},
    # nu averages (1 + alpha) / (1 - alpha) = 19 squares, each of relative sd at most sqrt(2): 4000
    # chains know its mean to 0.5 %. The smallest gap to a rival is 6 %, at the largest noise.
    seeds=20,
    paired=("noise",),
    budget={"steps": 400},  # what is left of the start, 0.9^400 = 5e-19, is below rounding
    metrics={
        "late": Metric("average of squares after the last step, mean over chains", "1"),
        "early": Metric(f"the same after step {EARLY}", "1"),
        "stationary_law": Metric("squared mean plus variance", "1"),
        "transient_law": Metric(f"the same times 1 − α^{EARLY}", "1"),
        "variance_alone": Metric("variance", "1"),
        "effective_step": Metric("1/√ν, mean over chains", "1"),
        "effective_step_theory": Metric("1/√(μ² + σ²)", "1"),
        "keras_deviation": Metric("largest difference from Keras's steps, relative", "1", "lower"),
        "recursion_deviation": Metric("largest difference from the recursion", "1", "lower"),
        "outside_deviation": Metric("the same with ε outside the root", "1"),
        "undefined_without_epsilon": Metric("undefined steps of a dead coordinate, ε = 0", "1"),
        "undefined_with_epsilon": Metric("the same with ε = 1e-7", "1", "lower"),
    },
    figure=(
        Lines(
            x="noise",
            y="effective_step",
            theory="effective_step_theory",
            x_label="standard deviation of the gradient, mean −1",
            y_label="effective step, in learning rates",
            title="The noisier the gradient, the shorter the step",
        ),
        Curves(
            y="average",
            by="noise",
            log="y",
            center="mean",
            x_label="step",
            y_label="average of squares ν",
            title="The average starts at zero and rises to μ² + σ²",
        ),
    ),
    measure=measure,
    finding="The average of squares settles at squared mean plus variance, so noise shortens the "
    "step; without ε a coordinate that never had a gradient becomes NaN.",
    stated=r"\nu_t = \alpha \nu_{t-1} + (1 - \alpha)\, \tilde g_t^2, \quad "
    r"w = w_{t-1} - \lambda \frac{\tilde g_t}{\sqrt{\nu_t}}",
    corrected=r"w_t = w_{t-1} - \lambda \frac{\tilde g_t}{\sqrt{\nu_t + \epsilon}}, \quad "
    r"\mathbb{E}\,\nu_t = (1 - \alpha^t)(\mu^2 + \sigma^2)",
    components=("suite.optimizers.RMSprop",),
    limits="Gradients that do not depend on the weights, with constant mean and variance. The "
    "effective step lies above 1/√(μ² + σ²), by Jensen's inequality.",
)
