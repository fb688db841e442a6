"""Small problems drawn from a seed, whose best answer is known."""

from typing import NamedTuple

import numpy as np


class GaussianClasses(NamedTuple):
    """Features `(n, features)`, labels 0 and 1 `(n,)`, and the true posterior's weights (C01)."""

    x: np.ndarray
    y: np.ndarray
    true_w: np.ndarray


def gaussian_classes(n, features, seed, separation=2.0) -> GaussianClasses:
    """Two Gaussian clouds for which logistic regression is the exact model (C01, C18).

    A label is 0 or 1 with equal probability, and `u` is a random direction:

        x | y ~ N((y - 1/2) separation u, I)        p(y = 1 | x) = sigma(true_w^T x)

    with `true_w = separation u` and no bias. No classifier errs less often than
    `Phi(-separation / 2)`, `Phi` being the normal distribution function: 16 % for 2.

    Args:
        n: number of samples.
        features: number of features.
        seed: of the direction, the labels and the noise.
        separation: distance between the means, in standard deviations.
    """
    _at_least_one(n=n, features=features)
    if not 0 <= separation < np.inf:
        raise ValueError(f"separation must be finite and not negative, received {separation}")
    rng = np.random.default_rng(seed)
    u = rng.normal(size=features)
    u /= np.linalg.norm(u)
    y = rng.integers(0, 2, n)
    x = (y - 0.5)[:, None] * separation * u + rng.normal(size=(n, features))
    return GaussianClasses(x, y, separation * u)


def tent(x, folds):
    """The tent map `t(x) = 2 min(x, 1 - x)`, applied `folds` times (C23).

    It folds the interval on itself: after k folds there are `2^(k - 1)` peaks. A network of k
    narrow layers represents it exactly; a shallow one needs a number of units exponential in k.
    Telgarsky 2016, arXiv:1602.04485.

    Args:
        x: numbers in [0, 1], of any shape.
        folds: at least 0.
    """
    x = np.asarray(x, float)
    if folds < 0:
        raise ValueError(f"folds must be at least 0, received {folds}")
    if not ((x >= 0) & (x <= 1)).all():  # written so that nan is refused too
        raise ValueError(f"x must lie in [0, 1], received {x[~((x >= 0) & (x <= 1))][0]}")
    for _ in range(folds):
        x = 2 * np.minimum(x, 1 - x)
    return x


class TentMap(NamedTuple):
    """Inputs `(n, 1)`, the function's values `(n,)`, and whether they exceed 1/2 `(n,)` (C23)."""

    x: np.ndarray
    value: np.ndarray
    label: np.ndarray


def tent_map(n, folds, seed) -> TentMap:
    """Uniform inputs on [0, 1], with `tent` as regression target and as class (C23).

    The class changes `2^folds` times over the interval, and both classes are equally likely.
    """
    _at_least_one(n=n)
    x = np.random.default_rng(seed).random(n)
    value = tent(x, folds)
    return TentMap(x[:, None], value, (value > 0.5).astype(int))


def cubic_truth(x):
    """`-x + 1.5 x^3`: what the noisy samples of `cubic` scatter about (C57)."""
    x = np.asarray(x, float)
    return -x + 1.5 * x**3


def cubic(n, seed, sigma=0.3):
    """`y = -x + 1.5 x^3 + sigma N(0, 1)` at uniform inputs on [-1, 1] (C50, C57).

    Args:
        n: number of samples.
        seed: of inputs and noise; another `sigma` scales the same noise.
        sigma: standard deviation of the noise.

    Returns:
        `(x, y)`, each of shape `(n,)`.
    """
    _at_least_one(n=n)
    if not 0 <= sigma < np.inf:
        raise ValueError(f"sigma must be finite and not negative, received {sigma}")
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, n)
    return x, cubic_truth(x) + sigma * rng.normal(size=n)


def moons(n, seed, noise=0.2):
    """Two interleaved half circles, scikit-learn's `make_moons`: not linearly separable (C20).

    Args:
        n: number of samples.
        seed: of the order and the noise.
        noise: standard deviation of the noise, next to a radius of 1.

    Returns:
        `(x, y)`: features `(n, 2)`, labels 0 and 1 `(n,)`.
    """
    from sklearn.datasets import make_moons  # half a second to import, and only needed here

    _at_least_one(n=n)
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise must be finite and not negative, received {noise}")
    return make_moons(n, noise=noise, random_state=seed)


def first_sign(n, length, seed):
    """Sequences of noise whose first entry is the sign to remember until the end (C67).

        x_1 = +1 or -1 with equal probability        x_t ~ N(0, 1) for t > 1        y = x_1

    The noise says nothing about the target, so whoever forgets the first entry does no better
    than guessing.

    Args:
        n: number of sequences.
        length: entries of each.
        seed: of signs and noise.

    Returns:
        `(x, y)`: sequences `(n, length, 1)`, targets -1 and 1 `(n,)`.
    """
    _at_least_one(n=n, length=length)
    rng = np.random.default_rng(seed)
    y = rng.choice([-1.0, 1.0], n)
    x = rng.normal(size=(n, length, 1))
    x[:, 0, 0] = y
    return x, y


def adding_problem(n, length, seed):
    """Sequences of numbers, two of them marked: their sum is asked for (C67).

        x_t = (u_t, m_t),   u_t uniform on [0, 1]        y = sum_t m_t u_t

    The marker `m_t` is 1 once in each half of the sequence, and 0 elsewhere. The mean, 1, misses by
    a variance of 1/6.

    Args:
        n: number of sequences.
        length: entries of each, at least 2.
        seed: of numbers and markers.

    Returns:
        `(x, y)`: sequences `(n, length, 2)`, sums `(n,)`.

    Reference:
        Hochreiter & Schmidhuber 1997, "Long short-term memory", in the form usual today: numbers
        from [0, 1], one marker a half.
    """
    _at_least_one(n=n)
    if length < 2:
        raise ValueError(f"length must be at least 2, received {length}")
    rng = np.random.default_rng(seed)
    x = np.zeros((n, length, 2))
    x[..., 0] = rng.random((n, length))
    rows, half = np.arange(n), length // 2
    x[rows, rng.integers(0, half, n), 1] = 1
    x[rows, rng.integers(half, length, n), 1] = 1
    return x, np.sum(x[..., 0] * x[..., 1], axis=1)


def _at_least_one(**sizes):
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1, received {size}")
