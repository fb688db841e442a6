"""The dense block: every layer sees the outputs of all layers before it.

Lecture section "Skip connections", claim C49. Where a residual network adds, this one
concatenates, so earlier features are kept as they are and the width grows.
"""

import keras
from keras import ops

from suite import _arguments as check
from suite._configured import Configured
from suite.layers._nested import apply


@keras.saving.register_keras_serializable(package="dl_basics")
class DenseBlock(Configured, keras.layers.Layer):
    """Layers that each read the concatenation of everything before.

        x_l = branch_l([x_0, x_1, ..., x_{l-1}])        l = 1 .. len(branches)
        y   = [x_0, x_1, ..., x_L]

    where `[...]` concatenates along the last axis and `x_0` is the input.

    Args:
        branches: the layers or models; each keeps all axes but the last. The width that it adds
            is what the paper calls the growth rate.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, ..., features)`, output `(batch, ..., all)`: the features and the widths of
        all branches, one after another.

    Raises:
        ValueError: `branches` is not a sequence of at least one layer; or, when built, a branch
            changes an axis other than the last.

    Example:
        >>> import keras, numpy as np
        >>> layer = DenseBlock([keras.layers.Rescaling(10.0), keras.layers.Rescaling(2.0)])
        >>> layer(np.array([[1.0]], "float32")).numpy().tolist()  # x_2 is twice [x_0, x_1]
        [[1.0, 10.0, 2.0, 20.0]]

    Reference:
        Huang et al. 2017, arXiv:1608.06993, equation 2.
    """

    def __init__(self, branches, **kwargs):
        super().__init__(**kwargs)
        if isinstance(branches, str) or not hasattr(branches, "__iter__"):
            raise ValueError(f"branches must be a sequence of layers, received {branches!r}")
        branches = list(branches)  # a generator can be read once
        if not branches:
            raise ValueError(f"branches must be a sequence of layers, received {branches!r}")
        self.branches = [check.layer("branches", branch) for branch in branches]
        self.supports_masking = True

    def build(self, input_shape):
        for branch, shape in zip(self.branches, self._input_shapes(input_shape), strict=False):
            if not branch.built:
                branch.build(shape)

    def call(self, x, training=False):
        for branch in self.branches:
            x = ops.concatenate([x, apply(branch, x, training)], axis=-1)
        return x

    def _input_shapes(self, shape):
        """What each branch sees, and at the end what comes out."""
        shapes = [tuple(shape)]
        for branch in self.branches:
            *others, width = shapes[-1]
            *branch_others, added = branch.compute_output_shape(shapes[-1])
            if branch_others != others:
                raise ValueError(
                    f"branches must keep the axes {tuple(others)}, received {branch.name!r} with "
                    f"output {(*branch_others, added)}"
                )
            shapes.append((*others, width + added))
        return shapes

    def compute_output_shape(self, input_shape):
        return self._input_shapes(input_shape)[-1]
