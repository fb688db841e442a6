"""Data of a chosen covariance, far from the origin, beside measured data, for whitening."""

from functools import cache

import numpy as np

PLANE, MILD, STEEP = "two features", "condition 100", "condition 1e6"
TUMORS, PATCHES = "breast cancer", "digit patches"
DATA = (PLANE, MILD, STEEP, TUMORS, PATCHES)
# samples, features, condition number of the covariance; no two sizes alike
SIZES = {PLANE: (150, 2, 20.0), MILD: (40, 7, 1e2), STEEP: (60, 5, 1e6)}
ROWS = {TUMORS: 200, PATCHES: 180}  # of the measured data, drawn anew for each seed
PATCH = 3  # pixels a side, from the middle of an image, where there is ink
LONGEST = max(*ROWS.values(), *(samples for samples, _, _ in SIZES.values()))
TILT = np.deg2rad(30)  # of the long axis in the plane, so that pictures agree between seeds


def exact_sample(root, mean, samples, rng):
    """Samples `(samples, features)` of mean `mean` and covariance `root root^T`, to rounding.

    The Q of a centered Gaussian matrix is white in the sample, not only on average.
    """
    gaussian = rng.normal(size=(samples, len(root)))
    white, _ = np.linalg.qr(gaussian - gaussian.mean(axis=0))
    return np.sqrt(samples) * white @ np.transpose(root) + mean


def covariance(x):
    """`E[(x - mean) (x - mean)^T]` over the rows, `(features, features)`: divides by N."""
    centered = x - x.mean(axis=0)
    return centered.T @ centered / len(x)


def rotation(angle):
    """By an angle in the plane, `(2, 2)`."""
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def orthogonal(features, rng, count=1):
    """Uniformly drawn orthogonal matrices `(count, features, features)`."""
    q, r = np.linalg.qr(rng.normal(size=(count, features, features)))
    return q * np.sign(np.einsum("nii->ni", r))[:, None, :]


@cache
def tumors():
    """Measurements `(rows, 30)`, each in units of its deviation; their means are not removed."""
    from suite.datasets import load_arrays

    x = load_arrays("breast_cancer", standardize=False).x_train.astype(float)
    return x / x.std(axis=0)


@cache
def patches():
    """The middle of each image of a digit, `(images, PATCH ** 2)`, ink from 0 to 1."""
    from suite.datasets import load_arrays

    images = load_arrays("digits", flatten=False).x_train[..., 0].astype(float)
    start = (images.shape[1] - PATCH) // 2
    middle = slice(start, start + PATCH)
    return images[:, middle, middle].reshape(len(images), PATCH**2)


def problem(data, seed):
    """Rows of one data set, `(samples, features)` in float64."""
    rng = np.random.default_rng(int(seed))
    if data in ROWS:
        rows = tumors() if data == TUMORS else patches()
        return rows[rng.permutation(len(rows))[: ROWS[data]]]
    samples, features, condition = SIZES[data]
    deviations = 2.0 * np.geomspace(1, condition**-0.5, features)
    basis = rotation(TILT) if data == PLANE else orthogonal(features, rng)[0]
    mean = np.linspace(3.0, -1.0, features)
    return exact_sample(basis * deviations, mean, samples, rng)


def adapted(method, x):
    """The suite's whitener of these data: its matrix `(features, features)` and its output."""
    from suite.layers import Whitening

    layer = Whitening(method, epsilon=0, dtype="float64")
    layer.adapt(x)
    return np.asarray(layer.matrix), np.asarray(layer(x))


def picture(x, w, z):
    """Arrays for a `Plane`: the mapped samples, and where one deviation of each feature goes.

    Args:
        x: samples `(samples, 2)`; which half of their ellipse they lie in is their label.
        w: the map `(2, 2)`.
        z: the mapped samples `(samples, 2)`.
    """
    origin = z.mean(axis=0)
    half = (x - x.mean(axis=0)) @ [np.cos(TILT), np.sin(TILT)] > 0
    arrays = {"samples": z, "samples.label": np.where(half, "right half", "left half")}
    for i, deviation in enumerate(x.std(axis=0)):
        arrays[f"x{i + 1}_axis"] = np.array([origin, origin + deviation * w[:, i]])
    return arrays
