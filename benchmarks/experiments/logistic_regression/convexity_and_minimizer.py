"""The logistic loss is convex, which gives it at most one minimum value, not one minimizer.

Lecture section "Logistic regression", claim C07. The inequality of the chord,

    L(t u + (1 - t) v) <= t L(u) + (1 - t) L(v)        0 <= t <= 1

always holds. But the loss is *strictly* convex only if the features have full column rank, and it
takes its infimum only if no w != 0 separates the classes, even weakly, with s_n = 2 y_n - 1:

    s_n w^T x_n >= 0 for all n, > 0 for some

If one does, the loss falls along it for ever. Gradient descent on strictly separable data then
turns toward the maximum-margin direction, with a norm that grows like a logarithm:

    ||w_t|| ~ ln(t) / margin

Reference: Albert & Anderson 1984, On the existence of maximum likelihood estimates in logistic
regression models; Soudry et al. 2018, The implicit bias of gradient descent on separable data.
"""

import numpy as np
from scipy.optimize import linprog
from scipy.special import expit

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.verdicts import AtMost, Identity, Within

OVERLAPPING, REPEATED, TOUCHING, SEPARABLE, THREE, THIRTY = (
    "overlapping",
    "repeated feature",
    "touching",
    "separable",
    "breast cancer, 3 features",
    "breast cancer, 30 features",
)
PLANAR = (OVERLAPPING, REPEATED, TOUCHING, SEPARABLE)
DATA = (*PLANAR, THREE, THIRTY)
COLUMNS = [0, 1, 4]  # mean radius, texture and smoothness: they do not separate the classes
ROWS = 500  # of 569
FEW = 24  # samples of the overlapping clouds; few, for gradient descent takes many steps
MARGIN = 0.5  # of the separable data, known by construction; 1 would hide where it enters
CHORDS = 40  # a seed: 800 over 20 seeds
# A linear program is solved to 1e-7; what it maximizes is 0 or of the order of the margin.
POSITIVE = 1e-5
RAY = np.linspace(0, 10, 41)
MARKS = 60  # steps at which the norm is recorded


def clouds(seed):
    """Two Gaussian clouds that overlap widely: features `(FEW, 2)`, labels `(FEW,)`."""
    from suite.datasets import gaussian_classes

    drawn = gaussian_classes(FEW, 2, int(seed), separation=1.0)
    return drawn.x, drawn.y.astype(float)


def separable_problem(rng):
    """Eight samples whose hard-margin solution through the origin is known: `x`, `y`, normal.

    In the frame of the normal the signed samples are `(MARGIN, a)`, `(MARGIN, -a)`, and others at
    least three times as far from the boundary.
    """
    lateral = rng.uniform(1.0, 1.5)
    others = np.column_stack([rng.uniform(3, 4, 6) * MARGIN, 0.5 + rng.normal(size=6)])
    signed = np.vstack([[MARGIN, lateral], [MARGIN, -lateral], others])
    angle = rng.uniform(0, 2 * np.pi)
    frame = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    y = rng.permutation(np.arange(8) % 2).astype(float)
    return (2 * y - 1)[:, None] * (signed @ frame), y, frame[0]


def touching_problem(rng):
    """One feature and a bias; two samples of different labels share the boundary itself."""
    distance = np.concatenate([[0, 0], rng.uniform(0.5, 2, 6)])
    y = np.arange(8) % 2.0
    x = (2 * y - 1) * distance + rng.normal()
    return np.column_stack([x, np.ones(8)]), y


def problem(data, seed):
    """Features `(samples, weights)` and labels 0.0 and 1.0 `(samples,)` of one seed."""
    from suite.datasets import load_arrays

    rng = np.random.default_rng([int(seed), 2])
    if data == SEPARABLE:
        return separable_problem(rng)[:2]
    if data == TOUCHING:
        return touching_problem(rng)
    if data in (OVERLAPPING, REPEATED):
        x, y = clouds(seed)
        return (x if data == OVERLAPPING else x[:, [0, 1, 0]]), y
    split = load_arrays("breast_cancer", seed=0, validation=0.0, test=0.0)
    rows = rng.choice(len(split.x_train), ROWS, replace=False)
    x = split.x_train[rows].astype(float)
    x = x[:, COLUMNS] if data == THREE else x
    return np.column_stack([x, np.ones(ROWS)]), split.y_train[rows].astype(float)


