"""What is compared. A contender is built once, then asked again and again for one timed run."""

import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks.speed.problems import Problem


class Contender(Protocol):
    """A way to train."""

    name: str

    def warm_up(self) -> float:
        """Compiles; the seconds that took."""

    def run(self) -> float:
        """Trains once; seconds for one step of one seed, with the result on the host."""


@dataclass
class Ours:
    """`suite.training.train` without probes, recording only the start and the end."""

    name: str
    problem: Problem
    steps: int
    seeds: int = 1
    seeds_at_once: int = 1

    def warm_up(self) -> float:
        """The first call."""
        from suite.training import Training

        self._training = Training(
            self.problem.model(),
            self.problem.new_optimizer(),
            self.problem.loss(),
            *self.problem.data(),
            steps=self.steps,
            batch_size=self.problem.batch_size,
            seeds=range(self.seeds),
            seeds_at_once=self.seeds_at_once,
            record_every=self.steps,
            probes=(),
        )
        return self._training().compile_seconds

    def run(self) -> float:
        """A call of the compiled program, the losses before and after included."""
        return self._training().run_seconds / (self.steps * self.seeds)


@dataclass
class Fit:
    """`model.fit` on NumPy arrays.

    Args:
        name: shown in the table.
        problem: what to train.
        epochs: epochs a run.
        samples: size of the training set, for the number of steps an epoch.
        options: for `model.compile`.
    """

    name: str
    problem: Problem
    epochs: int
    samples: int
    options: dict

    def warm_up(self) -> float:
        """The first epoch, most of which is tracing and compiling."""
        self._data = self.problem.data(self.samples)
        self._model = self.problem.model()
        self._model.compile(self.problem.new_optimizer(), self.problem.loss(), **self.options)
        return self._fit(epochs=1)

    def run(self) -> float:
        """Further epochs of the model that is compiled already."""
        # fit counts a last, shorter batch as a step, and pays for it as for one
        steps = self.epochs * -(-self.samples // self.problem.batch_size)
        return self._fit(self.epochs) / steps

    def _fit(self, epochs: int) -> float:
        begin = time.perf_counter()
        size = self.problem.batch_size
        self._model.fit(*self._data, epochs=epochs, batch_size=size, verbose=0)
        np.asarray(self._model.trainable_variables[0])  # on the host before the clock stops
        return time.perf_counter() - begin


@dataclass
class Jax:
    """`jit(vmap(scan))` of the same model and optimizer."""

    name: str
    problem: Problem
    steps: int
    seeds: int = 1

    def warm_up(self) -> float:
        """The first call."""
        from benchmarks.speed import jax_peer

        self._program = jax_peer.program(self.problem)
        rows = [self._batches(seed) for seed in range(self.seeds)]
        self._arguments = (
            jax_peer.initial_weights(self.problem, self.seeds),
            np.stack(rows),
            *self.problem.data(),
        )
        return self._run()

    def run(self) -> float:
        """A call of the compiled function."""
        return self._run() / (self.steps * self.seeds)

    def _run(self) -> float:
        begin = time.perf_counter()
        weights = self._program(*self._arguments)
        np.asarray(weights[0][0])  # waits until the result is there
        return time.perf_counter() - begin

    def _batches(self, seed: int) -> np.ndarray:
        from suite.training import batch_indices, streams

        p = self.problem
        return batch_indices(streams(seed)["batches"], p.samples, p.batch_size, self.steps)


def jax_installed() -> bool:
    """Whether the peer is there; the suite itself does not need it."""
    try:
        import jax  # noqa: F401
    except ImportError:
        return False
    return True
