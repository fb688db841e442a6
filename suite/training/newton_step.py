"""What lets `fit` run Newton's method: a training step that hands over the loss as a function.

Lecture section "Gradient-based learning", claim C13.
"""

import itertools

import keras

from suite.optimizers.newton import Newton


class NewtonStep:
    """Mix-in for a `keras.Model` that is compiled with `suite.optimizers.Newton`.

    Put it before the model class; sequential, functional and subclassed models all work, eagerly,
    as a graph and with `jit_compile=True`:

        class Model(NewtonStep, keras.Sequential): ...

    The loss is that of `compile`, with sample weights and with the penalties of the layers.
    Metrics are updated with the predictions before the step, as Keras does. Layers run in training
    mode. Their state (moving averages of a normalization, seeds of a dropout) changes once a
    batch, however often the line search tries the loss: within one step, the loss is a fixed
    function of the weights. With any other optimizer, the model trains as without the mix-in.

    Each distinct batch size is a program of its own; give the whole data set as one batch.

    Raises:
        ValueError: in `fit`, if the model has no trainable weights.
        NotImplementedError: in `fit`, on the torch backend or with several devices.

    Example:
        >>> import numpy as np
        >>> class Model(NewtonStep, keras.Sequential):
        ...     pass
        >>> model = Model([keras.Input((2,)), keras.layers.Dense(1)])
        >>> x = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 1.0], [2.0, 2.0]])
        >>> model.compile(Newton(), "mse")
        >>> history = model.fit(x, x @ [[2.0], [-1.0]] + 5.0, epochs=2, verbose=0)
        >>> history.history["loss"][-1] < 1e-9  # one step solves a linear regression
        True
    """

    def train_step(self, *arguments):
        """One Newton step on a batch; Keras calls it with what its backend's `fit` hands over."""
        # Under a mixed_float16 policy Keras wraps the optimizer, to scale a loss.
        optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if not isinstance(optimizer, Newton):
            return super().train_step(*arguments)
        _refuse_what_cannot_work(self)
        if len(arguments) == 1:
            return self._newton_step(optimizer, *arguments)
        # JAX's `fit` passes the values of all variables along, and wants the new ones back.
        state, data = arguments
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        pairs = [zip(*group, strict=True) for group in zip(groups, state, strict=True)]
        with keras.StatelessScope(itertools.chain(*pairs), collect_losses=True) as scope:
            logs = self._newton_step(optimizer, data)
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)

    def _newton_step(self, optimizer, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)

        def forward():
            y_pred = self(x, training=True) if self._call_has_training_arg else self(x)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
            return loss, y_pred

        loss, y_pred = forward()  # a deferred model has its weights from here on
        if not self.trainable_variables:
            raise ValueError("NewtonStep must have trainable weights, received a model with none")
        samples = keras.ops.shape(keras.tree.flatten(x)[0])[0]
        self._loss_tracker.update_state(loss, sample_weight=samples)
        # A loss of several outputs reads and updates metrics of its own.
        state = [*self.non_trainable_variables, *self.metrics_variables]
        optimizer.minimize(lambda: forward()[0], self.trainable_variables, state)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)


def _refuse_what_cannot_work(model):
    backend = keras.backend.backend()
    if backend not in ("tensorflow", "jax"):
        raise NotImplementedError(f"NewtonStep needs TensorFlow or JAX, received {backend!r}")
    strategy = getattr(model, "distribute_strategy", None)
    replicas = strategy.num_replicas_in_sync if strategy else 1
    if replicas > 1 or keras.distribution.distribution() is not None:
        raise NotImplementedError("NewtonStep needs a single device, received a distribution")
