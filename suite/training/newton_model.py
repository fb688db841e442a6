"""Newton's method on the weights of a Keras model: `newton(..., model=...)`."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from suite.optimizers._armijo import epsilon
from suite.optimizers.newton import Newton
from suite.training.checks import check_labels, check_loss
from suite.training.newton_history import NewtonHistory


def minimize_model(
    features, labels, model, loss, optimizer: Newton, tolerance, max_steps
) -> NewtonHistory:
    """The loop of `newton` for a model, whose weights end at the last point of the history.

    On TensorFlow a step is one graph; on JAX the loops inside it are compiled, the rest is not.
    The arguments are those of `newton`.
    """
    loss = check_loss(loss)
    check_labels(loss, {"train": (features, np.asarray(labels))}, model(features))  # builds it too
    x, y = (ops.convert_to_tensor(array) for array in (features, labels))
    variables = model.trainable_variables
    if not variables:
        raise ValueError(f"model must have trainable weights, received {model.name!r} with none")

    def forward():
        return model(x, training=True) if model._call_has_training_arg else model(x)

    def objective():
        return loss(y, forward()) + sum(model.losses)

    def propose():
        forward()  # moving averages and seeds move on, once a step
        return optimizer.propose(objective, variables)

    if keras.backend.backend() == "tensorflow":
        propose = tf.function(propose)
    weights = [_flat(variables)]
    losses: list[float] = []
    norms: list[float] = []
    step_sizes: list[float] = []

    def history(outcome):
        return NewtonHistory(
            np.array(weights), np.array(losses), np.array(norms), np.array(step_sizes), outcome
        )

    while True:
        update = propose()
        if tolerance is None:
            # Rounding leaves a gradient of some epsilons; this power is a few digits above them.
            tolerance = max(epsilon(update.loss), epsilon(update.weights)) ** (2 / 3)
        if not np.isfinite(update.loss):
            if not step_sizes:
                raise ValueError(f"loss must be finite at the start, received {update.loss}")
            del weights[-1], step_sizes[-1]
            optimizer.accept(update._replace(weights=weights[-1]), variables)
            return history("diverged")
        losses.append(float(update.loss))
        norms.append(float(update.gradient_norm))
        if norms[-1] <= tolerance:
            return history(
                "converged" if update.positive_definite else "Hessian not positive definite"
            )
        if len(step_sizes) == max_steps:
            return history("out of steps")
        if update.step_size == 0:
            return history("no descent")
        optimizer.accept(update, variables)
        weights.append(_flat(variables))
        step_sizes.append(float(update.step_size))


def _flat(variables):
    return np.concatenate([np.ravel(ops.convert_to_numpy(variable)) for variable in variables])
