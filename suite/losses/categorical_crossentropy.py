"""Cross-entropy with a distribution over classes as label: one-hot, smoothed, or any other.

Lecture section "Logistic regression", claim C09. For one-hot labels it is the negative
log-probability of the right class; `SparseCategoricalCrossentropy` takes that class as an integer.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite._configured import Configured
from suite.losses._probabilities import clipped
from suite.losses._rank import same_rank


@keras.saving.register_keras_serializable(package="dl_basics")
class CategoricalCrossentropy(Configured, keras.losses.Loss):
    """Negative log-likelihood of labels `y` that are distributions over classes.

        loss = -sum_k y_k log(p_k)

    With logits `z`, `log(p_k) = z_k - log(sum_j exp(z_j))`, computed with the largest logit
    subtracted first, so it is finite at any finite `z`. Its slope is

        d loss / d z_k = (sum_j y_j) p_k - y_k        p = softmax(z)

    that is `p - y` for labels that sum to one. With probabilities, `p` is divided by its sum and
    clipped to [1e-7, 1 - 1e-7] (`keras.config.epsilon()`), as in Keras. A class of label 0 costs
    nothing, even where its probability is 0.

    Unlike Keras, the number of classes that smoothing uses is that along `axis`, and a prediction
    that a softmax layer made is not traced back to its logits.

    Args:
        from_logits: whether `y_pred` holds logits instead of probabilities.
        label_smoothing: `s` in [0, 1]; labels become `(1 - s) y + s / classes`.
        axis: the axis of the classes.
        reduction: `"sum_over_batch_size"` or `"mean"` (the same), `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or `None`.
        name: name of the loss.
        dtype: of the computation; by default `keras.config.floatx()`.

    Shapes:
        y_true `(batch, ..., classes)`, y_pred the same, with two classes or more. The loss is a
        scalar, or `(batch, ...)` with `reduction=None`.

    Raises:
        ValueError: `label_smoothing` outside [0, 1], `from_logits` not a bool, `axis` not an
            integer, `reduction` unknown; or, when called, the shapes differ or there is one class.

    Example:
        >>> loss = CategoricalCrossentropy(from_logits=True)
        >>> float(loss([[0.0, 1.0, 0.0]], [[800.0, 0.0, -800.0]]))
        800.0

    Reference:
        Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs";
        label smoothing: Szegedy et al. 2016, "Rethinking the Inception architecture", section 7.
    """

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = check.flag("from_logits", from_logits)
        self.label_smoothing = check.share("label_smoothing", label_smoothing)
        self.axis = check.integer("axis", axis)

    def call(self, y_true, y_pred):
        y, prediction = same_rank(y_true, y_pred)
        classes = prediction.shape[self.axis]
        if classes == 1:
            raise ValueError(
                "y_pred must hold two classes or more (for one output there is BinaryCrossentropy)"
                f", received shape {tuple(prediction.shape)}"
            )
        y = (1 - self.label_smoothing) * y + self.label_smoothing / classes
        if self.from_logits:
            log_p = ops.log_softmax(prediction, self.axis)
        else:
            p = prediction / ops.sum(prediction, self.axis, keepdims=True)
            log_p = ops.log(clipped(p))
        # A choice, not a product with 0: 0 * log(0) would be NaN.
        return ops.sum(ops.where(y == 0, 0, -y * log_p), self.axis)
