"""Whitening: rotate and scale features until they are uncorrelated and of unit variance.

Lecture section "Activation normalization", claims C44 and C45. Infinitely many linear maps do
it, since any rotation of white data is white. This layer knows the three that have names.
"""

import keras
import numpy as np
from keras import ops

from suite import _arguments as check
from suite._configured import Configured
from suite.layers._whiteners import METHODS, whitener


@keras.saving.register_keras_serializable(package="dl_basics")
class Whitening(Configured, keras.layers.Layer):
    """Affine map to zero mean and identity covariance.

        Sigma = E[(x - mean) (x - mean)^T] = U diag(lambda) U^T = L L^T
        z = W (x - mean)        with  W Sigma W^T = I

        W = diag(lambda)^(-1/2) U^T        "pca": coordinates are the principal axes, largest first
        W = U diag(lambda)^(-1/2) U^T      "zca": the whitener that moves the data least
        W = L^(-1)                         "cholesky": lower triangular, no eigenvectors needed

    `Sigma^(1/2)`, or `L` itself, would color white data, not whiten colored data. The covariance
    divides by the number of samples, and `epsilon` is added to its diagonal, so a direction of
    variance `lambda` comes out with variance `lambda / (lambda + epsilon)`.

    With `statistics="adapt"`, mean and covariance are those of a data set, computed in float64 by
    `adapt`; until then the layer takes data for white already. With `statistics="batch"` they are
    those of the minibatch during training and their moving averages at inference, as in
    `BatchNormalization`, and gradients flow through them. The gradient of "pca" divides by
    differences of eigenvalues and is useless where two of them meet; that of "zca" does not.

    Args:
        method: `"zca"`, `"pca"` or `"cholesky"`.
        statistics: `"adapt"` or `"batch"`.
        epsilon: added to the covariance's diagonal, in squared units of `x`; 0 is allowed.
        momentum: weight of the past in the moving averages, in [0, 1); only for `"batch"`.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, ..., features)`, output the same. Every axis but the last counts samples;
        with a mask `(batch, ...)`, those that it keeps.

    Raises:
        ValueError: `method` or `statistics` unknown, `epsilon` negative, `momentum` outside
            [0, 1); by `adapt`: data with a number that is not finite, of another width, with fewer
            than two samples, or with a singular covariance while `epsilon` is 0.

    Example:
        >>> import numpy as np
        >>> x = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 2.0], [4.0, 2.0]])
        >>> layer = Whitening(epsilon=0)
        >>> layer.adapt(x)
        >>> layer(x).numpy().tolist()
        [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]

    Reference:
        Kessy, Lewin & Strimmer 2018, arXiv:1512.00809, table 1.
    """

    def __init__(self, method="zca", statistics="adapt", epsilon=1e-5, momentum=0.99, **kwargs):
        super().__init__(**kwargs)
        self.method = check.choice("method", method, METHODS)
        self.statistics = check.choice("statistics", statistics, ("adapt", "batch"))
        self.epsilon = check.not_negative("epsilon", epsilon)
        self.momentum = check.decay("momentum", momentum)
        self.supports_masking = True

    def build(self, input_shape):
        features = check.positive_integer("the last axis of the input", input_shape[-1])
        options = {"trainable": False, "autocast": False}  # float32 under mixed precision
        self.mean = self.add_weight(name="mean", shape=(features,), initializer="zeros", **options)
        self.covariance = self.add_weight(
            name="covariance", shape=(features, features), initializer="identity", **options
        )
        # What `adapt` makes of the covariance, so that calls need no eigenvectors.
        self.matrix = self.add_weight(
            name="matrix", shape=(features, features), initializer="identity", **options
        )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: features})

    def adapt(self, data):
        """Takes mean and covariance from a data set; what was adapted to before is forgotten.

        Args:
            data: an array `(samples, ..., features)`, or an iterable of such batches, for example
                a `tf.data.Dataset`.
        """
        batches = [data] if hasattr(data, "shape") or isinstance(data, list) else data
        count, mean, scatter = 0, 0.0, 0.0
        for batch in batches:
            if isinstance(batch, (tuple, dict)):
                raise ValueError(
                    f"data must be batches of x alone, received a {type(batch).__name__} of "
                    f"{len(batch)}"
                )
            try:
                x = np.asarray(ops.convert_to_numpy(batch), "float64")
            except (TypeError, ValueError):
                raise ValueError(f"data must be numbers, received {batch!r:.60}") from None
            if not self.built:
                self.build(x.shape)
            if x.ndim < 2 or x.shape[-1] != self.mean.shape[0]:
                raise ValueError(
                    f"data must have shape (samples, ..., {self.mean.shape[0]}), received {x.shape}"
                )
            x = x.reshape(-1, x.shape[-1])
            if len(x) == 0:
                continue
            if not np.isfinite(x).all():
                row, column = np.argwhere(~np.isfinite(x))[0]
                raise ValueError(
                    f"data must be finite, received {x[row, column]} in row {row}, column {column}"
                )
            # Chan's update, which unlike E[x^2] - E[x]^2 survives a mean far from zero.
            shift = x.mean(0) - mean
            centered = x - x.mean(0)
            total = count + len(x)
            scatter = scatter + centered.T @ centered
            scatter = scatter + np.outer(shift, shift) * (count * len(x) / total)
            mean, count = mean + shift * (len(x) / total), total
        if count < 2:
            raise ValueError(f"data must have at least 2 samples, received {count}")
        covariance = scatter / count
        self._refuse_singular(covariance, count)
        self.mean.assign(mean)
        self.covariance.assign(covariance)
        self.matrix.assign(whitener(self.method, covariance, self.epsilon, np))

    def _refuse_singular(self, covariance, count):
        features, rank = len(covariance), np.linalg.matrix_rank(covariance, hermitian=True)
        if self.epsilon == 0 and rank < features:
            raise ValueError(
                f"data must have a covariance of full rank {features}, received rank {rank} from "
                f"{count} samples (an epsilon above 0 allows it)"
            )

    def call(self, x, training=False, mask=None):
        x = ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
        mean, matrix = ops.cast(self.mean, x.dtype), ops.cast(self.matrix, x.dtype)
        if self.statistics == "batch":
            covariance = ops.cast(self.covariance, x.dtype)
            if training and self.trainable:
                mean, covariance = self._moments(x, mask)
                self._follow(self.mean, mean)
                self._follow(self.covariance, covariance)
            matrix = whitener(self.method, covariance, self.epsilon, ops)
        z = ops.matmul(x - mean, ops.transpose(matrix))  # vectors are rows here
        return ops.cast(z, self.compute_dtype)

    def _moments(self, x, mask):
        """Mean and biased covariance over the samples that the mask keeps."""
        features = x.shape[-1]
        rows = ops.reshape(x, (-1, features))
        if mask is None:
            mean = ops.mean(rows, axis=0)
            centered = rows - mean
            return mean, ops.matmul(ops.transpose(centered), centered) / ops.cast(
                ops.shape(rows)[0], x.dtype
            )
        kept = ops.reshape(ops.cast(mask, "bool"), (-1, 1))
        count = ops.maximum(ops.sum(ops.cast(kept, x.dtype)), 1)
        mean = ops.sum(ops.where(kept, rows, 0), axis=0) / count
        centered = ops.where(kept, rows - mean, 0)
        return mean, ops.matmul(ops.transpose(centered), centered) / count

    def _follow(self, moving, batch):
        moving.assign(self.momentum * moving + (1 - self.momentum) * batch)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
