"""`train`: any Keras model, any Keras optimizer, many seeds, one compiled program."""

import time
from collections.abc import Callable, Sequence
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from suite.training.checks import (
    check_backend,
    check_labels,
    check_loss,
    check_names,
    check_run,
    check_seeds,
    check_set,
    check_side_by_side,
)
from suite.training.factory import ModelFactory, copy_optimizer, restart_noise
from suite.training.history import History
from suite.training.probes import PROBES
from suite.training.program import NEVER, Program
from suite.training.scores import choose_score
from suite.training.streams import STREAMS, batch_indices, streams

# Samples on which gradient and activation probes look: a norm from 256 of them is known to about
# 1 / sqrt(256) = 6 % of the spread between samples, at the price of a few steps.
PROBE_SAMPLES = 256


class Training:
    """A training run prepared once, to be run again with other seeds or another learning rate.

    Compiling takes longer than many runs do. `train(...)` is `Training(...)()`; the arguments are
    those of `train`.

    Example:
        >>> import keras, numpy as np
        >>> x = np.linspace(-1, 1, 32, dtype="float32").reshape(16, 2)
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> training = Training(model, keras.optimizers.SGD(), "mse", x, x.sum(1, keepdims=True),
        ...                     steps=40, batch_size=8, record_every=20, probes=())
        >>> slow, fast = (training(learning_rate=rate) for rate in (0.001, 0.1))
        >>> bool(fast.scores["train_loss"][0] < slow.scores["train_loss"][0])
        True
    """

    def __init__(
        self,
        model: keras.Model | Callable[[int], keras.Model],
        optimizer: keras.optimizers.Optimizer | Callable | str,
        loss: keras.losses.Loss | Callable | str,
        x: np.ndarray,
        y: np.ndarray,
        *,
        steps: int,
        batch_size: int,
        seeds: Sequence[int] = (0,),
        validation: tuple[np.ndarray, np.ndarray] | None = None,
        test: tuple[np.ndarray, np.ndarray] | None = None,
        metric: str | Callable | None = "auto",
        record_every: int = 10,
        probes: Sequence[str] = PROBES,
        seeds_at_once: int = 1,
        data_axis_per_seed: bool = False,
        share: Sequence[str] = (),
        with_replacement: bool = False,
        train_probe: int = 1024,
        compiled: bool = True,
    ):
        check_backend()
        self.seeds = check_run(steps, batch_size, seeds, record_every, seeds_at_once, train_probe)
        wanted = check_names("probes", probes, PROBES)
        self.share = check_names("share", share, STREAMS)
        data = {"train": (x, y), "validation": validation, "test": test}
        self.data = {
            name: check_set(name, pair, len(self.seeds) if data_axis_per_seed else None)
            for name, pair in data.items()
            if pair is not None
        }
        x, y = self.data["train"]
        samples = x.shape[int(data_axis_per_seed)]
        if batch_size > samples:
            raise ValueError(f"batch_size: {batch_size} is more than the {samples} samples of x")
        loss = check_loss(loss)
        one_x = x[0] if data_axis_per_seed else x
        self.factory = ModelFactory(model, one_x[:2])
        self.template = self._build(self.seeds[0])
        check_labels(loss, self.data, self.template(tf.constant(one_x[:2]), training=False))
        self.lanes = min(seeds_at_once, len(self.seeds))
        optimizer = copy_optimizer(optimizer)
        if self.lanes > 1:
            check_side_by_side(optimizer, self.template)
        self.data_axis, self.compiled = data_axis_per_seed, compiled

        # A fixed order, the same for every seed and every call: x may well be sorted by class.
        order = np.random.default_rng(0).permutation(samples)
        self.program = Program(
            self.template,
            optimizer,
            loss,
            choose_score(metric, loss, y),
            lanes=self.lanes,
            steps=steps,
            record_every=record_every,
            probes=wanted,
            loss_rows=np.sort(order[:train_probe]) if samples > train_probe else None,
            probe_rows=np.sort(order[:PROBE_SAMPLES]),
            data_axis=data_axis_per_seed,
            whole_batch=batch_size == samples and not with_replacement,
            compiled=compiled,
        )
        self.program.prepare(tf.constant(one_x[:2]), "validation" in self.data)
        self.draw = partial(
            batch_indices,
            samples=samples,
            batch_size=batch_size,
            steps=steps,
            with_replacement=with_replacement,
        )
        self.no_batches = np.empty((steps, 0), np.int32)
        self.shared = None
        if not data_axis_per_seed:
            self.shared = tf.nest.map_structure(tf.constant, self.data)

    def __call__(
        self, seeds: Sequence[int] | None = None, learning_rate: float | None = None
    ) -> History:
        """Trains; only the first call compiles.

        Args:
            seeds: instead of those given before; as many, if each seed has its own data.
            learning_rate: instead of the optimizer's own, which must not be a schedule.
        """
        seeds = self.seeds if seeds is None else check_seeds(seeds)
        if self.data_axis and len(seeds) != len(self.seeds):
            raise ValueError(f"seeds: expected {len(self.seeds)}, one a data set, received {seeds}")
        self.program.set_learning_rate(learning_rate)
        compile_seconds, run_seconds = 0.0, 0.0
        results = []
        for first in range(0, len(seeds), self.lanes):
            group = list(range(first, min(first + self.lanes, len(seeds))))
            arguments = self._arguments(seeds, group)
            if self.compiled and not self.program.traces:
                begin = time.perf_counter()
                self.program(*arguments, dry=True)
                compile_seconds = time.perf_counter() - begin
            begin = time.perf_counter()
            result = self.program(*arguments)  # NumPy arrays: the clock stops when they are here
            run_seconds += time.perf_counter() - begin
            results += [_lane(result, i, self.lanes) for i in range(len(group))]
        return _history(
            self.template,
            self.program,
            results,
            seeds,
            compile_seconds,
            run_seconds,
            partial(self._build, first=seeds[0]),
        )

    def _streams(self, seed, first):
        return streams(seed) | {name: streams(first)[name] for name in self.share}

    def _build(self, seed, first=None):
        first = seed if first is None else first
        return self.factory(seed, self._streams(seed, first)["initial weights"])

    def _arguments(self, seeds, group):
        # The last group is filled up with its first seed, so that no other shape is compiled.
        padded = group + [group[0]] * (self.lanes - len(group))
        trainable, states, batches = [], [], []
        for index in padded:
            own = self._streams(seeds[index], seeds[0])
            model = self._build(seeds[index], seeds[0])
            restart_noise(model, own["noise"])
            trainable.append([v.numpy() for v in model.trainable_variables])
            states.append([v.numpy() for v in model.non_trainable_variables])
            # A whole batch needs no indices, which would take 4 bytes a sample, step and seed.
            whole = self.program.whole_batch
            batches.append(self.no_batches if whole else self.draw(own["batches"]))
        return (
            _lanes(trainable, self.lanes),
            _lanes(states, self.lanes),
            tf.constant(_stack(batches, self.lanes, axis=1)),
            self.shared or _own_data(self.data, padded, self.lanes),
        )


