"""The small networks the lecture talks about. All output logits unless told otherwise."""

from suite.models.logistic_regression import LogisticRegression
from suite.models.multilayer_perceptron import MultilayerPerceptron
from suite.models.softmax_regression import SoftmaxRegression

__all__ = ["LogisticRegression", "MultilayerPerceptron", "SoftmaxRegression"]
