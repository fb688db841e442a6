"""Logistic problems with a finite minimum, one a seed, stacked so that all seeds step together."""

import numpy as np
from scipy.special import expit as sigmoid

DATA = ("synthetic", "breast cancer")
# Mean radius, texture and smoothness. Perimeter and area are nearly functions of the radius and
# would make the Hessian singular in all but name; with all 30 columns the classes are separable
# and no finite minimum exists.
COLUMNS = [0, 1, 4]
ROWS = 200  # of the 341 training rows: the seeds see different data of one kind


def logistic_problems(data, seeds):
    """Features `(seeds, samples, weights)` and labels `(seeds, samples)`, in float64.

    Args:
        data: one of `DATA`: 60 x 3 from two Gaussian clouds, where no bias is needed, or 200 x 4
            from the breast cancer measurements, the last column being the bias.
        seeds: integers; each has data of its own.
    """
    from suite.datasets import gaussian_classes, load_arrays

    if data == "synthetic":
        drawn = [gaussian_classes(60, 3, int(seed)) for seed in seeds]
        return np.array([d.x for d in drawn]), np.array([d.y for d in drawn], float)
    if data != "breast cancer":
        raise ValueError(f"data must be one of {DATA}, received {data!r}")
    split = load_arrays("breast_cancer", seed=0, validation=0.2, test=0.2)
    x = split.x_train[:, COLUMNS].astype(float)
    x = np.column_stack([x, np.ones(len(x))])
    rows = [np.random.default_rng(int(s)).choice(len(x), ROWS, replace=False) for s in seeds]
    return x[rows], split.y_train[rows].astype(float)


def gradients(weights, features, labels):
    """`X^T (sigma(X w) - y)` of every problem: `(seeds, weights)` to the same shape."""
    residuals = sigmoid((features @ weights[:, :, None])[:, :, 0]) - labels
    return (residuals[:, None, :] @ features)[:, 0]


def losses(weights, features, labels):
    """The summed negative log-likelihood of every problem, shape `(seeds,)`."""
    z = (features @ weights[:, :, None])[:, :, 0]
    return np.logaddexp(0, (1 - 2 * labels) * z).sum(axis=1)


def minimizers(features, labels):
    """`w*` of every problem, shape `(seeds, weights)`; an error where there is none."""
    from suite.training.newton import newton

    runs = [newton(x, y) for x, y in zip(features, labels, strict=True)]
    for run in runs:
        if not run.converged:
            raise RuntimeError(f"a logistic problem has no minimum: {run.outcome}")
    return np.array([run.weights[-1] for run in runs])


def curvatures(weights, features):
    """Eigenvalues of the Hessian of every problem, ascending, shape `(seeds, weights)`."""
    z = (features @ weights[:, :, None])[:, :, 0]
    s = sigmoid(z) * sigmoid(-z)
    return np.linalg.eigvalsh(np.swapaxes(features, 1, 2) @ (s[:, :, None] * features))


def smoothness(features):
    """`beta`, the largest curvature anywhere: `lambda_max(X^T X) / 4`, shape `(seeds,)`."""
    return np.linalg.norm(features, 2, axis=(1, 2)) ** 2 / 4
