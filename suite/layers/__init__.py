"""Layers of the lecture, with Keras's names and arguments."""

from suite.layers.batch_normalization import BatchNormalization
from suite.layers.bidirectional import Bidirectional
from suite.layers.dense import Dense
from suite.layers.dense_block import DenseBlock
from suite.layers.gru import GRU, GRUCell
from suite.layers.lstm import LSTM, LSTMCell
from suite.layers.neural_ode import NeuralODE
from suite.layers.residual import Residual
from suite.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from suite.layers.whitening import Whitening

__all__ = [
    "BatchNormalization",
    "Bidirectional",
    "Dense",
    "DenseBlock",
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "NeuralODE",
    "Residual",
    "SimpleRNN",
    "SimpleRNNCell",
    "Whitening",
]