def train(
    model: keras.Model | Callable[[int], keras.Model],
    optimizer: keras.optimizers.Optimizer | Callable | str,
    loss: keras.losses.Loss | Callable | str,
    x: np.ndarray,
    y: np.ndarray,
    **arguments,
) -> History:
    """Trains one model for each seed and records how it went.

    The steps, the choice of batches by index, the updates and the record are one program, compiled
    once and run for every seed. A run whose loss or weights become non-finite stops there and is
    reported as diverged; the others go on.

    Args:
        model: a `keras.Model`, copied and initialized anew for each seed, never changed; or a
            callable `seed -> keras.Model`, the same architecture each time.
        optimizer: a Keras optimizer, copied; or a callable that returns one; or a name.
        loss: a `keras.losses.Loss`, its name, or a function (y_true, y_pred) -> losses. The
            model's penalties are added for the steps.
        x: inputs, (n, ...); (seeds, n, ...) with `data_axis_per_seed`.
        y: targets, likewise.
        **arguments: the following, of which `steps` and `batch_size` are required.
        steps: number of updates.
        batch_size: samples an update.
        seeds: one run each; see `streams`.
        validation: (x, y), recorded along the way.
        test: (x, y), evaluated once, after the last step.
        metric: "accuracy"; a callable (y_true, y_pred) -> numbers, averaged; None; or "auto",
            which is accuracy for a cross-entropy or hinge loss and None for others.
        record_every: steps between two points. Point 0 is before the first step.
        probes: names out of `PROBES`; what is not asked for costs nothing.
        seeds_at_once: seeds side by side in one program. Pays for tiny models, where the overhead
            of each operation dominates. The optimizer has to work element by element, and the
            model must not draw random numbers.
        data_axis_per_seed: all sets have a leading axis, one entry a seed.
        share: streams that every seed takes from `seeds[0]`, so that only the others vary.
        with_replacement: draw each batch anew; otherwise in shuffled epochs of whole batches.
        train_probe: record the training loss on at most so many samples (always the same). The
            final `scores` are on all of them.
        compiled: False runs the same operations one by one; slow, for debugging.

    Returns:
        A `History`.

    Raises:
        ValueError: an argument is out of range; the message names it and its value.

    Example:
        >>> import keras, numpy as np
        >>> x = np.linspace(-1, 1, 32, dtype="float32").reshape(16, 2)
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> history = train(model, keras.optimizers.SGD(0.1), "mse", x, x.sum(1, keepdims=True),
        ...                 steps=40, batch_size=8, seeds=(0, 1), record_every=20, probes=())
        >>> history["train_loss"].shape
        (2, 3)
        >>> bool((history["train_loss"][:, -1] < history["train_loss"][:, 0]).all())
        True
    """
    return Training(model, optimizer, loss, x, y, **arguments)()