def weakly_separates(signed):
    """A direction with `s_n w^T x_n >= 0` for all and `> 0` for some sample, or None.

    A linear program: maximize the sum of the signed logits, none of them negative, in a box.
    """
    found = linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    return found.x if found.status == 0 and -found.fun > POSITIVE else None


def strictly_separates(signed):
    """Whether some `w` in a box keeps all signed logits above zero, by a linear program."""
    cost = np.append(np.zeros(signed.shape[1]), -1.0)  # maximize the smallest of them
    slack = np.column_stack([-signed, np.ones(len(signed))])
    bounds = [(-1, 1)] * signed.shape[1] + [(None, None)]
    found = linprog(cost, A_ub=slack, b_ub=np.zeros(len(signed)), bounds=bounds)
    return found.status == 0 and -found.fun > POSITIVE


def hard_margin(signed):
    """Unit normal `(weights,)` and margin of the support-vector machine through the origin.

    Each sample enters with its mirror image, so that the fitted intercept vanishes.
    """
    from sklearn.svm import SVC

    both = np.concatenate([signed, -signed])
    labels = np.repeat([1, 0], len(signed))
    normal = SVC(kernel="linear", C=1e6, tol=1e-6).fit(both, labels).coef_[0]
    normal = normal / np.linalg.norm(normal)
    return normal, (signed @ normal).min()


def squared_error(w, x, y):
    """`sum_n (sigma(z_n) - y_n)^2`: another loss of the same model, and not convex."""
    return ((expit(x @ w) - y) ** 2).sum()


def squared_error_hessian(w, x, y):
    """Its second derivative, `(weights, weights)`."""
    p = expit(x @ w)
    slope = p * (1 - p)
    return x.T @ ((2 * slope * (slope + (p - y) * (1 - 2 * p)))[:, None] * x)


def chord_violation(loss, ends, shares):
    """Largest excess of the loss over its chords, relative to the largest loss.

    Args:
        loss: function of weights.
        ends: pairs of weights `(chords, 2, weights)`.
        shares: `t` of each chord, `(chords,)`.
    """
    between = [loss(t * u + (1 - t) * v) for (u, v), t in zip(ends, shares, strict=True)]
    at = np.array([[loss(u), loss(v)] for u, v in ends])
    chord = shares * at[:, 0] + (1 - shares) * at[:, 1]
    return max(0.0, (between - chord).max() / at.max())


def negativity(hessian):
    """Magnitude of the most negative eigenvalue, relative to the largest magnitude."""
    eigenvalues = np.linalg.eigvalsh(hessian)
    return max(0.0, -eigenvalues[0]) / np.abs(eigenvalues).max()


