"""Activations and their slopes in NumPy and SciPy, written apart from the library as its oracle."""

import numpy as np
import scipy.special
import scipy.stats

expit, normal = scipy.special.expit, scipy.stats.norm

FUNCTIONS = {
    "sigmoid": expit,
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softplus": lambda x: np.logaddexp(0, x),
    "silu": lambda x: x * expit(x),
    "gelu": lambda x: x * normal.cdf(x),
}

# Not defined at kinks, where the slope below is returned.
SLOPES = {
    "sigmoid": lambda x: expit(x) * expit(-x),
    "tanh": lambda x: 1 / np.cosh(x) ** 2,
    "relu": lambda x: np.where(x > 0, 1.0, 0.0),
    "leaky_relu": lambda x: np.where(x > 0, 1.0, 0.2),
    "elu": lambda x: np.exp(np.minimum(x, 0)),
    "softplus": expit,
    "silu": lambda x: expit(x) + x * expit(x) * expit(-x),
    "gelu": lambda x: normal.cdf(x) + x * normal.pdf(x),
}
