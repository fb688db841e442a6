"""Small images of digits for comparisons with many cells, split anew for each seed."""

from functools import cache

import numpy as np

from benchmarks.experiment import Measurements

PIXELS = 14 * 14


def smaller(images):
    """(n, 784) -> (n, 196): the mean of each two by two pixels, at a quarter of the cost."""
    return images.reshape(-1, 14, 2, 14, 2).mean((2, 4), dtype="float32").reshape(-1, PIXELS)


@cache  # the same for every contender, setting and rate
def digits(seeds):
    """A split of its own for each seed: training, validation and test `(x, y)`."""
    from suite.datasets import load_arrays
    from suite.training.streams import integer, streams

    splits = [
        load_arrays("mnist_5000", seed=integer(streams(seed)["data"]), validation=0.2, test=0.2)
        for seed in seeds
    ]
    return {
        part: (
            np.stack([smaller(getattr(split, f"x_{part}")) for split in splits]),
            np.stack([getattr(split, f"y_{part}") for split in splits]),
        )
        for part in ("train", "validation", "test")
    }


def fewer(pair, images):
    """The first `images` of each seed, repeated until there are as many as before.

    Training on them is training on the few, and the arrays keep their shape, which a compiled
    program was made for.
    """
    rows = np.arange(pair[0].shape[1]) % images
    return tuple(values[:, rows] for values in pair)


def measured(history, target):
    """A training run as what every comparison reports."""
    curves = ("train_loss", "validation_score", "gradient_norm")
    return Measurements(
        metrics={
            # A run that never gets there, or that diverged, counts one step more than the budget.
            "steps_to_target": history.first_above("validation_score", target).astype(float),
            "train_score": history.scores["train_score"],
            "validation_score": history.scores["validation_score"],
            "test_score": history.scores["test_score"],
        },
        curves={name: history[name] for name in curves},
        axes={name: history.steps.astype(float) for name in curves},
        diverged=history.diverged,
        diverged_at=history.diverged_at,
        compile_seconds=history.compile_seconds,
        run_seconds=history.run_seconds,
    )
