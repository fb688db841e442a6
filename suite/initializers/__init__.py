"""Random initial weights whose variance follows from the shape of the layer (claims C38 to C42)."""

from suite.initializers.glorot import GlorotNormal, GlorotUniform
from suite.initializers.he import HeNormal, HeUniform
from suite.initializers.lecun import LecunNormal, LecunUniform
from suite.initializers.variance_scaling import VarianceScaling

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "VarianceScaling",
]
