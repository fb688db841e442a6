"""Probabilities kept away from 0 and 1, where their logarithm or its slope is infinite."""

import keras
import ml_dtypes
from keras import ops


def clipped(p):
    """`p` clipped to [1e-7, 1 - 1e-7] (`keras.config.epsilon()`), as in Keras.

    Half precision has nothing between 1 - 1e-7 and 1, and float16 no normal number as small as
    1e-7. There the ends are the nearest numbers that differ from 1 and 0; Keras returns NaN.
    """
    dtype = ml_dtypes.finfo(keras.backend.standardize_dtype(p.dtype))
    epsilon = keras.config.epsilon()
    return ops.clip(p, max(epsilon, float(dtype.tiny)), 1 - max(epsilon, float(dtype.epsneg)))
