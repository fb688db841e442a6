"""Mean squared error: the negative log-likelihood of a normal whose mean the model predicts.

Lecture section "Learning theory", claim C51. With a fixed variance `s^2`,
`-log p(y) = (y - prediction)^2 / (2 s^2) + constant`, so both have the same minimum.
"""

import keras
from keras import ops

from suite._configured import Configured
from suite.losses._rank import same_rank


@keras.saving.register_keras_serializable(package="dl_basics")
class MeanSquaredError(Configured, keras.losses.Loss):
    """The squared distance between label and prediction, averaged over the outputs.

        loss = 1/n sum_k (y_k - prediction_k)^2        n outputs

    Its slope is `2 (prediction_k - y_k) / n`. Unlike Keras, shapes that differ are refused:
    `(batch, 1)` against `(batch,)` is the same, but `(batch, 1)` against `(batch, outputs)` would
    compare everything with everything.

    Args:
        reduction: `"sum_over_batch_size"` or `"mean"` (the same), `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or `None`.
        name: name of the loss.
        dtype: of the computation; by default `keras.config.floatx()`. In float16 a difference
            above 255 overflows when squared.

    Shapes:
        y_true `(batch, ..., outputs)`, y_pred the same; a last axis of size one may be missing in
        either. The loss is a scalar, or `(batch, ...)` with `reduction=None`.

    Raises:
        ValueError: `reduction` is unknown; or, when called, the shapes differ.

    Example:
        >>> float(MeanSquaredError()([[1.0, 2.0]], [[4.0, 3.0]]))
        5.0

    Reference:
        Gauss 1809, "Theoria motus corporum coelestium" (least squares from normal errors).
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        y, prediction = same_rank(y_true, y_pred)
        return ops.mean((y - prediction) ** 2, axis=-1)
