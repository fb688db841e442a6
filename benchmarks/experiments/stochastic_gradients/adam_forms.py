"""Adam as on the slide and as it is used: where epsilon stands, and what the correction prevents.

Lecture section "Stochastic gradients", claim C36. The slide writes one update and mentions a
debiasing step that it does not show:

    slide        w_t = w_{t-1} - lambda mu_t / sqrt(nu_t + epsilon)
    Adam         w_t = w_{t-1} - lambda mu_hat_t / (sqrt(nu_hat_t) + epsilon)
                 mu_hat_t = mu_t / (1 - beta_1^t)        nu_hat_t = nu_t / (1 - beta_2^t)

mu decays with beta_1 and nu with beta_2. Without the correction the first step is
`(1 - beta_1) / sqrt(1 - beta_2)` learning rates long, 3.16 at the usual values, and by the
Cauchy-Schwarz inequality no step is longer than

    B = (1 - beta_1) / sqrt(1 - beta_2) / sqrt(1 - beta_1^2 / beta_2)

which gradients in proportion to `(beta_2 / beta_1)^t` attain: 7.27, and 1 for equal decays. The
corrected form comes as close after many steps without gradient. No correction helps on the
counter-example of Reddi et al. 2018: of three gradients one is 3 and two are -1, and weights are
kept in [-1, 1]. Adam goes to the worst point, +1, and AMSGrad to the best.
"""

import math

import numpy as np

from benchmarks.experiment import Curves, Experiment, Hypothesis, Measurements, Metric, Mutant
from benchmarks.experiments.stochastic_gradients import _chains
from benchmarks.verdicts import AtMost, Identity

ADAM, BARE, SLIDE, AMSGRAD = "Adam", "without debiasing", "slide", "AMSGrad"
# beta_1, beta_2, debias, epsilon inside the root; the slide has one decay for both averages.
FORMS = {
    ADAM: (0.9, 0.999, True, False),
    BARE: (0.9, 0.999, False, False),
    SLIDE: (0.9, 0.9, False, True),
    AMSGRAD: (0.9, 0.999, False, False),
}
UNUSUAL = (ADAM, BARE, AMSGRAD)  # those with two decays
RISE = 300  # steps of growing gradients: (beta_1^2 / beta_2)^300 = 5e-28 is missing from the bound
CHAINS = 3  # a seed
NO_EPSILON = 1e-300  # keeps 0 / 0 away and changes nothing else
EPSILON = 1e-7
SMALL = np.geomspace(1e-8, 1e-1, 15)  # constant gradients
SETTLING = 60  # steps at decays of 1/2, until 2^-60 is left of the start
PEER_STEPS = 30
# Reddi et al.: gradients C, -1, -1 with C > 2, beta_1 = 0, beta_2 = 1 / (1 + C^2).
LARGE, FORGETFUL = 3.0, 0.1
RATE = 0.5  # over sqrt(t)


def optimizer_of(form, learning_rate, epsilon, betas=None):
    """The form as the library's optimizer."""
    from suite.optimizers import Adam, AMSGrad

    beta_1, beta_2, debias, inside = FORMS[form]
    return (AMSGrad if form == AMSGRAD else Adam)(
        learning_rate,
        *(betas or (beta_1, beta_2)),
        epsilon=epsilon,
        debias=debias,
        epsilon_inside=inside,
    )


def longest(beta_1, beta_2):
    """The bound B on a step without correction, in learning rates."""
    return (1 - beta_1) / math.sqrt(1 - beta_2) / math.sqrt(1 - beta_1**2 / beta_2)


def steepening(beta_1, beta_2, steps):
    """Gradients that attain it: in proportion to `(beta_2 / beta_1)^t`, the last one is 1."""
    return (beta_2 / beta_1) ** np.arange(1 - steps, 1.0)


def algorithm_1(gradients, rate, beta_1, beta_2):
    """Algorithm 1 of Kingma & Ba with epsilon 0, in NumPy, from 1."""
    w, mu, nu, path = np.ones_like(gradients[0]), 0.0, 0.0, []
    for t, g in enumerate(gradients, 1):
        mu = beta_1 * mu + (1 - beta_1) * g
        nu = beta_2 * nu + (1 - beta_2) * g**2
        w = w - rate * (mu / (1 - beta_1**t)) / np.sqrt(nu / (1 - beta_2**t))
        path.append(w)
    return np.array(path)


def eager_path(optimizer, gradients):
    """The path of an optimizer from 1, step by step; Keras may have made it."""
    import keras

    w, path = keras.Variable(np.ones_like(gradients[0]), dtype="float64"), []
    for g in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(g)], [w])
        path.append(keras.ops.convert_to_numpy(w.value))
    return np.array(path)


