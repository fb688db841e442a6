"""Binary cross-entropy: the negative log-likelihood of a coin whose bias the model predicts.

Lecture section "Logistic regression", claims C03 and C04. For a label `y` in {0, 1} and a
probability `p` it is `-log p(y)`; averaged over samples it is the cross-entropy between the data
and the model.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite._configured import Configured
from suite.losses._probabilities import clipped
from suite.losses._rank import same_rank


@keras.saving.register_keras_serializable(package="dl_basics")
class BinaryCrossentropy(Configured, keras.losses.Loss):
    """Negative log-likelihood of binary labels.

    With probabilities `p`, clipped to [1e-7, 1 - 1e-7] (`keras.config.epsilon()`), so that a loss
    never exceeds 16.118:

        loss = -y log(p) - (1 - y) log(1 - p)

    With logits `z`, `p = sigmoid(z)`, no clipping and no loss of digits at any size of `z`:

        loss = y softplus(-z) + (1 - y) softplus(z)        softplus(z) = log(1 + exp(z))

    Its slope is `sigmoid(z) - y`. Both are averaged over `axis`, then reduced over the batch.
    Unlike Keras, a prediction that a sigmoid layer made is not traced back to its logits: pass
    logits and say so.

    Args:
        from_logits: whether `y_pred` holds logits instead of probabilities.
        label_smoothing: `s` in [0, 1]; labels become `(1 - s) y + s / 2`.
        axis: the axis over which the losses of one sample are averaged.
        reduction: `"sum_over_batch_size"` or `"mean"` (the same), `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or `None`.
        name: name of the loss.
        dtype: of the computation; by default `keras.config.floatx()`.

    Shapes:
        y_true `(batch, ..., outputs)`, y_pred the same; a last axis of size one may be missing in
        either. The loss is a scalar, or `(batch, ...)` with `reduction=None`.

    Raises:
        ValueError: `label_smoothing` outside [0, 1], `from_logits` not a bool, `reduction`
            unknown; or, when called, the shapes differ.

    Example:
        >>> loss = BinaryCrossentropy(from_logits=True, reduction="sum")
        >>> float(loss([[1.0], [0.0]], [[-800.0], [-800.0]]))
        800.0

    Reference:
        Good 1952, "Rational decisions" (the logarithmic score); arguments as in Keras.
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = check.flag("from_logits", from_logits)
        self.label_smoothing = check.share("label_smoothing", label_smoothing)
        self.axis = check.integer("axis", axis)

    def call(self, y_true, y_pred):
        y, prediction = same_rank(y_true, y_pred)
        y = (1 - self.label_smoothing) * y + self.label_smoothing / 2
        if self.from_logits:
            # softplus(z) - y z would cancel for confident correct predictions. A choice, not
            # max(z, 0) and |z|, which backends differentiate in their own ways at z = 0.
            z = prediction
            positive = z >= 0
            loss = ops.where(positive, z, 0) - y * z + ops.softplus(ops.where(positive, -z, z))
        else:
            p = clipped(prediction)
            loss = -y * ops.log(p) - (1 - y) * ops.log(1 - p)
        return ops.mean(loss, axis=self.axis)
