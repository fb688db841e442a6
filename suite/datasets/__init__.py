"""Data: seeded synthetic problems, and real data that is read without a network.

A risk is a mean over a distribution: lecture section "Learning theory", claim C51. The synthetic
problems draw from one that is known, so that their best answer is known as well.

The builders in `suite.datasets.builders` need TensorFlow Datasets, which takes seconds to import;
it is imported when real data is first asked for.
"""

from suite.datasets.quadratic import Quadratic
from suite.datasets.real import NAMES, Split, load_arrays, prepare
from suite.datasets.synthetic import (
    GaussianClasses,
    TentMap,
    cubic,
    cubic_truth,
    gaussian_classes,
    moons,
    tent,
    tent_map,
)

__all__ = [
    "NAMES",
    "GaussianClasses",
    "Quadratic",
    "Split",
    "TentMap",
    "cubic",
    "cubic_truth",
    "gaussian_classes",
    "load_arrays",
    "moons",
    "prepare",
    "tent",
    "tent_map",
]
