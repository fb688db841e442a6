"""Batch normalization: keep activations at zero mean and unit variance during training.

Lecture section "Activation normalization", claims C46 to C48. Each feature is standardized by
itself, and a learnable affine map restores the scale the network wants. That is whitening only
where the features are uncorrelated already.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite._configured import Configured


@keras.saving.register_keras_serializable(package="dl_basics")
class BatchNormalization(Configured, keras.layers.Layer):
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
        beta_initializer, gamma_initializer: how the affine map starts.
        moving_mean_initializer, moving_variance_initializer: how the averages start.
        beta_regularizer, gamma_regularizer: penalties on the affine map, added to the loss.
        beta_constraint, gamma_constraint: projections after each step of an optimizer.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, ..., features)`, output the same. Statistics are taken over every axis but
        `axis`; with a mask `(batch, ...)`, over the entries it keeps.

    Raises:
        ValueError: `momentum` outside [0, 1), `epsilon` not positive, a name is unknown; or, when
            built, `axis` is not an axis of the input; or a mask of the wrong rank.

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
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.axis = check.integer("axis", axis)
        self.momentum = check.decay("momentum", momentum)
        self.epsilon = check.positive("epsilon", epsilon)
        self.center = check.flag("center", center)
        self.scale = check.flag("scale", scale)
        self._weight_arguments("beta", beta_initializer, beta_regularizer, beta_constraint)
        self._weight_arguments("gamma", gamma_initializer, gamma_regularizer, gamma_constraint)
        self._weight_arguments("moving_mean", moving_mean_initializer)
        self._weight_arguments("moving_variance", moving_variance_initializer)
        self.gamma = None
        self.beta = None
        self.supports_masking = True

    def build(self, input_shape):
        self._check_axis(input_shape)
        features = check.positive_integer(f"axis {self.axis} of the input", input_shape[self.axis])
        # autocast=False: under mixed precision the statistics and the affine map stay in float32.
        options = {"shape": (features,), "autocast": False}
        if self.scale:
            self.gamma = self._weight("gamma", **options)
        if self.center:
            self.beta = self._weight("beta", **options)
        self.moving_mean = self._weight("moving_mean", trainable=False, **options)
        self.moving_variance = self._weight("moving_variance", trainable=False, **options)
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
        gamma = self._along_axis(self.gamma, x) if self.scale else 1
        beta = self._along_axis(self.beta, x) if self.center else 0
        # gamma * z + beta. Where it meets the batch the mean is a constant; its gradient flows
        # through a difference that is zero, which saves a pass over the batch.
        slope = gamma * ops.rsqrt(variance + self.epsilon)
        fixed = ops.stop_gradient(mean)
        y = slope * (x - fixed) + (beta - slope * (mean - fixed))
        return ops.cast(y, self.compute_dtype)

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
