"""Initial weights that keep signals alive: by variance (claims C38 to C42), length, or time."""

from suite.initializers.chrono_bias import ChronoBias
from suite.initializers.glorot import GlorotNormal, GlorotUniform
from suite.initializers.he import HeNormal, HeUniform
from suite.initializers.lecun import LecunNormal, LecunUniform
from suite.initializers.orthogonal import Orthogonal
from suite.initializers.variance_scaling import VarianceScaling

__all__ = [
    "ChronoBias",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "VarianceScaling",
]