def descend(signed, steps):
    """Gradient descent from zero at step size `1 / beta`, all seeds at once.

    Args:
        signed: `s_n x_n`, shape `(seeds, samples, weights)`.
        steps: how many.

    Returns:
        Recorded steps `(marks,)`, weights there `(marks, seeds, weights)`, and `beta (seeds,)`,
        the largest curvature anywhere.
    """
    beta = np.linalg.norm(signed, 2, axis=(1, 2)) ** 2 / 4
    rows = np.ascontiguousarray(signed.swapaxes(1, 2))
    scaled = signed.swapaxes(1, 2) / beta[:, None, None]
    w = np.zeros((len(signed), signed.shape[2], 1))
    marks = np.unique(np.geomspace(1, steps, MARKS).round().astype(int))
    marks = np.unique(np.append(marks, steps // 10))  # the last decade is judged
    recorded, wanted = [], set(marks.tolist())
    for t in range(1, steps + 1):
        logits = (rows * w).sum(axis=1)
        w += (scaled * (1 / (1 + np.exp(logits)))[:, None]).sum(axis=2, keepdims=True)
        if t in wanted:
            recorded.append(w[..., 0].copy())
    return marks, np.array(recorded), beta


def minimize(x, y):
    """Newton's run, and the shortest minimizer `(weights,)` if it converged.

    The loss sees `X w` only, so directions that the features do not see are left out.
    """
    from suite.training.newton import newton

    _, singular, seen = np.linalg.svd(x, full_matrices=False)
    seen = seen[singular > len(x) * np.finfo(float).eps * singular[0]]
    run = newton(x @ seen.T, y)
    return run, seen.T @ run.weights[-1]


def sine(a, b):
    """Of the angle between two directions."""
    cosine = a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    return np.sqrt(max(0.0, 1 - cosine**2))


def ray_of(data, minimizer, separating):
    """The direction along which the loss is drawn: unit vector `(weights,)`."""
    if data == REPEATED:
        return np.array([1.0, 0.0, -1.0]) / np.sqrt(2)  # the two copies cancel
    direction = minimizer if separating is None else separating
    return direction / np.linalg.norm(direction)


def measure(cell, seeds):
    """Convexity at random weights, and what becomes of the minimizer, one value a seed."""
    from suite.training.newton import logistic_hessian, logistic_loss

    names = (
        "chord_violation", "chord_violation_squared", "negativity", "negativity_squared",
        "strictness_mismatch", "strictness_mismatch_always", "existence_mismatch",
        "existence_mismatch_always", "existence_mismatch_strict", "not_one_minimizer",
        "descent_gap", "misdirection", "misdirection_means", "misdirection_squares", "margin",
    )  # fmt: skip
    # What has no meaning on some data stays zero there; no rule reads it.
    values = {name: np.zeros(len(seeds)) for name in names}
    problems = [problem(cell.data, seed) for seed in seeds]
    signed = np.array([(2 * y - 1)[:, None] * x for x, y in problems])
    # The real data have many rows. A bound for every number of steps judges them, no rate.
    steps = cell.steps if cell.data in PLANAR else cell.steps // 100
    marks, path, beta = descend(signed, steps)
    late = path[-1] - path[np.searchsorted(marks, steps // 10)]
    norms = np.linalg.norm(path, axis=2).T
    growth = (norms[:, -1] - np.linalg.norm(path[-1] - late, axis=1)) / np.log(10)
    ray = np.empty((len(seeds), len(RAY)))
    arrays = {}
    for i, (seed, (x, y)) in enumerate(zip(seeds, problems, strict=True)):
        rng = np.random.default_rng([int(seed), 1])
        width = x.shape[1]
        # Logits of a few units: both bends and both straight arms of the loss are met.
        ends = 3 * rng.normal(size=(CHORDS, 2, width)) / np.sqrt(width)
        shares = rng.uniform(size=CHORDS)

        def loss(w, x=x, y=y):
            return logistic_loss(w, x, y)

        values["chord_violation"][i] = chord_violation(loss, ends, shares)
        values["chord_violation_squared"][i] = chord_violation(
            lambda w, x=x, y=y: squared_error(w, x, y), ends, shares
        )
        hessians = [logistic_hessian(w, x) for w in ends[:, 0]]
        values["negativity"][i] = max(negativity(h) for h in hessians)
        values["negativity_squared"][i] = max(
            negativity(squared_error_hessian(w, x, y)) for w in ends[:, 0]
        )

        full = np.linalg.matrix_rank(x) == width
        spectrum = np.linalg.eigvalsh(hessians[0])
        rounding = 64 * len(x) * np.finfo(float).eps  # of the sums over samples
        strict = spectrum[0] > rounding * spectrum[-1]
        values["strictness_mismatch"][i] = full != strict
        values["strictness_mismatch_always"][i] = not strict

        run, minimizer = minimize(x, y)
        direction = weakly_separates(signed[i])
        strictly = strictly_separates(signed[i])
        values["existence_mismatch"][i] = run.converged != (direction is None)
        values["existence_mismatch_always"][i] = not run.converged
        values["existence_mismatch_strict"][i] = run.converged == strictly
        values["not_one_minimizer"][i] = not (run.converged and full)
        if run.converged:  # otherwise there is no minimizer, and the bound is infinite
            bound = beta[i] * minimizer @ minimizer / (2 * steps)
            values["descent_gap"][i] = (loss(path[-1, i]) - run.losses[-1]) / bound
        if cell.data == SEPARABLE:
            direction, values["margin"][i] = hard_margin(signed[i])
            squares = np.linalg.lstsq(x, 2 * y - 1)[0]
            values["misdirection"][i] = sine(late[i], direction)
            values["misdirection_means"][i] = sine(late[i], signed[i].mean(axis=0))
            values["misdirection_squares"][i] = sine(late[i], squares)
        unit = ray_of(cell.data, minimizer, direction)
        ray[i] = [loss(c * unit) / len(y) for c in RAY]
        if i == 0 and cell.data == OVERLAPPING:
            arrays = chord_picture(loss, *ends[0])
    theory = {}
    if cell.data == SEPARABLE:
        line = np.median(norms[:, -1]) + np.log(marks / marks[-1]) / MARGIN
        theory["norm"] = np.where(line > 0, line, np.nan)  # it holds late, and is a norm
    return Measurements(
        metrics=values | {"growth": growth, "growth_times_margin": growth * values["margin"]},
        curves={"norm": norms, "loss_on_ray": ray},
        axes={"norm": marks, "loss_on_ray": RAY},
        theory=theory,
        arrays=arrays,
    )


def chord_picture(loss, u, v):
    """The loss between two weights, and beyond, with the chord: `(points, 2)` and `(2, 2)`."""
    t = np.linspace(-0.25, 1.25, 61)
    values = np.array([loss((1 - share) * u + share * v) for share in t])
    chord = np.array([[0.0, loss(u)], [1.0, loss(v)]])
    return {"loss": np.column_stack([t, values]), "chord": chord}


EXPERIMENT = Experiment(
    claim="C07",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C07.chord",
            "The logistic loss lies below its chords.",
            # Sums over the samples, and before them over up to 31 weights.
            Identity("chord_violation", terms=ROWS + 31),
            kind="as stated",
            formula=r"\mathcal L(t u + (1 - t) v) \le t \mathcal L(u) + (1 - t) \mathcal L(v)",
            mutants=(
                Mutant("squared error of the probabilities", {"metric": "chord_violation_squared"}),
            ),
        ),
        Hypothesis(
            "C07.stated",
            "Being convex, the loss has exactly one minimizer, for gradient descent to find.",
            AtMost("not_one_minimizer", 0),
            kind="as stated",
            formula=r"w^* = \arg\min_w \mathcal L(w)",
        ),
        Hypothesis(
            "C07.curvature",
            "Its Hessian has no negative eigenvalue.",
            Identity("negativity", terms=ROWS),
            formula=r"v^\top H v = \sum_n \sigma_n (1 - \sigma_n) (v^\top x_n)^2 \ge 0",
            mutants=(
                Mutant("squared error of the probabilities", {"metric": "negativity_squared"}),
            ),
        ),
        Hypothesis(
            "C07.strict",
            "It is strictly convex if, and only if, the features have full column rank.",
            AtMost("strictness_mismatch", 0),
            formula=r"H(w) \succ 0 \iff \mathrm{rank}\, X = D",
            mutants=(Mutant("always strictly", {"metric": "strictness_mismatch_always"}),),
        ),
        Hypothesis(
            "C07.exists",
            "A minimizer exists if, and only if, no direction separates the classes, even weakly.",
            AtMost("existence_mismatch", 0),
            formula=r"\nexists\, w: \; s_n w^\top x_n \ge 0 \;\forall n, "
            r"\; > 0 \text{ for some } n",
            mutants=(
                Mutant("always, by convexity", {"metric": "existence_mismatch_always"}),
                Mutant(
                    "unless they are strictly separated", {"metric": "existence_mismatch_strict"}
                ),
            ),
        ),
        Hypothesis(
            "C07.descent",
            "Where one exists, gradient descent comes as near to the minimum as convexity alone "
            "promises.",
            AtMost("descent_gap", 1, where={"data": (OVERLAPPING, REPEATED, THREE)}),
            formula=r"\mathcal L(w_T) - \mathcal L(w^*) \le "
            r"\frac{\beta \lVert w^* \rVert^2}{2 T}, \quad \lambda = \frac{1}{\beta}",
        ),
        Hypothesis(
            "C07.growth",
            "On separable data the weights grow for ever: by 1/margin for each unit of ln\u00a0t.",
            # Two support vectors at the margin m: with tau = 2 m^2 t / beta the slope differs from
            # 1/m by a share of about log(tau) / tau. In the last decade tau starts at 48 or more,
            # which makes less than 4 % on average.
            Within("growth_times_margin", 0.96, 1.04, 1.0, where={"data": SEPARABLE}),
            formula=r"\frac{d \lVert w_t \rVert}{d \ln t} \to \frac{1}{m}",
            mutants=(
                Mutant(
                    "by 1, whatever the margin",
                    {"low": 0.96 * MARGIN, "high": 1.04 * MARGIN, "expected": MARGIN},
                ),
                Mutant("until they come to rest", {"low": -0.04, "high": 0.04, "expected": 0.0}),
            ),
        ),
        Hypothesis(
            "C07.direction",
            "They grow in the direction of the support-vector machine with the hardest margin.",
            # Sideways it decays like a power of tau, at least the second, from 48 on: below 1e-3.
            AtMost("misdirection", 0.01, where={"data": SEPARABLE}),
            formula=r"\frac{w_t}{\lVert w_t \rVert} \to "
            r"\arg\max_{\lVert v \rVert = 1} \min_n s_n v^\top x_n",
            mutants=(
                Mutant("of the class means, the first step's", {"metric": "misdirection_means"}),
                Mutant("of least squares", {"metric": "misdirection_squares"}),
            ),
        ),
    ),
    factors={"data": DATA},
    # Identities: 20 random states leave no room for a coincidence, and 14 decide a mean.
    seeds=20,
    paired=("data", "initial weights"),
    budget={"steps": 10_000},
    smoke={"steps": 1000},
    metrics={
        "chord_violation": Metric("excess of the loss over its chord, relative", "1", "lower"),
        "chord_violation_squared": Metric("the same for squared error", "1"),
        "negativity": Metric("most negative eigenvalue over the largest magnitude", "1", "lower"),
        "negativity_squared": Metric("the same for squared error", "1"),
        "strictness_mismatch": Metric("strict convexity without full rank, or reverse", "1"),
        "strictness_mismatch_always": Metric("not strictly convex", "1"),
        "existence_mismatch": Metric("minimizer despite separation, or reverse", "1", "lower"),
        "existence_mismatch_always": Metric("no minimizer", "1"),
        "existence_mismatch_strict": Metric("the same for strict separation", "1"),
        "not_one_minimizer": Metric("none, or more than one minimizer", "1", "lower"),
        "descent_gap": Metric("final excess loss over its bound", "1", "lower"),
        "growth": Metric("growth of the norm by unit of ln t, last decade", "1"),
        "growth_times_margin": Metric("the same, times the margin", "1"),
        "misdirection": Metric("sine of the late growth to the machine's normal", "1", "lower"),
        "misdirection_means": Metric("the same to the difference of the means", "1"),
        "misdirection_squares": Metric("the same to the least-squares weights", "1"),
        "margin": Metric("margin of separable data", "1"),
    },
    figure=(
        Plane(
            lines=("loss", "chord"),
            where={"data": OVERLAPPING},
            x_label="share of the way from one weight vector to another",
            y_label="loss",
            title="Between two weight vectors the loss lies below its chord",
        ),
        Curves(
            y="norm",
            by="data",
            where={"data": PLANAR},
            log="x",
            x_label="step t of gradient descent",
            y_label="norm of the weights",
            title="Without a minimizer the weights grow for ever, like a logarithm",
        ),
        Curves(
            y="loss_on_ray",
            by="data",
            where={"data": PLANAR},
            x_label="distance from the origin",
            y_label="mean loss",
            title="Convex every time: a bowl, a flat floor, and two slopes without a bottom",
        ),
    ),
    measure=measure,
    finding="The loss is always convex, but that alone promises no minimizer: it is unique if the "
    "features are independent, and exists if the classes overlap.",
    stated=r"f(t x_1 + (1 - t) x_2) \le t f(x_1) + (1 - t) f(x_2) "
    r"\;\Rightarrow\; \text{the minimizer}",
    corrected=r"\text{convex always; strictly} \iff \mathrm{rank}\, X = D; \quad "
    r"\exists\, w^* \iff \text{classes not even weakly separable}",
    components=(
        "suite.training.newton.logistic_loss",
        "suite.training.newton.logistic_hessian",
        "suite.training.newton.newton",
    ),
    limits="The law of growth is measured on eight samples in the plane, of known margin, with "
    "two support vectors that fix the direction quickly; on other data the direction may settle "
    "only as slowly as 1/ln\u00a0t. Of the real data, the 30 features separate the classes and "
    "three of them do not; gradient descent takes a hundredth of the steps on them: enough for the "
    "bound, which holds at any number, and too few to judge a rate.",
)
