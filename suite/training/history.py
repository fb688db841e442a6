"""What a training run leaves behind: curves, final scores, final weights, and what it cost."""

from collections.abc import Callable
from dataclasses import dataclass, field

import keras
import numpy as np


@dataclass(frozen=True)
class History:
    """The record of one `train` call; the first axis of every array is the seed.

    Args:
        seeds: the seeds, (seeds,).
        steps: updates done at each recorded point, (points,); begins with 0.
        curves: name -> (seeds, points). A run that diverged is NaN from there on. Averaged weights
            (an optimizer's `use_ema`) replace the others only after the last point.
        scores: name -> (seeds,), of the `final` weights, on whole sets: "train_loss",
            "validation_loss", "test_loss", and "..._score" where there is a metric.
        diverged: whether loss or weights became non-finite, (seeds,).
        diverged_at: updates done when a step first met a non-finite loss on its batch, or at the
            end a non-finite loss or weight, (seeds,); -1 for a run that stayed finite. It does not
            depend on which points are recorded.
        final: for each seed the arrays for `model.set_weights`; NaN where the run diverged.
        compile_seconds: tracing and compiling, once for all seeds.
        run_seconds: training all seeds, until the results were on the host.
        traces: how often Python went through the training program; 1 if compiled.
        layers: layer names as used in curves, `curves["activation_mean/" + layer]`.
        variables: names of trainable variables, `curves["gradient_norm/" + variable]`.
    """

    seeds: np.ndarray
    steps: np.ndarray
    curves: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]
    diverged: np.ndarray
    diverged_at: np.ndarray
    final: list[list[np.ndarray]]
    compile_seconds: float
    run_seconds: float
    traces: int
    layers: list[str]
    variables: list[str]
    build: Callable[[int], keras.Model] = field(repr=False)

    def __getitem__(self, name: str) -> np.ndarray:
        """The curve of that name, (seeds, points)."""
        if name not in self.curves:
            raise ValueError(f"curve: unknown name {name!r}; recorded: {', '.join(self.curves)}")
        return self.curves[name]

    def final_model(self, seed_index: int = 0) -> keras.Model:
        """A new model with the final weights of `seeds[seed_index]`."""
        model = self.build(int(self.seeds[seed_index]))
        model.set_weights(self.final[seed_index])
        return model

    def first_below(self, curve: str, threshold: float) -> np.ndarray:
        """First recorded step where the curve is <= threshold, (seeds,); last step + 1 if never.

        The resolution is that of the record (`record_every`).
        """
        return self._first(self[curve] <= threshold)

    def first_above(self, curve: str, threshold: float) -> np.ndarray:
        """First recorded step where the curve is >= threshold, (seeds,); last step + 1 if never."""
        return self._first(self[curve] >= threshold)

    def _first(self, reached: np.ndarray) -> np.ndarray:
        return np.where(reached.any(1), self.steps[reached.argmax(1)], self.steps[-1] + 1)
