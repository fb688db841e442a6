"""Small images of digits for comparisons with many cells, split anew for each seed."""

from functools import cache

import numpy as np

PIXELS = 14 * 14


def smaller(images):
    """(n, 784) -> (n, 196): the mean of each two by two pixels, at a quarter of the cost."""
    return images.reshape(-1, 14, 2, 14, 2).mean((2, 4), dtype="float32").reshape(-1, PIXELS)


@cache  # the same for every contender, setting and rate
def digits(seeds):
    """A split of its own for each seed: training, validation and test `(x, y)`."""
    from suite.datasets import load_arrays
    from suite.training.streams import integer, streams

    found = {part: ([], []) for part in ("train", "validation", "test")}
    for seed in seeds:
        own = integer(streams(seed)["data"])
        split = load_arrays("mnist_5000", seed=own, validation=0.2, test=0.2)
        for part, (x, y) in found.items():
            x.append(smaller(getattr(split, f"x_{part}")))
            y.append(getattr(split, f"y_{part}"))
    return {part: (np.stack(x), np.stack(y)) for part, (x, y) in found.items()}
