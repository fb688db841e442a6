"""The quadratic model is right to third order, and the Newton step is its stationary point.

Lecture section "Gradient-based learning", claim C13. Around the current weights

    L(w + delta) ~ L + delta^T g + delta^T H delta / 2        H delta = -g

The slide is right, with one condition left out: only where `H` is positive definite is the
stationary point the model's minimum. What the step buys besides speed is that it does not depend
on the units of the features: replacing `X` by `X A` changes the weights but no prediction, while
gradient descent takes another path in every unit.
"""

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
from benchmarks.experiments.gradient_based_learning import _logistic
from benchmarks.verdicts import AtMost, Identity, Within, every

# Each model is the loss and the slope plus a multiple of delta^T H delta.
FIRST, SECOND, NO_HALF = "first order", "second order", "second order without the half"
CURVATURE = {FIRST: 0.0, SECOND: 0.5, NO_HALF: 1.0}
DISTANCES = np.geomspace(1e-4, 1, 33)
# The remainder's next term is larger by h times a ratio of derivatives, a number of order one:
# below 0.01 it moves the exponent by about a hundredth. Below 0.001 rounding comes in.
WINDOW = slice(8, 17)  # from 0.001 to 0.01
STEPS = 5  # of both methods, in both units
STRETCH = 10.0  # ratio of the new units of the features


def sample_losses(w, features, labels):
    """`log(1 + exp(z_n)) - y_n z_n`, one value a sample, for weights `(..., dimension)`."""
    z = w @ features.T
    return np.logaddexp(0, z) - labels * z


def remainder(model, w, direction, features, labels):
    """What a model misses at each of the distances along a direction, in absolute value.

    The derivatives are the suite's, taken of one sample at a time: small numbers are subtracted
    before they are summed, so that the sum's size adds no rounding.
    """
    from suite.training.newton import logistic_gradient, logistic_hessian

    samples = [(features[n : n + 1], labels[n : n + 1]) for n in range(len(labels))]
    slopes = np.array([logistic_gradient(w, x, y) @ direction for x, y in samples])
    bends = np.array([direction @ logistic_hessian(w, x, y) @ direction for x, y in samples])
    t = DISTANCES[:, None]
    change = sample_losses(w + t * direction, features, labels) - sample_losses(w, features, labels)
    return np.abs((change - t * slopes - t**2 * CURVATURE[model] * bends).sum(axis=1))


def taylor_bound(direction, features):
    """`M h^3 / 6`, with `M` a bound on the third derivative along the direction.

    The third derivative of `log(1 + e^z)` is `s (1 - s) (1 - 2 s)`, at most `1 / (6 sqrt(3))`.
    """
    third = (np.abs(features @ direction) ** 3).sum() / (6 * 3**0.5)
    return third * DISTANCES**3 / 6


def change_of_units(size, rng):
    """`A`, symmetric, with condition number `STRETCH`."""
    q, _ = np.linalg.qr(rng.normal(size=(size, size)))
    return (q * np.geomspace(1, STRETCH, size)) @ q.T


def newton_logits(features, labels):
    """Logits after some undamped Newton steps from zero."""
    from suite.training.newton import newton

    run = newton(features, labels, damping=None, max_steps=STEPS, tolerance=0.0)
    return features @ run.weights[-1]


def descent_logits(features, labels):
    """The same after as many steps of gradient descent, with the largest safe learning rate."""
    rate = 1 / _logistic.smoothness(features[None])[0]
    w = np.zeros((1, features.shape[1]))
    for _ in range(STEPS):
        w = w - rate * _logistic.gradients(w, features[None], labels[None])
    return features @ w[0]


def stationarity(delta, g, h):
    """`||g + H delta||` relative to its terms: zero where the model is level."""
    return np.linalg.norm(g + h @ delta) / (
        np.linalg.norm(g) + np.linalg.norm(h) * np.linalg.norm(delta)
    )


def downhill_left(h):
    """How far the model still falls from its stationary point, the best unit step, relative."""
    eigenvalues = np.linalg.eigvalsh(h)
    return max(0.0, -eigenvalues[0]) / np.abs(eigenvalues).max()


