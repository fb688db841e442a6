"""Data: seeded synthetic problems, and real data that is read without a network.

A risk is a mean over a distribution: lecture section "Learning theory", claim C51. The synthetic
problems draw from one that is known, so that their best answer is known as well.

The builders in `suite.datasets.builders` need TensorFlow Datasets, which takes seconds to import;
it is imported when real data is first asked for.
"""

from suite.datasets.graphs import (
    graph_dataset,
    icosphere,
    karate_club,
    molecules,
    stochastic_block_model,
)
from suite.datasets.quadratic import Quadratic
from suite.datasets.real import NAMES, Split, load_arrays, prepare
from suite.datasets.sunspots import Sunspots, sunspots
from suite.datasets.synthetic import (
    GaussianClasses,
    TentMap,
    adding_problem,
    cubic,
    cubic_truth,
    first_sign,
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
    "Sunspots",
    "TentMap",
    "adding_problem",
    "cubic",
    "cubic_truth",
    "first_sign",
    "gaussian_classes",
    "graph_dataset",
    "icosphere",
    "karate_club",
    "load_arrays",
    "molecules",
    "moons",
    "prepare",
    "stochastic_block_model",
    "sunspots",
    "tent",
    "tent_map",
]
