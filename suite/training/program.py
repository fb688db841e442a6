"""The whole training run as one compiled program.

    for each point of the record:
        for each step until that point:
            g <- gradient of the loss on the step's batch
            w <- optimizer(w, g)
        record losses, scores and probes

Python runs while this is traced, once; then XLA runs all of it, for one seed after another, with
the initial weights, the batch indices and the data as arguments. Called step by step from Python,
a small model spends most of its time between the steps.

Side by side (`lanes` > 1) every weight has a leading axis, one entry a seed. The gradient is taken
for one seed and mapped over that axis; an element-wise optimizer does not notice it.
"""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from suite import _arguments as check
from suite.training import probes as probing
from suite.training.factory import mode

# Samples that pass through the model at once outside the steps: enough to keep a core busy, and
# the activations of a small convolutional network still fit into memory.
CHUNK = 1024

NEVER = -1  # `diverged_at` of a run that stayed finite


class Program:
    """Traces and runs the training of `lanes` seeds at a time.

    Args:
        model: built; lends its architecture and, with one lane, its variables.
        optimizer: not built.
        loss: a `keras.losses.Loss`.
        score: (y_true, y_pred) -> scalar, or None.
        lanes: seeds side by side.
        steps: number of updates.
        record_every: steps between two points of the record.
        probes: names out of `suite.training.probes.PROBES`.
        loss_rows: samples on which the training loss is recorded, (r,), or None for all.
        probe_rows: samples that gradient and activation probes see, (p,).
        data_axis: whether data has a leading axis of lanes.
        whole_batch: whether a batch is all samples, in order.
        compiled: False runs the same program operation by operation.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        loss: Callable,
        score: Callable | None,
        *,
        lanes: int,
        steps: int,
        record_every: int,
        probes: tuple[str, ...],
        loss_rows: np.ndarray | None,
        probe_rows: np.ndarray,
        data_axis: bool,
        whole_batch: bool,
        compiled: bool,
    ):
        self.model, self.optimizer, self.loss, self.score = model, optimizer, loss, score
        self.lanes, self.side_by_side, self.data_axis = lanes, lanes > 1, data_axis and lanes > 1
        self.steps, self.record_every, self.probes = steps, record_every, probes
        self.loss_rows, self.probe_rows, self.whole_batch = loss_rows, probe_rows, whole_batch
        self.points = np.append(np.arange(0, steps, record_every), steps)
        self.names = probing.variable_names(model)
        self.variables = (
            [
                keras.Variable(np.stack([v.numpy()] * lanes), name=v.name, dtype=v.dtype)
                for v in model.trainable_variables
            ]
            if self.side_by_side
            else model.trainable_variables
        )
        optimizer.build(self.variables)
        self._fresh = [variable.numpy() for variable in optimizer.variables]
        self.compiled, self.traces = compiled, 0
        self.learning_rate: float | None = None
        self._concrete: Callable | None = None

    # --- from Python ---------------------------------------------------------------------------

    def __call__(self, trainable, state, batches, data, *, dry: bool = False):
        """Trains from these initial values.

        Args:
            trainable: initial weights, a list, each (lanes, ...) if side by side.
            state: initial non-trainable values likewise (moving averages, keys of dropout).
            batches: (steps, batch), or (steps, lanes, batch); int32.
            data: {"train": (x, y), "validation": ..., "test": ...}, the last two if there.
            dry: take no step; for compiling.

        Returns:
            Final weights, final state, record (points, [lanes,] columns), diverged_at, scores.
        """
        for variable, value in zip(self.variables, trainable, strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)
        if self.learning_rate is not None:
            self.optimizer.learning_rate = self.learning_rate
        # Tensors, never Python numbers: those would trace and compile again at every new value.
        points = tf.constant(0 if dry else len(self.points), tf.int32)
        results = self._run(points, [tf.constant(v) for v in state], batches, data)
        state, record, diverged_at, scores = tf.nest.map_structure(np.asarray, results)
        return [v.numpy() for v in self.variables], state, record, diverged_at, scores

    def set_learning_rate(self, value: float | None) -> None:
        """For the runs to come; None is the optimizer's own."""
        # A loss scaling optimizer takes its rate from the one that it wraps.
        inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if value is not None and not isinstance(inner._learning_rate, keras.Variable):
            raise ValueError(f"learning_rate: {value!r} cannot replace the optimizer's schedule")
        self.learning_rate = None if value is None else check.not_negative("learning_rate", value)

    def _run(self, *arguments):
        if not self.compiled:
            return self._program(*arguments)
        if self._concrete is None:
            function = tf.function(self._program, jit_compile=True, autograph=False)
            # Held as a concrete function, which cannot be traced a second time by accident.
            self._concrete = function.get_concrete_function(*arguments)
        return self._concrete(*arguments)

    def layer_names(self, x: tf.Tensor) -> list[str]:
        """Names of the layers whose activations are recorded."""
        with probing.watch_outputs(self.model) as outputs:
            self.model(x, **mode(self.model, training=False))
        return list(outputs)

    def columns(self, layers: list[str]) -> list[str]:
        """Names of the recorded numbers, in order."""
        names = ["train_loss"] + ["train_score"] * bool(self.score)
        if self.has_validation:
            names += ["validation_loss"] + ["validation_score"] * bool(self.score)
        owners = list(dict.fromkeys(layer for layer, _ in self.names))
        for probe in ("gradient_norm", "update_ratio"):
            if probe in self.probes:
                names += [probe, *(f"{probe}/{layer}" for layer in owners)]
                names += [f"{probe}/{name}" for _, name in self.names]
        for probe in ("activation_mean", "activation_variance"):
            if probe in self.probes:
                names += [f"{probe}/{layer}" for layer in layers]
        return names

    def prepare(self, x: tf.Tensor, has_validation: bool) -> None:
        """Settles what is recorded; `x` is a sample of the inputs of one seed."""
        self.has_validation = has_validation
        self.output_dtype = self.model(x, **mode(self.model, training=False)).dtype
        self.layers = self.layer_names(x) if self._wants("activation") else []
        self.recorded = self.columns(self.layers)

    def _wants(self, kind: str) -> bool:
        return any(probe.startswith(kind) for probe in self.probes)

    # --- inside the program ---------------------------------------------------------------------

    def _program(self, points, state, batches, data):
        self.traces += 1  # Python comes by here only while tracing
        x, y = data["train"]
        data = data | {
            "loss": (x, y) if self.loss_rows is None else self._rows(x, y, self.loss_rows),
            "probe": self._rows(x, y, self.probe_rows),
        }
        lanes_shape = [self.lanes] if self.side_by_side else []
        never = tf.fill(lanes_shape, NEVER)
        record = tf.fill([len(self.points), *lanes_shape, len(self.recorded)], np.float32(np.nan))
        targets = tf.constant(self.points, tf.int32)

        def advance(target, step, diverged_at, state):
            """Steps until `target`, or until every lane has diverged."""
            return tf.while_loop(
                lambda step, diverged_at, state: (step < target) & self._alive(diverged_at),
                lambda *carry: self._step(*carry, batches, x, y),
                (step, diverged_at, state),
            )

        def one_point(point, step, diverged_at, state, record):
            target = targets[point]
            if "update_ratio" in self.probes:
                # The last step before the point on its own, to compare the weights around it.
                # A loop of two rounds, so that the step is compiled once, not twice.
                def leg(round_, step, diverged_at, state, _):
                    goal = tf.where(round_ == 0, target - 1, target)
                    before = self._weights()
                    return round_ + 1, *advance(goal, step, diverged_at, state), before

                _, step, diverged_at, state, before = tf.while_loop(
                    lambda round_, *_: round_ < 2,
                    leg,
                    (tf.constant(0), step, diverged_at, state, self._weights()),
                )
            else:
                before = []
                step, diverged_at, state = advance(target, step, diverged_at, state)
            row = self._measure(state, before, data)
            record = tf.tensor_scatter_nd_update(record, [[point]], row[None])
            return point + 1, step, diverged_at, state, record

        _, step, diverged_at, state, record = tf.while_loop(
            lambda point, step, diverged_at, *_: (point < points) & self._alive(diverged_at),
            one_point,
            (tf.constant(0), tf.constant(0), never, state, record),
        )
        # Averaged weights (`use_ema`) are returned, so they are what is scored.
        self.optimizer.finalize_variable_values(self.variables)
        scores = self._final_scores(state, data)
        # No step comes after the last one to notice what it did.
        fallen = (diverged_at == NEVER) & ~self._finite(scores["train_loss"])
        return state, record, tf.where(fallen, step, diverged_at), scores

    def _alive(self, diverged_at):
        return tf.reduce_any(diverged_at == NEVER)

    def _step(self, step, diverged_at, state, batches, x, y):
        if self.whole_batch:
            map_data, batch = self.data_axis, (x, y)
        else:
            rows, per_lane = batches[step], int(self.data_axis)
            map_data = self.side_by_side
            batch = tuple(tf.gather(a, rows, axis=per_lane, batch_dims=per_lane) for a in (x, y))
        gradients, state, value = self._map(
            self._gradients, (self._weights(), state), batch, map_data
        )
        self.optimizer.apply(gradients, self.variables)
        # The loss is that of the weights before this update. The record has no say in when a run
        # has diverged, which would then depend on how often it is written.
        fallen = (diverged_at == NEVER) & ~tf.math.is_finite(value)
        return step + 1, tf.where(fallen, step, diverged_at), state

    def _gradients(self, weights, state, x, y):
        """Gradients, the next state and the loss with its penalties, for one seed.

        The gradients are of the loss as the optimizer scales it, and `apply` divides them again;
        the value is not scaled.
        """
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            outputs, state, penalties = self.model.stateless_call(
                weights, state, x, return_losses=True, **mode(self.model, training=True)
            )
            value = tf.add_n([self.loss(y, outputs), *penalties])
            scaled = self.optimizer.scale_loss(value)
        zero = tf.UnconnectedGradients.ZERO
        return tape.gradient(scaled, weights, unconnected_gradients=zero), state, value

    def _infer(self, weights, state, x):
        return self.model.stateless_call(weights, state, x, **mode(self.model, training=False))

    def _map(self, function, mapped, data, map_data):
        """`function(*mapped, *data)`, over the lanes of `mapped` and, if `map_data`, of `data`."""
        if not self.side_by_side:
            return function(*mapped, *data)
        arguments = (*mapped, *data) if map_data else mapped
        shared = () if map_data else data
        try:
            # The fallback would be a loop over the lanes, which is not side by side at all.
            return tf.vectorized_map(
                lambda lane: function(*lane, *shared), arguments, fallback_to_while_loop=False
            )
        except ValueError as error:
            reason = next(line.strip() for line in reversed(str(error).splitlines()) if line)
            raise ValueError(
                f"seeds_at_once: {self.lanes} of {self.model.name} cannot be mapped side by side "
                f"({reason.removeprefix('ValueError: ')}); use seeds_at_once=1"
            ) from error

    def _weights(self):
        return [tf.convert_to_tensor(variable) for variable in self.variables]

    def _rows(self, x, y, rows):
        axis = int(self.data_axis)
        return tf.gather(x, rows, axis=axis), tf.gather(y, rows, axis=axis)

    # --- the record -----------------------------------------------------------------------------

    def _measure(self, state, before, data):
        """One row of the record, ([lanes,] columns)."""
        weights = self._weights()
        values = self._evaluate(state, data["loss"], "train")
        if self.has_validation:
            values |= self._evaluate(state, data["validation"], "validation")
        if "gradient_norm" in self.probes:
            gradients, _, _ = self._map(
                self._gradients, (weights, state), data["probe"], self.data_axis
            )
            squares = probing.squared_norms(gradients, self.side_by_side)
            scale = self.optimizer.scale_loss(tf.ones([]))  # 1, unless the optimizer scales
            values |= {
                name: norm / tf.cast(scale, norm.dtype)
                for name, norm in probing.norms(squares, self.names, "gradient_norm").items()
            }
        if "update_ratio" in self.probes:
            values |= self._update_ratios(weights, before)
        if self._wants("activation"):
            values |= self._map(self._moments, (weights, state), data["probe"], self.data_axis)
        return tf.stack([tf.cast(values[n], tf.float32) for n in self.recorded], axis=-1)

    def _finite(self, loss):
        """Whether the loss and all weights are finite: a scalar, or (lanes,)."""
        finite = tf.math.is_finite(loss)
        for weights in self._weights():
            axes = list(range(int(self.side_by_side), weights.shape.rank))
            finite &= tf.reduce_all(tf.math.is_finite(weights), axis=axes)
        return finite

    def _update_ratios(self, weights, before):
        change = [new - old for new, old in zip(weights, before, strict=True)]
        size, moved = (
            probing.norms(
                probing.squared_norms(tensors, self.side_by_side), self.names, "update_ratio"
            )
            for tensors in (before, change)
        )
        # Before the first step nothing has moved, and a zero bias has no size to compare with.
        return {
            name: tf.where((size[name] > 0) & (moved[name] > 0), moved[name] / size[name], np.nan)
            for name in size
        }

    def _moments(self, weights, state, x, _):
        with probing.watch_outputs(self.model) as outputs:
            self._infer(weights, state, x)
        return probing.moments(outputs)

    def _final_scores(self, state, data):
        names = ["train", *(name for name in ("validation", "test") if name in data)]
        scores = {}
        for name in names:
            scores |= self._evaluate(state, data[name], name)
        return scores

    def _evaluate(self, state, xy, name):
        """Loss without penalties, and score, on a whole set in inference mode."""
        x, y = xy
        outputs = self._predict(state, x)

        def values(outputs, y):
            found = {f"{name}_loss": self.loss(y, outputs)}
            if self.score is not None:
                found[f"{name}_score"] = self.score(y, outputs)
            return found

        return self._map(values, (outputs,), (y,), self.data_axis)

    def _predict(self, state, x):
        """Outputs for all samples, ([lanes,] n, ...), `CHUNK` samples at a time."""

        def outputs(x):
            return self._map(
                lambda weights, state, x: self._infer(weights, state, x)[0],
                (self._weights(), state),
                (x,),
                self.data_axis,
            )

        axis = int(self.data_axis)
        samples = x.shape[axis]
        if samples <= CHUNK:
            return outputs(x)
        whole = samples // CHUNK
        shape = list(x.shape)
        shape[axis] = CHUNK

        def chunk(number):
            begin = [0] * len(shape)
            begin[axis] = number * CHUNK
            return outputs(tf.slice(x, begin, shape))

        parts = tf.map_fn(chunk, tf.range(whole), fn_output_signature=self.output_dtype)
        samples_axis = int(self.side_by_side)
        parts = tf.concat(tf.unstack(parts), axis=samples_axis)  # was (whole, [lanes,] CHUNK, ...)
        rest = x[:, whole * CHUNK :] if axis else x[whole * CHUNK :]
        if rest.shape[axis] == 0:
            return parts
        return tf.concat([parts, outputs(rest)], axis=samples_axis)