def bent_down(size, rng):
    """Hessian of `sum 1 - cos w_i`, the first weight beyond pi / 2: one negative curvature."""
    w = rng.uniform(-1, 1, size)
    w[0] += np.pi
    return np.diag(np.cos(w))


def picture(features, labels, w, delta, g, h):
    """Loss, tangent and quadratic model along the Newton step, which ends at 1."""
    s = np.linspace(-0.6, 1.8, 49)
    start = sample_losses(w, features, labels).sum()
    slope, bend = g @ delta, delta @ h @ delta
    model = start + s * slope + s**2 / 2 * bend
    loss = sample_losses(w + s[:, None] * delta, features, labels).sum(axis=1)
    tangent = start + s * slope
    shown = tangent >= min(loss.min(), model.min())  # it falls without end
    return {
        "loss": np.column_stack([s, loss]),
        "quadratic model": np.column_stack([s, model]),
        "tangent": np.column_stack([s, tangent])[shown],
        "step": np.array([[0.0, start], [1.0, start + slope + bend / 2]]),
    }


def measure(cell, seeds):
    """Remainders, the step's equation, and predictions in two units, one value a seed."""
    from suite.training.newton import logistic_gradient, logistic_hessian, newton

    features, labels = _logistic.logistic_problems(cell.data, seeds)
    rows = []
    curves = np.empty((len(seeds), len(DISTANCES)))
    arrays = {}
    for i, (seed, x, y) in enumerate(zip(seeds, features, labels, strict=True)):
        rng = np.random.default_rng([int(seed), 1])
        w, direction = rng.normal(size=(2, x.shape[1]))
        direction /= np.abs(x @ direction).max()  # a distance of 1 moves some logit by 1
        curves[i] = remainder(cell.model, w, direction, x, y)
        window = np.log(DISTANCES[WINDOW]), np.log(curves[i, WINDOW])

        g, h = logistic_gradient(w, x, y), logistic_hessian(w, x, y)
        run = newton(x, y, start=w, damping=None, max_steps=1)
        delta = run.weights[1] - w
        a = change_of_units(x.shape[1], rng)
        ours, theirs = newton_logits(x, y), newton_logits(x @ a, y)
        plain, changed = descent_logits(x, y), descent_logits(x @ a, y)
        # What a linear system multiplies rounding by: cond(A^T H A) <= cond(A)^2 cond(H).
        condition = STRETCH**2 * np.linalg.cond(logistic_hessian(w, x, y))
        rows.append(
            {
                "exponent": np.polyfit(*window, 1)[0],
                "over_bound": (curves[i] / taylor_bound(direction, x))[WINDOW.start :].max(),
                "residual": stationarity(delta, g, h),
                "residual_ascent": stationarity(-delta, g, h),
                "residual_slope": stationarity(-g, g, h),
                "downhill": downhill_left(h),
                "downhill_indefinite": downhill_left(bent_down(x.shape[1], rng)),
                "units": np.abs(ours - theirs).max() / np.abs(ours).max() / condition,
                "units_descent": np.abs(plain - changed).max() / np.abs(plain).max() / condition,
            }
        )
        if i == 0:
            arrays = picture(x, y, w, delta, g, h)
    return Measurements(
        metrics={name: np.array([row[name] for row in rows]) for name in rows[0]},
        curves={"remainder": curves},
        axes={"remainder": DISTANCES},
        arrays=arrays,
    )


def exponent(model, expected):
    """The remainder of a model has this exponent on each kind of data."""
    return every(
        *(
            # Ten times the correction in the window; the rival is 1 away. The median, because a
            # direction along which the leading derivative happens to vanish has another exponent.
            Within(
                "exponent",
                expected - 0.1,
                expected + 0.1,
                expected,
                statistic="median",
                where={"data": data, "model": model},
            )
            for data in _logistic.DATA
        )
    )


