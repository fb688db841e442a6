"""Layers of the lecture, with Keras's names and arguments."""

from suite.layers.batch_normalization import BatchNormalization
from suite.layers.bidirectional import Bidirectional
from suite.layers.dense import Dense
from suite.layers.gru import GRU, GRUCell
from suite.layers.lstm import LSTM, LSTMCell
from suite.layers.simple_rnn import SimpleRNN, SimpleRNNCell

__all__ = [
    "BatchNormalization",
    "Bidirectional",
    "Dense",
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
]