# --- before and after the program ---------------------------------------------------------------


def _stack(arrays, lanes, axis=0):
    return np.stack(arrays, axis) if lanes > 1 else arrays[0]


def _lanes(lists, lanes):
    return [_stack(arrays, lanes) for arrays in zip(*lists, strict=True)]


def _own_data(data, indices, lanes):
    return {
        name: tuple(tf.constant(_stack([a[i] for i in indices], lanes)) for a in pair)
        for name, pair in data.items()
    }


def _lane(result, lane, lanes):
    """What the program returned for one of its lanes."""
    if lanes == 1:
        return result
    trainable, state, record, diverged_at, scores = result
    return (
        [value[lane] for value in trainable],
        [value[lane] for value in state],
        record[:, lane],
        diverged_at[lane],
        {name: value[lane] for name, value in scores.items()},
    )


def _history(template, program, results, seeds, compile_seconds, run_seconds, build):
    diverged_at = np.array([result[3] for result in results])
    diverged = diverged_at != NEVER
    record = np.stack([result[2] for result in results])  # (seeds, points, columns)
    record[diverged[:, None] & (program.points >= diverged_at[:, None])] = np.nan
    scores = {
        name: np.where(diverged, np.nan, [float(result[4][name]) for result in results])
        for name in results[0][4]
    }
    return History(
        seeds=np.array(seeds),
        steps=program.points,
        curves={name: record[:, :, i] for i, name in enumerate(program.recorded)},
        scores=scores,
        diverged=diverged,
        diverged_at=diverged_at,
        final=[
            _final(template, result, gone) for result, gone in zip(results, diverged, strict=True)
        ],
        compile_seconds=compile_seconds,
        run_seconds=run_seconds,
        traces=program.traces,
        layers=program.layers,
        variables=[name for _, name in program.names],
        build=build,
    )


def _final(template, result, gone):
    """Final weights in the order of `model.set_weights`."""
    values = {}
    for variables, arrays in (
        (template.trainable_variables, result[0]),
        (template.non_trainable_variables, result[1]),
    ):
        values |= {id(v): a for v, a in zip(variables, arrays, strict=True)}
    arrays = [values[id(variable)] for variable in template.weights]
    if gone:
        # One lane of several cannot stop while the others go on, so its numbers mean nothing.
        return [np.full_like(a, np.nan) if a.dtype.kind == "f" else a for a in arrays]
    return arrays