EXPERIMENT = Experiment(
    claim="C13",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C13.second_order",
            "The quadratic model misses the loss by a term of third order.",
            exponent(SECOND, 3.0),
            kind="as stated",
            formula=r"\mathcal{L}(w + \Delta) \simeq \mathcal{L} + \Delta^\top g "
            r"+ \tfrac{1}{2} \Delta^\top H \Delta",
            mutants=(Mutant("second order", {"low": 1.9, "high": 2.1, "expected": 2.0}),),
        ),
        Hypothesis(
            "C13.first_order",
            "The slope alone misses it by a term of second order.",
            exponent(FIRST, 2.0),
            mutants=(Mutant("third order", {"low": 2.9, "high": 3.1, "expected": 3.0}),),
        ),
        Hypothesis(
            "C13.bound",
            "What the quadratic model misses stays below Taylor's bound, at every distance.",
            # The share of rounding: 1e-16 a sample against 1e-9 / 6 times the cubes of the
            # logits, at the smallest distance that counts.
            AtMost("over_bound", 1.0 + 1e-6, where={"model": SECOND}),
            formula=r"\lvert \text{remainder} \rvert \le \frac{h^3}{6} \sum_n "
            r"\frac{\lvert d^\top x_n \rvert^3}{6 \sqrt{3}}",
            mutants=(
                Mutant("the slope alone", {"where": {"model": FIRST}}),
                Mutant("without the half", {"where": {"model": NO_HALF}}),
            ),
        ),
        Hypothesis(
            "C13.step",
            "The Newton step leads to the stationary point of the model.",
            Identity("residual", terms=_logistic.ROWS),
            kind="as stated",
            formula=r"g + H \Delta = 0",
            mutants=(
                Mutant("the step with the other sign", {"metric": "residual_ascent"}),
                Mutant("the step −g", {"metric": "residual_slope"}),
            ),
        ),
        Hypothesis(
            "C13.minimum",
            "That point is the model's lowest where the Hessian has no negative eigenvalue, as "
            "for the logistic loss.",
            Identity("downhill", terms=_logistic.ROWS),
            formula=r"H \succ 0",
            mutants=(Mutant("any curvature, 1 − cos w", {"metric": "downhill_indefinite"}),),
        ),
        Hypothesis(
            "C13.units",
            "Newton's predictions do not depend on the units of the features.",
            # The metric is already divided by the condition number of the system.
            Identity("units", terms=_logistic.ROWS),
            formula=r"X \to XA: \quad w_t \to A^{-1} w_t",
            mutants=(Mutant("gradient descent", {"metric": "units_descent"}),),
        ),
    ),
    factors={"data": _logistic.DATA, "model": tuple(CURVATURE)},
    # Identities and derivatives: 20 random states. The median's 99 % interval needs 8.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "exponent": Metric("exponent of the remainder", "1", "higher"),
        "over_bound": Metric("largest remainder over Taylor's bound", "1", "lower"),
        "residual": Metric("slope of the model after the step, relative", "1", "lower"),
        "residual_ascent": Metric("the same for the opposite step", "1"),
        "residual_slope": Metric("the same for the step −g", "1"),
        "downhill": Metric("how far the model falls from there, relative", "1", "lower"),
        "downhill_indefinite": Metric("the same for 1 − cos w", "1"),
        "units": Metric("change of the logits with the units, over the condition", "1", "lower"),
        "units_descent": Metric("the same for gradient descent", "1"),
    },
    figure=(
        Plane(
            lines=("loss", "quadratic model", "tangent"),
            paths=("step",),
            where={"data": "synthetic", "model": SECOND},
            x_label="share of the Newton step",
            y_label="loss",
            title="The model touches the loss at 0; the step leads to the model's lowest point",
        ),
        Curves(
            y="remainder",
            by="model",
            where={"data": "synthetic"},
            log="xy",
            x_label="distance, in units of a logit",
            y_label="what the model misses",
            title="A tenth of the distance: a thousandth of the error, or only a hundredth",
        ),
    ),
    measure=measure,
    finding="The quadratic model errs by the third power of the distance; its stationary point is "
    "the Newton step, a minimum only where the curvature is positive.",
    stated=r"\mathcal{L}(w + \Delta) \simeq \mathcal{L} + \Delta^\top g "
    r"+ \tfrac{1}{2} \Delta^\top H \Delta, \quad \Delta = -H^{-1} g",
    corrected=r"H \Delta = -g, \quad H \succ 0",
    figures=("F06",),
    components=(
        "suite.training.newton.newton",
        "suite.training.newton.logistic_gradient",
        "suite.training.newton.logistic_hessian",
    ),
    limits="One random direction a seed; the distance is measured in logits. Independence of the "
    "units holds in exact arithmetic: rounding grows with the condition number.",
)
