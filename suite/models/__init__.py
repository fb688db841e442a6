"""The small networks the lecture talks about. All output logits unless told otherwise."""

from suite.models.convolutional_network import ConvolutionalNetwork
from suite.models.graph_network import GraphNetwork
from suite.models.logistic_regression import LogisticRegression
from suite.models.multilayer_perceptron import MultilayerPerceptron
from suite.models.recurrent_network import RecurrentNetwork
from suite.models.residual_network import ResidualNetwork
from suite.models.softmax_regression import SoftmaxRegression

__all__ = [
    "ConvolutionalNetwork",
    "GraphNetwork",
    "LogisticRegression",
    "MultilayerPerceptron",
    "RecurrentNetwork",
    "ResidualNetwork",
    "SoftmaxRegression",
]
