"""Two-class data in the plane, so that model, loss and gradient can be drawn where they live."""

import numpy as np

SYNTHETIC, MEASURED = "synthetic", "breast cancer"
DATA = (SYNTHETIC, MEASURED)
COLUMNS = [0, 1]  # mean radius and mean texture: neither separates the classes alone or together
SAMPLES = {SYNTHETIC: 60, MEASURED: 200}  # 200 of 341 training rows: seeds see different data
LONGEST = max(SAMPLES.values())  # terms in the longest sum
SHIFT = np.array([1.5, -0.5])  # moves the synthetic boundary away from the origin
PIXELS = 50  # a side of the drawn fields: 20 kB in float64
MARGIN = 0.5  # around the samples, in standard deviations of the features


def problem(data, seed):
    """Features `(samples, 2)` in float64 and labels 0.0 and 1.0 `(samples,)`.

    Args:
        data: two Gaussian clouds, or standardized measurements of tumors (1: benign).
        seed: of the clouds, or of the choice of rows.
    """
    from suite.datasets import gaussian_classes, load_arrays

    if data == SYNTHETIC:
        drawn = gaussian_classes(SAMPLES[data], 2, int(seed))
        return drawn.x + SHIFT, drawn.y.astype(float)
    if data != MEASURED:
        raise ValueError(f"data must be one of {DATA}, received {data!r}")
    split = load_arrays("breast_cancer", seed=0, validation=0.2, test=0.2)
    order = np.random.default_rng(int(seed)).permutation(len(split.x_train))[: SAMPLES[data]]
    return split.x_train[order][:, COLUMNS].astype(float), split.y_train[order].astype(float)


def augmented(x):
    """`[x; 1]`: a column of ones, whose weight is the bias."""
    return np.column_stack([x, np.ones(len(x))])


def maximum_likelihood(x, y):
    """The weights `(3,)` that minimize the loss, the bias last; an error where there are none."""
    from suite.training.newton import newton

    run = newton(augmented(x), y)
    if not run.converged:
        raise RuntimeError(f"a logistic problem has no minimum: {run.outcome}")
    return run.weights[-1]


def grid(x):
    """Coordinates `(PIXELS,)` of the columns and of the rows of a field around the samples."""
    low, high = x.min(axis=0) - MARGIN, x.max(axis=0) + MARGIN
    return np.linspace(low[0], high[0], PIXELS), np.linspace(low[1], high[1], PIXELS)


def classifier(weights, output_activation="sigmoid"):
    """The suite's logistic regression with given weights `(features + 1,)`, the bias last."""
    from suite.models import LogisticRegression

    model = LogisticRegression(len(weights) - 1, output_activation, dtype="float64")
    model.set_weights([weights[:-1, None], weights[-1:]])
    return model


def field(weights, columns, rows):
    """The model's probability of label 1 on a grid, shape `(rows, columns)`."""
    points = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    return np.asarray(classifier(weights)(points)).reshape(len(rows), len(columns))
