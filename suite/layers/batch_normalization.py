"""Batch normalization: keep activations at zero mean and unit variance during training.

Lecture section "Activation normalization", claims C46 to C48. Each feature is standardized by
itself, and a learnable affine map restores the scale the network wants. That is whitening only
where the features are uncorrelated already.
"""

import keras
from keras import constraints, initializers, ops, regularizers

from suite import _arguments as check


@keras.saving.register_keras_serializable(package="dl_basics")
class BatchNormalization(keras.layers.Layer):
    """Standardize each feature over the batch, then scale and shift it.

    During training the statistics are those of the minibatch:

        z = (x - mean(x)) / sqrt(var(x) + epsilon)        y = gamma * z + beta

    and `moving_mean`, `moving_variance` follow them as exponential averages,
    `moving <- momentum * moving + (1 - momentum) * batch`. At inference the moving averages
    replace the batch statistics, so one sample's output no longer depends on its neighbors. A
    layer with `trainable=False` always works as at inference.

    `var` is the biased estimator (divides by the batch size), in the output and in the moving
    average, as in Keras; the paper's inference uses the unbiased one. The averages start from
    (0, 1) and are not debiased: at `momentum=0.99` they need 459 steps to forget 99 % of that
    start. Statistics are
    computed in float32 or better under every dtype policy, and kept so under the mixed ones.

    Args:
        axis: the axis of the features.
        momentum: weight of the past in the moving averages, in [0, 1).
        epsilon: added to the variance, in squared units of `x`, so that a constant feature stays
            finite.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer: how `beta` starts.
        gamma_initializer: how `gamma` starts.
        moving_mean_initializer: how `moving_mean` starts.
        moving_variance_initializer: how `moving_variance` starts.
        beta_regularizer: penalty on `beta`, added to the loss.
        gamma_regularizer: penalty on `gamma`.
        beta_constraint: projection of `beta` after each step of an optimizer.
        gamma_constraint: projection of `gamma`.
        synchronized: only `False`; Keras's statistics over several devices are left out.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`. Keras's `renorm` is another
            algorithm and refused.

    Shapes:
        input `(batch, ..., features)`, output the same. Statistics are taken over every axis but
        `axis`; with a mask `(batch, ...)`, over the entries it keeps.

    Raises:
        ValueError: `momentum` outside [0, 1), `epsilon` not positive, `synchronized`, a name is
            unknown; or, when built, `axis` is not an axis of the input; or a mask of the wrong
            rank.

    Example:
        >>> import numpy as np
        >>> layer = BatchNormalization()
        >>> y = layer(np.array([[0.0, 10.0], [2.0, 30.0]], "float32"), training=True)
        >>> [[round(float(v), 2) for v in row] for row in y]
        [[-1.0, -1.0], [1.0, 1.0]]

    Reference:
        Ioffe & Szegedy 2015, arXiv:1502.03167, Algorithms 1 and 2.
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        synchronized=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if synchronized is not False:
            raise ValueError(f"synchronized must be False, received {synchronized!r}")
        self.synchronized = False
        self.axis = check.integer("axis", axis)
        self.momentum = check.decay("momentum", momentum)
        self.epsilon = check.positive("epsilon", epsilon)
        self.center = check.flag("center", center)
        self.scale = check.flag("scale", scale)
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma = None
        self.beta = None
        self.supports_masking = True

    def build(self, input_shape):
        self._check_axis(input_shape)
        features = check.positive_integer(f"axis {self.axis} of the input", input_shape[self.axis])
        # autocast=False: under mixed precision the statistics and the affine map stay in float32.
        weight = {"shape": (features,), "autocast": False}
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                **weight,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                **weight,
            )
        self.moving_mean = self.add_weight(
            name="moving_mean",
            initializer=self.moving_mean_initializer,
            trainable=False,
            **weight,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            initializer=self.moving_variance_initializer,
            trainable=False,
            **weight,
        )
        self.input_spec = keras.layers.InputSpec(ndim=len(input_shape), axes={self.axis: features})

    def call(self, x, training=False, mask=None):
        # A float16 square overflows beyond 256, so the arithmetic is float32 at least.
        x = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
        if training and self.trainable:  # a frozen layer keeps its statistics, as in Keras
            mean, variance = self._moments(x, mask)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance)
        else:
            mean = self._along_axis(self.moving_mean, x)
            variance = self._along_axis(self.moving_variance, x)
        z = (x - mean) / ops.sqrt(variance + self.epsilon)
        gamma = self._along_axis(self.gamma, x) if self.scale else 1
        beta = self._along_axis(self.beta, x) if self.center else 0
        return ops.cast(gamma * z + beta, self.compute_dtype)

    def _moments(self, x, mask):
        """Mean and biased variance, of size one along every axis but the features'."""
        features = self.axis % len(x.shape)
        over = tuple(axis for axis in range(len(x.shape)) if axis != features)
        if mask is None:
            return ops.moments(x, over, keepdims=True)
        if len(mask.shape) != len(x.shape) - 1:
            raise ValueError(
                f"mask must have one axis less than the input {tuple(x.shape)}, "
                f"received shape {tuple(mask.shape)}"
            )
        kept = ops.broadcast_to(ops.expand_dims(ops.cast(mask, "bool"), -1), ops.shape(x))
        count = ops.sum(ops.cast(kept, x.dtype), over, keepdims=True)
        count = ops.maximum(count, 1)  # nothing kept: mean 0 and variance 0 rather than 0 / 0
        mean = ops.sum(ops.where(kept, x, 0), over, keepdims=True) / count
        squared_deviation = ops.where(kept, ops.square(x - mean), 0)
        return mean, ops.sum(squared_deviation, over, keepdims=True) / count

    def _follow(self, moving, batch):
        batch = ops.reshape(batch, moving.shape)
        moving.assign(self.momentum * moving + (1 - self.momentum) * batch)

    def _along_axis(self, vector, x):
        """The vector `(features,)` with axes of size one around it, so that it meets `x`."""
        shape = [1] * len(x.shape)
        shape[self.axis] = -1
        return ops.reshape(ops.cast(vector, x.dtype), shape)

    def _check_axis(self, input_shape):
        if not -len(input_shape) <= self.axis < len(input_shape):
            raise ValueError(f"axis must be an axis of {tuple(input_shape)}, received {self.axis}")

    def compute_output_shape(self, input_shape):
        self._check_axis(input_shape)
        return tuple(input_shape)

    def get_config(self):
        return super().get_config() | {
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": initializers.serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            "synchronized": self.synchronized,
        }
