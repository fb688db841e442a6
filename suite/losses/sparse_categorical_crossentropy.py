"""Cross-entropy with integer labels: the negative log-probability of the right class.

Lecture section "Logistic regression", claim C04, for more than two classes. "Sparse" is about the
labels: one integer a sample stands for a one-hot vector.
"""

import keras
import ml_dtypes
from keras import ops
from keras.src.backend import set_keras_mask  # tracers of JAX take no attribute of ours

from suite import _arguments as check
from suite._configured import Configured
from suite.losses._probabilities import clipped


@keras.saving.register_keras_serializable(package="dl_basics")
class SparseCategoricalCrossentropy(Configured, keras.losses.Loss):
    """Negative log-likelihood of class labels.

    With logits `z` and label `y`:

        loss = log(sum_k exp(z_k)) - z_y = -log softmax(z)_y

    computed with the largest logit subtracted first, so it is finite at any finite `z`. With
    probabilities, `z = log(p)` after clipping `p` to [1e-7, 1 - 1e-7] (`keras.config.epsilon()`):
    probabilities that do not sum to one are thereby normalized, as in Keras.

    A label outside `0 .. classes - 1` gives NaN, on every device and compiled or not; Keras
    raises on some of them.

    Args:
        from_logits: whether `y_pred` holds logits instead of probabilities.
        ignore_class: a label whose entries do not count, or `None`; an average is then over the
            entries that do.
        reduction: `"sum_over_batch_size"` or `"mean"` (the same), `"sum"`,
            `"mean_with_sample_weight"`, `"none"` or `None`.
        axis: the axis of the classes.
        name: name of the loss.
        dtype: of the computation; by default `keras.config.floatx()`.

    Shapes:
        y_true `(batch, ...)` or with a last axis of size one, y_pred `(batch, ..., classes)`. The
        loss is a scalar, or `(batch, ...)` with `reduction=None`.

    Raises:
        ValueError: `from_logits` not a bool, `ignore_class` or `axis` not an integer,
            `reduction` unknown; or, when called, the shapes do not belong together.

    Example:
        >>> loss = SparseCategoricalCrossentropy(from_logits=True)
        >>> round(float(loss([2], [[0.0, 0.0, 0.0]])), 4)  # log(3)
        1.0986

    Reference:
        Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs".
    """

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.from_logits = check.flag("from_logits", from_logits)
        self.ignore_class = check.optional_integer("ignore_class", ignore_class)
        self.axis = check.integer("axis", axis)

    def call(self, y_true, y_pred):
        # Keras hands nested lists through as nested lists of scalars.
        y, z = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
        if len(y.shape) == len(z.shape) and y.shape[self.axis] == 1:
            y = ops.squeeze(y, self.axis)
        without_classes = list(z.shape)
        classes = without_classes.pop(self.axis)
        if len(y.shape) != len(without_classes) or any(
            a != b for a, b in zip(y.shape, without_classes, strict=True) if None not in (a, b)
        ):
            raise ValueError(
                f"y_true must have one axis less than y_pred {tuple(z.shape)} and the same sizes, "
                f"received shape {tuple(y.shape)}"
            )
        self._refuse_rounded_labels(classes)
        if not self.from_logits:
            z = ops.log(clipped(z))
        y = ops.cast(y, "int32")
        is_label = ops.one_hot(y, classes, axis=self.axis, dtype="bool")
        # A choice, not a product with 0 and 1: 0 * log(0) would be NaN.
        loss = -ops.sum(ops.where(is_label, ops.log_softmax(z, self.axis), 0), self.axis)
        if self.ignore_class is not None:
            counts = ops.not_equal(y, self.ignore_class)
            loss = self._refuse_unknown_labels(loss, y, classes, counts)
            loss = ops.where(counts, loss, 0)
            set_keras_mask(loss, counts)  # from here `Loss.__call__` averages over what counts
            return loss
        return self._refuse_unknown_labels(loss, y, classes)

    def _refuse_rounded_labels(self, classes):
        # `Loss.__call__` casts the labels as well: in bfloat16, 257 would become class 256.
        exact = 2 ** (ml_dtypes.finfo(self.dtype).nmant + 1)
        if classes is not None and classes > exact + 1:
            raise ValueError(
                f"dtype must hold every label, but {self.dtype} does so only up to {exact}, "
                f"received {classes} classes"
            )

    @staticmethod
    def _refuse_unknown_labels(loss, y, classes, counts=True):
        known = ops.logical_and(y >= 0, y < classes)
        return ops.where(ops.logical_or(known, ops.logical_not(counts)), loss, float("nan"))
