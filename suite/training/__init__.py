"""Training, compiled whole: first order with any Keras optimizer, and Newton's method.

Lecture section "Stochastic gradient descent", claims C30 and C31: each step sees a few samples, and
their mean gradient is right on average.
"""

from suite.training.history import History
from suite.training.newton import newton
from suite.training.newton_step import NewtonStep
from suite.training.probes import PROBES
from suite.training.streams import STREAMS, batch_indices, streams
from suite.training.train import Training, train

__all__ = [
    "PROBES",
    "STREAMS",
    "History",
    "NewtonStep",
    "Training",
    "batch_indices",
    "newton",
    "streams",
    "train",
]
