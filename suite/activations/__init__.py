"""Activation functions: what makes a stack of linear maps more than one linear map.

Lecture sections "Logistic regression" (sigmoid, softmax) and "Deep networks" (the others; claim
C25). All but softmax work on each element by itself, and only those have an entry in
`PROPERTIES`: range, slopes, saturation, symmetry, kinks, moments. Use a function as
`Dense(..., activation=suite.activations.relu)`; a saved model finds it again.
"""

from suite.activations.bounded import sigmoid, softmax, tanh
from suite.activations.gated import gelu, silu
from suite.activations.properties import PROPERTIES
from suite.activations.rectifiers import elu, leaky_relu, relu, softplus

__all__ = [
    "PROPERTIES",
    "elu",
    "gelu",
    "leaky_relu",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