def apart(a, b):
    """Largest difference of two paths, relative to how far they went, one value a column."""
    return np.abs(a - b).max(axis=0) / np.abs(b - 1).max(axis=0)


def lengths(form, gradients):
    """Steps in learning rates, `(steps, columns)`."""
    lr = 2.0**-4  # exact in float32
    path = _chains.trajectory(
        optimizer_of(form, lr, NO_EPSILON),
        np.zeros(gradients.shape[1]),
        lambda w, g: g,
        gradients,
    )
    return np.abs(np.diff(path, axis=0, prepend=0)) / lr


def counter_example(form, starts, steps):
    """Reddi's game from several starts, `(steps, starts)`."""
    from suite.optimizers import RobbinsMonro

    g = np.where(np.arange(steps) % 3 == 0, LARGE, -1.0)[:, None]
    return _chains.trajectory(
        optimizer_of(form, RobbinsMonro(RATE, 0.5), NO_EPSILON, (0.0, FORGETFUL)),
        starts,
        lambda w, g: 0 * w + g,
        np.broadcast_to(g, (steps, len(starts))),
        project=_into_the_interval,
    )


def _into_the_interval(w):
    import tensorflow as tf

    return tf.clip_by_value(w, -1.0, 1.0)


def measure(cell, seeds):
    """Lengths of steps, the effect of epsilon, peers, and the counter-example."""
    import keras

    beta_1, beta_2, debias, _ = FORMS[cell.form]
    count, idle = len(seeds), cell.idle
    bound = longest(beta_1, beta_2)
    rise = steepening(beta_1, beta_2, RISE)
    # Columns: a constant; growth at once; growth after a long time without gradient; heavy tails.
    g = np.zeros((idle + RISE, 3 + CHAINS * count))
    g[:, 0] = 1.0
    g[:RISE, 1] = rise
    g[idle:, 2] = rise
    heavy = _chains.noise(seeds, (2, RISE, CHAINS))
    g[:RISE, 3:] = (heavy[0] / heavy[1]).transpose(1, 0, 2).reshape(RISE, -1)  # Cauchy
    steps = lengths(cell.form, g)
    chains = steps[:RISE, 3:].reshape(RISE, count, CHAINS).max(axis=(0, 2))
    t = idle + RISE
    corrected = math.sqrt(1 - beta_2**t) / (1 - beta_1**t) if debias else 1.0
    provoked = max(steps[RISE - 1, 1] * (not debias), steps[-1, 2])

    epsilon_path = eager_path(
        optimizer_of(cell.form, 2.0**-4, EPSILON, (0.5, 0.5)), np.tile(SMALL, (SETTLING, 1))
    )
    short = (epsilon_path[-2] - epsilon_path[-1]) * 2**4
    outside, inside = SMALL / (SMALL + EPSILON), SMALL / np.sqrt(SMALL**2 + EPSILON)
    own, other = (inside, outside) if FORMS[cell.form][3] else (outside, inside)

    # Scales from 1e-6 to 1e-3, where epsilon = 1e-7 tells the forms apart.
    z = _chains.noise(seeds, (PEER_STEPS,), 1) * 10.0 ** -(3 + np.arange(count) % 4)
    rate = 0.01
    ours = eager_path(optimizer_of(cell.form, rate, EPSILON), z)
    peer = eager_path(keras.optimizers.Adam(rate), z)
    exact = eager_path(optimizer_of(cell.form, rate, NO_EPSILON), z)
    by_hand = algorithm_1(z, _chains.learning_rate(rate), beta_1, beta_2)

    starts = np.array([np.random.default_rng([int(s), 2]).uniform(-1, 1) for s in seeds])
    game = counter_example(cell.form, starts, cell.rounds)
    shown = np.unique(np.geomspace(1, cell.rounds, 120).astype(int))
    first = np.unique(np.geomspace(1, idle, 60).astype(int))
    # No step is longer than 1 / sqrt(1 - beta_2) learning rates: the width of the last cycle.
    width = 3 / math.sqrt(1 - FORGETFUL) * RATE / math.sqrt(cell.rounds - 3)

    def every(value):
        return np.full(count, float(value))

    return Measurements(
        metrics={
            "first_step": every(steps[0, 0]),
            "first_deviation": every(abs(steps[0, 0] / (1 - beta_1) * math.sqrt(1 - beta_2) - 1)),
            "first_deviation_from_one": every(abs(steps[0, 0] - 1)),
            "longest_over_bound": np.maximum(chains, provoked) / bound,
            "longest_over_quoted": every(provoked * math.sqrt(1 - beta_2) / (1 - beta_1)),
            "idle_deviation": every(abs(steps[-1, 2] / (bound * corrected) - 1)),
            "constant_deviation": every(abs(steps[RISE, 0] / (bound * corrected) - 1)),
            "longest": every(provoked),
            "epsilon_deviation": every(np.abs(short - own).max()),
            "epsilon_deviation_exchanged": every(np.abs(short - other).max()),
            "keras_deviation": apart(ours, peer),
            "algorithm_deviation": apart(exact, by_hand),
            "worst_distance": (1 - game[-3:].min(axis=0)) / width,
            "best_distance": (1 + game[-3:].max(axis=0)) / width,
        },
        curves={
            "step": np.broadcast_to(steps[first - 1, 0], (count, len(first))),
            "game": game[shown - 1].T,
            "shortened": np.broadcast_to(short, (count, len(SMALL))),
        },
        axes={"step": first, "game": shown, "shortened": SMALL},
        theory={"shortened": own},
    )


