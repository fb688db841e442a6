"""Orthogonal initialization: a linear layer that changes no length and no angle.

Lecture section "Exploding and vanishing gradients", and claim C66 for recurrent networks: every
singular value is the gain, so that with gain one even a thousand steps of the same matrix neither
blow a signal up nor let it die, which equal variances alone do not ensure.
"""

import math

import keras
from keras import ops

from suite import _arguments as check
from suite.initializers._seeded import SeededInitializer


@keras.saving.register_keras_serializable(package="dl_basics")
class Orthogonal(SeededInitializer):
    """Weights with orthonormal columns, or rows where there are fewer rows, times a gain.

        G = Q R,  entries of G unit normal        W = gain Q diag(sign(diag(R)))

    The signs make the result uniform over all orthogonal matrices. A kernel of more than two axes
    counts as a matrix whose columns are its last axis. The draws are those of
    `keras.initializers.Orthogonal` for the same seed; unlike Keras's, they also come in half
    precision, factorized in float32.

    Args:
        gain: the common singular value; sqrt(2) makes up for a ReLU.
        seed: an integer gives the same values at every call, a `keras.random.SeedGenerator` new
            ones; `None` draws an integer seed. See `VarianceScaling`.

    Raises:
        ValueError: `gain` is not a finite number; `seed` is none of the above; or, when called,
            the shape has fewer than two axes.

    Example:
        >>> import numpy as np
        >>> w = keras.ops.convert_to_numpy(Orthogonal(gain=2.0, seed=1)((5, 3)))
        >>> bool(abs(w.T @ w - 4.0 * np.eye(3)).max() < 1e-5)
        True

    Reference:
        Saxe, McClelland & Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in
        deep linear neural networks", arXiv:1312.6120; the signs: Mezzadri 2007, "How to generate
        random matrices from the classical compact groups".
    """

    def __init__(self, gain=1.0, seed=None):
        self.gain = check.finite("gain", gain)
        super().__init__(seed)

    def __call__(self, shape, dtype=None):
        shape = tuple(shape)
        if len(shape) < 2:
            raise ValueError(f"shape must have two axes or more, received {shape}")
        dtype = keras.backend.standardize_dtype(dtype)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        precise = "float32" if dtype in ("float16", "bfloat16") else dtype
        q, r = ops.qr(keras.random.normal(tall, dtype=precise, seed=self.seed))
        q = q * ops.sign(ops.diag(r))
        if rows < columns:
            q = ops.transpose(q)
        return ops.cast(self.gain * ops.reshape(q, shape), dtype)

    def get_config(self):
        return {"gain": self.gain} | self._seed_config()
