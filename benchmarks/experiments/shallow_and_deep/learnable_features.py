"""Learned features under a linear softmax: what a plane cannot separate, they make separable.

Lecture section "Shallow and deep networks", claim C20, and the classifier comparison that the
lecture links to. A multilayer perceptron with one hidden layer is

    phi(x) = sigma(W x + b)        pi = softmax(V phi(x) + c)

The slide reads the features out by a vector, w^T phi: that is one number, and the softmax of one
number is 1, whatever the weights. It takes one row of V for each class.

How good could a classifier be without features? In the plane that has an exact answer. A line that
makes the fewest errors can be moved until it passes through two samples, so trying all pairs finds
it. On the exclusive or it errs on about a fifth of them; only what is not linear does better.
"""

from functools import cache, lru_cache

import numpy as np
from scipy.special import expit, softmax

from benchmarks.experiment import (
    Experiment,
    Heatmap,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.verdicts import AtMost, Difference, Identity, every

XOR, MOONS, CIRCLES, GAUSSIANS = "exclusive or", "moons", "circles", "two Gaussians"
CURVED = (XOR, MOONS, CIRCLES)  # what no line separates
DATA = (*CURVED, GAUSSIANS)
LOGISTIC, MLP, VECTOR = "logistic regression", "MLP", "MLP read out by a vector"
LINEAR_THERE, MLP_THERE = "scikit-learn: logistic", "scikit-learn: MLP"
OTHERS = ("RBF SVM", "tree", "forest", "k-NN", "naive Bayes", "QDA")
CLASSIFIERS = (LOGISTIC, LINEAR_THERE, MLP, MLP_THERE, *OTHERS, VECTOR)
DRAWN = CLASSIFIERS[:-1]
SAMPLES, NEW_SAMPLES = 100, 400  # 100 as in scikit-learn's comparison
UNITS = 32  # of the suite's MLP
PIXELS = 40  # a side of the drawn fields
MARGIN = 0.5  # around the samples, in standard deviations
GRID_LINES, GRID_POINTS = 9, 20  # of the net over the plane that the features bend


def problem(data, seed):
    """Training and new samples `(x, y), (x, y)` in the plane, standardized by the former."""
    from sklearn.datasets import make_circles

    from suite.datasets import gaussian_classes, moons
    from suite.training.streams import integer, streams

    draw, n = integer(streams(int(seed))["data"]), SAMPLES + NEW_SAMPLES
    if data == XOR:
        rng = np.random.default_rng(draw)
        corners = rng.integers(0, 2, (n, 2))
        x, y = 2.0 * corners - 1 + rng.normal(0, 0.3, (n, 2)), corners[:, 0] ^ corners[:, 1]
    elif data == MOONS:
        x, y = moons(n, draw)
    elif data == CIRCLES:
        x, y = make_circles(n, noise=0.2, factor=0.5, random_state=draw)
    elif data == GAUSSIANS:
        drawn = gaussian_classes(n, 2, draw)
        x, y = drawn.x, drawn.y
    else:
        raise ValueError(f"data must be one of {DATA}, received {data!r}")
    x = (x - x[:SAMPLES].mean(axis=0)) / x[:SAMPLES].std(axis=0)
    return (x[:SAMPLES], y[:SAMPLES]), (x[SAMPLES:], y[SAMPLES:])


def fewest_errors(x, y):
    """The smallest number of samples that a line, with a class on each side, gets wrong.

    Turned and shifted by next to nothing, a line through two samples has them on any sides.
    """
    first, second = np.triu_indices(len(x), 1)
    along = x[second] - x[first]
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    above = normal @ x.T > np.sum(normal * x[first], axis=1)[:, None]
    wrong = above != (y == 1)
    lines = np.arange(len(first))
    wrong[lines, first] = wrong[lines, second] = False
    errors = wrong.sum(axis=1)
    return int(min(errors.min(), (len(x) - 2 - errors).min()))


# --- the classifiers: each a function from points (n, 2) to probabilities of class 1 (n,) --------


@cache
def perceptron(dtype):
    """The suite's network."""
    from suite.models import MultilayerPerceptron

    model = MultilayerPerceptron(
        (UNITS,),
        outputs=2,
        activation="tanh",
        kernel_initializer="glorot_uniform",
        dtype=dtype,
    )
    model.build((None, 2))
    return model


@cache
def linear_model():
    """The suite's logistic regression."""
    from suite.models import LogisticRegression

    return LogisticRegression(2, "sigmoid", dtype="float64")


def outputs(model, weights, points):
    """A model with weights given at the call: building one takes longer than all it does here."""
    return np.asarray(model.stateless_call(weights, [], points)[0])


@lru_cache(maxsize=1)
def trained(seeds, steps, compiled):
    """Weights of the suite's MLP by data, a list a seed; all in one program, `(weights, times)`."""
    import keras

    from suite.optimizers import Adam
    from suite.training import train

    samples = [problem(data, seed)[0] for data in DATA for seed in seeds]
    history = train(
        perceptron("float32"),
        Adam(0.01),  # ten times the default: the whole batch has no noise to average
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        np.stack([x for x, _ in samples]).astype("float32"),
        np.stack([y for _, y in samples]).astype("int32"),
        steps=steps,
        batch_size=SAMPLES,
        # Different ones in every lane, each a function of its seed and data alone.
        seeds=[int(seed) * len(DATA) + i for i in range(len(DATA)) for seed in seeds],
        seeds_at_once=len(samples) if compiled else 1,
        data_axis_per_seed=True,
        record_every=steps,
        probes=(),
        compiled=compiled,
    )
    weights = {
        data: [
            [np.asarray(w, float) for w in final]
            for final in history.final[i * len(seeds) : (i + 1) * len(seeds)]
        ]
        for i, data in enumerate(DATA)
    }
    return weights, (history.compile_seconds, history.run_seconds)


def logistic(x, y):
    """The suite's logistic regression at its maximum likelihood."""
    from suite.training.newton import newton

    run = newton(np.column_stack([x, np.ones(len(x))]), y)
    if not run.converged:
        raise RuntimeError(f"a logistic problem has no minimum: {run.outcome}")
    weights = [run.weights[-1][:-1, None], run.weights[-1][-1:]]
    return lambda points: outputs(linear_model(), weights, points)[:, 0]


def elsewhere(name, x, y, seed):
    """Scikit-learn's classifiers with the settings of its comparison, where that has them."""
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC
    from sklearn.tree import DecisionTreeClassifier

    seed = int(seed)
    model = {
        LINEAR_THERE: lambda: LogisticRegression(C=np.inf),  # no penalty, as in the suite's
        MLP_THERE: lambda: MLPClassifier(alpha=1, max_iter=1000, random_state=seed),
        "RBF SVM": lambda: SVC(gamma=2, C=1),
        "tree": lambda: DecisionTreeClassifier(max_depth=5, random_state=seed),
        "forest": lambda: RandomForestClassifier(
            max_depth=5, n_estimators=10, max_features=1, random_state=seed
        ),
        "k-NN": lambda: KNeighborsClassifier(3),
        "naive Bayes": GaussianNB,
        "QDA": QuadraticDiscriminantAnalysis,
    }[name]().fit(x, y)
    if name == "RBF SVM":  # has a score in place of a probability, with the boundary at 0
        return lambda points: expit(model.decision_function(points))
    return lambda points: model.predict_proba(points)[:, 1]


def classifier(name, x, y, seed, weights):
    """A fitted classifier; `weights` are those of the suite's MLP on the same samples."""
    from suite import activations

    if name == LOGISTIC:
        return logistic(x, y)
    if name == MLP:
        model = perceptron("float64")
        return lambda points: np.asarray(activations.softmax(outputs(model, weights, points)))[:, 1]
    if name == VECTOR:
        # What told class 1 from class 0 becomes the vector; then the softmax of one number.
        kernel, bias, read_out, shift = weights
        w, c = read_out[:, 1:] - read_out[:, :1], shift[1:] - shift[:1]
        # By SciPy: Keras sees the mistake, and warns.
        return lambda points: softmax(np.tanh(points @ kernel + bias) @ w + c, axis=1)[:, 0]
    return elsewhere(name, x, y, seed)


# --- what does not depend on the classifier ------------------------------------------------------


@cache
def of_the_data(data, seeds):
    """Fewest errors of a line, and how far the suite is from the formulas, each `(seeds,)`."""
    from suite.activations import softmax as suite_softmax

    out = np.empty((3, len(seeds)))
    for i, seed in enumerate(seeds):
        (x, y), _ = problem(data, seed)
        rng = np.random.default_rng([int(seed), 1])
        kernel, bias, read_out, shift = (
            rng.normal(size=shape) for shape in ((2, UNITS), UNITS, (UNITS, 2), 2)
        )
        weights = [kernel, bias, read_out, shift]
        found = np.asarray(suite_softmax(outputs(perceptron("float64"), weights, x)))
        # As on the slide, a column a sample.
        features = np.tanh(kernel.T @ x.T + bias[:, None])
        known = softmax(read_out.T @ features + shift[:, None], axis=0).T
        features = np.tanh(kernel.T @ x.T)
        without = softmax(read_out.T @ features + shift[:, None], axis=0).T
        out[:, i] = (
            fewest_errors(x, y),
            np.abs(found - known).max() / known.max(),
            np.abs(found - without).max() / without.max(),
        )
    return out


def net_over(x):
    """A net of lines over the samples, `(points, 2)`; NaN between the lines."""
    low, high = x.min(axis=0) - MARGIN, x.max(axis=0) + MARGIN
    lines = []
    for axis in (0, 1):
        for at in np.linspace(low[axis], high[axis], GRID_LINES):
            line = np.full((GRID_POINTS + 1, 2), np.nan)
            line[:-1, axis] = at
            line[:-1, 1 - axis] = np.linspace(low[1 - axis], high[1 - axis], GRID_POINTS)
            lines.append(line)
    return np.concatenate(lines)[:-1]


def feature_plane(weights, points, samples):
    """Features seen along two axes: across the softmax's boundary, and where else they spread.

    The first axis is the log-odds, in units of distance among the features; the boundary is at 0,
    a straight line. The second is the direction at right angles to it with most variance.
    """
    kernel, bias, read_out, shift = weights
    normal = read_out[:, 1] - read_out[:, 0]
    length = np.linalg.norm(normal)

    def across(z):
        return (np.tanh(z @ kernel + bias) @ normal + shift[1] - shift[0]) / length

    def rest(z):
        features = np.tanh(z @ kernel + bias)
        return features - np.outer(features @ normal, normal) / length**2

    center = rest(samples).mean(axis=0)
    spread = np.linalg.svd(rest(samples) - center, full_matrices=False)[2][0]
    return np.stack([across(points), (rest(points) - center) @ spread], axis=1)


def pictures(cell, probability, x, y, weights):
    """Arrays of the first seed: the field, and for the suite's MLP on moons its features."""
    if cell.classifier not in DRAWN:
        return {}
    low, high = x.min(axis=0) - MARGIN, x.max(axis=0) + MARGIN
    columns, rows = np.linspace(low[0], high[0], PIXELS), np.linspace(low[1], high[1], PIXELS)
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    arrays = {
        "probability": probability(points).reshape(PIXELS, PIXELS).astype("float32"),
        "probability.x": columns,
        "probability.y": rows,
        "samples": x.astype("float32"),
        "samples.label": y.astype("int8"),
    }
    if (cell.classifier, cell.data) == (MLP, MOONS):
        features = feature_plane(weights, x, x)
        ends = np.array([features[:, 1].min(), features[:, 1].max()])
        arrays |= {
            "features": features.astype("float32"),
            "features.label": y.astype("int8"),
            "bent_net": feature_plane(weights, net_over(x), x).astype("float32"),
            "boundary": np.column_stack([np.zeros(2), ends]),
        }
    return arrays


def measure(cell, seeds):
    """Errors on training and new samples, against those of the best line, one value a seed."""
    key = tuple(seeds.tolist())
    weights, times = trained(key, cell.steps, cell.compiled)
    lines, formula_error, no_bias_error = of_the_data(cell.data, key)
    errors, new_error = np.empty((2, len(seeds)))
    arrays = {}
    for i, seed in enumerate(seeds):
        (x, y), (new_x, new_y) = problem(cell.data, seed)
        own = weights[cell.data][i]
        probability = classifier(cell.classifier, x, y, seed, own)
        errors[i] = np.sum((probability(x) > 0.5) != y)
        new_error[i] = np.mean((probability(new_x) > 0.5) != new_y)
        if i == 0:
            arrays = pictures(cell, probability, x, y, own)
    first = (cell.data, cell.classifier) == (DATA[0], CLASSIFIERS[0])  # the others share it
    return Measurements(
        metrics={
            "training_errors": errors,
            "errors_above_line": errors - lines,
            "test_error": new_error,
            "formula_error": formula_error,
            "no_bias_error": no_bias_error,
        },
        arrays=arrays,
        compile_seconds=times[0] if first else 0.0,
        run_seconds=times[1] if first else 0.0,
    )


def fields(title, data, classifiers, **more):
    """Probabilities of class 1 in the plane, and the samples."""
    return Plane(
        surface="probability",
        probability=True,
        points=("samples",),
        by="classifier",
        where={"data": data, "classifier": classifiers},
        x_label="first feature",
        y_label="second feature",
        title=title,
        **more,
    )


EXPERIMENT = Experiment(
    claim="C20",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C20.stated",
            "Read out by a weight vector, the learned features classify better than any line.",
            AtMost("errors_above_line", -1, where={"data": CURVED, "classifier": VECTOR}),
            kind="as stated",
            formula=r"\pi = \mathrm{softmax}(w^\top \phi(x))",
        ),
        Hypothesis(
            "C20.features",
            "Read out by a row of weights for each class, the learned features classify the "
            "training samples better than any line could, in every run.",
            # Whatever is linear has at least 0 by the definition of the best line.
            AtMost("errors_above_line", -1, where={"data": CURVED, "classifier": MLP}),
            formula=r"\pi = \mathrm{softmax}(V \phi(x) + c), \quad V \in \mathbb{R}^{C \times H}",
            mutants=(
                Mutant("read out by a vector", {"where": {"data": CURVED, "classifier": VECTOR}}),
                Mutant("without features", {"where": {"data": CURVED, "classifier": LOGISTIC}}),
            ),
        ),
        Hypothesis(
            "C20.new",
            "On new samples, too, it errs less often than logistic regression where the boundary "
            "is curved.",
            every(
                *(
                    Difference("test_error", "classifier", LOGISTIC, MLP, where={"data": d})
                    for d in CURVED
                )
            ),
            mutants=(Mutant("read out by a vector", {"second": VECTOR}),),
        ),
        Hypothesis(
            "C20.formula",
            "The layers compute the formula: σ(Wx\u00a0+\u00a0b), then a softmax of V times that.",
            Identity("formula_error", terms=UNITS),
            formula=r"\phi(x) = \sigma(Wx + b), \quad \pi = \mathrm{softmax}(V \phi(x) + c)",
            mutants=(Mutant("without the bias b", {"metric": "no_bias_error"}),),
        ),
    ),
    factors={"data": DATA, "classifier": CLASSIFIERS},
    # Errors on 100 training samples are whole numbers; 14 draws of data and start show that the
    # direction depends on neither.
    seeds=14,
    paired=("data",),
    budget={"steps": 500, "compiled": True},
    smoke={"steps": 1, "compiled": False},
    metrics={
        "training_errors": Metric("training samples missed", "1", "lower"),
        "errors_above_line": Metric("training errors above the fewest of any line", "1", "lower"),
        "test_error": Metric("share of new samples missed", "1", "lower"),
        "formula_error": Metric("deviation from the formula, relative", "1", "lower"),
        "no_bias_error": Metric("deviation from it without b", "1"),
    },
    figure=(
        fields("Exclusive or", XOR, (LOGISTIC, MLP)),
        fields(
            "Ten classifiers on three problems",
            (MOONS, CIRCLES, GAUSSIANS),
            DRAWN,
            across="data",
        ),
        Heatmap(
            x="data",
            y="classifier",
            value="errors_above_line",
            x_label="data",
            y_label="classifier",
            title="Training errors above the fewest of any line: below zero no line can get",
        ),
        Plane(
            points=("features",),
            lines=("bent_net", "boundary"),
            where={"data": MOONS, "classifier": MLP},
            x_label="across the boundary",
            y_label="along it",
            title="Among the features the plane is bent: a straight boundary divides the moons",
        ),
    ),
    measure=measure,
    finding="Learned features do what no line can, once the softmax has a number for each class; "
    "read out by one vector, it has a single class to choose from.",
    stated=r"\pi = \mathrm{softmax}(w^\top \phi(x))",
    corrected=r"\pi = \mathrm{softmax}(V \phi(x) + c), \quad V \in \mathbb{R}^{C \times H}",
    figures=("F08", "F10", "F11"),
    components=(
        "suite.models.MultilayerPerceptron",
        "suite.models.LogisticRegression",
        "suite.layers.Dense",
        "suite.activations.softmax",
    ),
    limits="Two inputs and 100 samples. Scikit-learn's classifiers have the settings of its own "
    "comparison, which has no logistic regression: that has no penalty here. Its MLP has 100 "
    "rectifiers and a penalty, the suite's 32 units of tanh and none. Nobody tuned any, so their "
    "order means nothing. The features "
    "are drawn along two of their 32 dimensions; across the boundary nothing is lost, along it "
    "something is.",
)
