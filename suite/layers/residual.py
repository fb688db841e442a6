"""The residual connection: a layer learns what to add to its input, not what to put in its place.

Lecture section "Skip connections", claim C49. The derivative of the sum contains the identity, so
a gradient has a way back past any number of layers.
"""

import math

import keras

from suite import _arguments as check
from suite._configured import Configured
from suite.layers._nested import apply


@keras.saving.register_keras_serializable(package="dl_basics")
class Residual(Configured, keras.layers.Layer):
    """The input plus a branch computed from it.

        y = x + scale * branch(x)        scale = 1 / sqrt(depth), or 1 without a depth

    The Jacobian is `I + scale * J_branch`. With branches of unit gain and `scale = 1` the variance
    doubles at every layer and explodes like `2^depth`; with `1 / sqrt(depth)` it stays below
    `(1 + 1 / depth)^depth < e` however deep the network.

    Args:
        branch: any layer or model whose output has the shape of its input, or the shape of the
            shortcut's output.
        depth: how many such blocks stand on top of each other, or `None` for no scaling.
        shortcut: a layer in the place of the identity, where the branch changes the shape (a
            1x1 convolution or `Dense`, the "projection" of the paper), or `None`.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, ..., features)`, output the same, or the branch's with a `shortcut`.

    Raises:
        ValueError: `branch` or `shortcut` is not a layer, `depth` not a positive integer; or, when
            built, the two terms differ in shape.

    Example:
        >>> import keras, numpy as np
        >>> layer = Residual(keras.layers.Rescaling(10.0), depth=4)
        >>> layer(np.array([[1.0, -2.0]], "float32")).numpy().tolist()
        [[6.0, -12.0]]

    Reference:
        He et al. 2016, arXiv:1512.03385, equations 1 and 2. The scale is that of Hanin & Rolnick
        2018, arXiv:1803.01719, with equal weights for all blocks.
    """

    def __init__(self, branch, depth=None, shortcut=None, **kwargs):
        super().__init__(**kwargs)
        self.branch = check.layer("branch", branch)
        self.depth = None if depth is None else check.positive_integer("depth", depth)
        self.shortcut = None if shortcut is None else check.layer("shortcut", shortcut)
        self.scale = 1.0 if self.depth is None else 1 / math.sqrt(self.depth)
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        for part in (self.branch, self.shortcut):
            if part is not None and not part.built:
                part.build(input_shape)

    def call(self, x, training=False):
        straight = x if self.shortcut is None else apply(self.shortcut, x, training)
        return straight + self.scale * apply(self.branch, x, training)

    def compute_output_shape(self, input_shape):
        branch = tuple(self.branch.compute_output_shape(input_shape))
        straight = tuple(input_shape)
        if self.shortcut is not None:
            straight = tuple(self.shortcut.compute_output_shape(input_shape))
        if branch != straight:
            raise ValueError(
                f"branch must keep the shape {straight} of what it is added to, received a branch "
                f"with output {branch}"
            )
        return branch