EXPERIMENT = Experiment(
    claim="C36",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C36.stated",
            "The slide's form takes the steps of Keras's Adam.",
            Identity("keras_deviation", terms=PEER_STEPS, dtype="float32", where={"form": SLIDE}),
            kind="as stated",
            formula=r"w_t = w_{t-1} - \lambda \frac{\mu_t}{\sqrt{\nu_t + \epsilon}}",
        ),
        Hypothesis(
            "C36.keras",
            "With debiasing and ε outside the root the steps are those of Keras's Adam.",
            Identity("keras_deviation", terms=PEER_STEPS, dtype="float32", where={"form": ADAM}),
            mutants=(
                Mutant("without debiasing", {"where": {"form": BARE}}),
                Mutant("the slide's form", {"where": {"form": SLIDE}}),
            ),
        ),
        Hypothesis(
            "C36.algorithm",
            "Where ε does not matter they are those of algorithm 1 of Kingma and Ba.",
            # Both take differences of weights near 1 that move by 0.01.
            Identity("algorithm_deviation", terms=PEER_STEPS, condition=100, where={"form": ADAM}),
            formula=r"w_t = w_{t-1} - \lambda \frac{\hat\mu_t}{\sqrt{\hat\nu_t} + \epsilon}, \quad "
            r"\hat\mu_t = \frac{\mu_t}{1 - \beta_1^t}, \; \hat\nu_t = \frac{\nu_t}{1 - \beta_2^t}",
            mutants=(Mutant("without debiasing", {"where": {"form": BARE}}),),
        ),
        Hypothesis(
            "C36.epsilon",
            "A constant gradient g moves the weight by g/(g\u00a0+\u00a0ε) learning rates with ε "
            "outside the root, and by g/√(g²\u00a0+\u00a0ε) inside.",
            # A step is a difference of weights near 5: it loses 2^-52 x 5 / 2^-4 = 80 roundings
            # for a step of length one.
            Identity("epsilon_deviation", terms=SETTLING, condition=80),
            formula=r"\frac{g}{g + \epsilon} \;\text{against}\; \frac{g}{\sqrt{g^2 + \epsilon}}",
            mutants=(Mutant("exchanged", {"metric": "epsilon_deviation_exchanged"}),),
        ),
        Hypothesis(
            "C36.first_step",
            "Without debiasing the first step is (1\u00a0−\u00a0β₁)/√(1\u00a0−\u00a0β₂) learning "
            "rates long.",
            Identity("first_deviation", terms=1, where={"form": BARE}),
            formula=r"\frac{1 - \beta_1}{\sqrt{1 - \beta_2}} = 3.16",
            mutants=(Mutant("with debiasing", {"where": {"form": ADAM}}),),
        ),
        Hypothesis(
            "C36.debiased_first_step",
            "With debiasing it is one learning rate long.",
            Identity("first_deviation_from_one", terms=1, where={"form": ADAM}),
            formula=r"\frac{\hat\mu_1}{\sqrt{\hat\nu_1}} = \pm 1",
            mutants=(Mutant("without debiasing", {"where": {"form": BARE}}),),
        ),
        Hypothesis(
            "C36.bound",
            "No step is longer than B learning rates; B is 7.27 at the usual decays and 1 at "
            "equal ones.",
            # A step is a difference of weights that have gone up to 20 000 learning rates.
            AtMost("longest_over_bound", 1 + 64 * 20_000 * 2.0**-52),
            formula=r"B = \frac{1 - \beta_1}{\sqrt{1 - \beta_2}} "
            r"\left(1 - \frac{\beta_1^2}{\beta_2}\right)^{-1/2}",
            mutants=(
                Mutant("(1 − β₁)/√(1 − β₂), as often quoted", {"metric": "longest_over_quoted"}),
            ),
        ),
        Hypothesis(
            "C36.attained",
            "Growing gradients after a long time without any attain it, with debiasing too.",
            Identity("idle_deviation", terms=RISE, where={"form": UNUSUAL}),
            formula=r"g_t \propto \left(\frac{\beta_2}{\beta_1}\right)^t",
            mutants=(Mutant("constant gradients", {"metric": "constant_deviation"}),),
        ),
        Hypothesis(
            "C36.counter_example",
            "On the example of Reddi et al. Adam goes to the worst point from any start.",
            AtMost("worst_distance", 1.0, where={"form": ADAM}),
            formula=r"g_t = 3, -1, -1, \dots \quad \beta_1 = 0, \; \beta_2 = \tfrac{1}{10}, \; "
            r"\lambda_t \propto t^{-1/2}",
            mutants=(Mutant("AMSGrad", {"where": {"form": AMSGRAD}}),),
        ),
        Hypothesis(
            "C36.amsgrad",
            "There AMSGrad goes to the best point from any start.",
            AtMost("best_distance", 1.0, where={"form": AMSGRAD}),
            formula=r"\hat\nu_t = \max(\hat\nu_{t-1}, \nu_t)",
            mutants=(Mutant("Adam", {"where": {"form": ADAM}}),),
        ),
    ),
    factors={"form": tuple(FORMS)},
    # Identities and bounds: 20 draws of gradients, and as many starts of the game.
    seeds=20,
    paired=("noise", "initial weights"),
    budget={"idle": 20_000, "rounds": 3000},
    metrics={
        "first_step": Metric("first step of a constant gradient", "λ"),
        "first_deviation": Metric("relative deviation from (1 − β₁)/√(1 − β₂)", "1"),
        "first_deviation_from_one": Metric("deviation from one learning rate", "1"),
        "longest_over_bound": Metric("longest step over B", "1"),
        "longest_over_quoted": Metric("longest step over (1 − β₁)/√(1 − β₂)", "1"),
        "idle_deviation": Metric("growth after a rest: relative deviation from B", "1"),
        "constant_deviation": Metric("the same for a constant gradient", "1"),
        "longest": Metric("longest step", "λ"),
        "epsilon_deviation": Metric("deviation of a small gradient's step from its form", "1"),
        "epsilon_deviation_exchanged": Metric("the same from the other form", "1"),
        "keras_deviation": Metric("distance from the path of Keras's Adam, relative", "1"),
        "algorithm_deviation": Metric("distance from algorithm 1 with ε = 0, relative", "1"),
        "worst_distance": Metric("distance from the worst point, over a cycle's steps", "1"),
        "best_distance": Metric("distance from the best point, over a cycle's steps", "1"),
    },
    figure=(
        Curves(
            y="step",
            by="form",
            where={"form": (ADAM, BARE)},
            log="xy",
            x_label="step",
            y_label="length of the step, in learning rates",
            title="Without debiasing the steps of a constant gradient are too long for long",
        ),
        Curves(
            y="shortened",
            by="form",
            where={"form": (ADAM, SLIDE)},
            log="xy",
            x_label="size of the gradient",
            y_label="length of the step, in learning rates",
            title="Inside the root ε = 10⁻⁷ shortens the steps of gradients below 10⁻³",
        ),
        Curves(
            y="game",
            by="form",
            where={"form": (ADAM, AMSGRAD)},
            log="x",
            runs=True,
            x_label="step",
            y_label="weight; the best is −1",
            title="Adam goes to the worst point, AMSGrad to the best",
        ),
    ),
    measure=measure,
    finding="Adam is the slide's formula with two decays, a correction for the start, and ε "
    "outside the root; each of the three changes the length of the steps.",
    stated=r"w_t = w_{t-1} - \lambda \frac{\mu_t}{\sqrt{\nu_t + \epsilon}}",
    corrected=r"w_t = w_{t-1} - \lambda \frac{\hat\mu_t}{\sqrt{\hat\nu_t} + \epsilon}, \quad "
    r"\hat\mu_t = \frac{\mu_t}{1 - \beta_1^t}, \; \hat\nu_t = \frac{\nu_t}{1 - \beta_2^t}",
    components=("suite.optimizers.Adam", "suite.optimizers.AMSGrad"),
    limits="Gradients are given, none depends on the weight. Keras adds ε to the root before its "
    "correction, which differs from algorithm 1 where ε matters. The counter-example is one game, "
    "built against Adam; it is no ranking.",
)
