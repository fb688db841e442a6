"""Layers of the lecture, with Keras's names and arguments."""

from suite.layers.average_pooling2d import AveragePooling2D
from suite.layers.batch_normalization import BatchNormalization
from suite.layers.bidirectional import Bidirectional
from suite.layers.conv2d import Conv2D
from suite.layers.dense import Dense
from suite.layers.dense_block import DenseBlock
from suite.layers.dense_stack import DenseStack
from suite.layers.gat_conv import GATConv
from suite.layers.gcn_conv import GCNConv, gcn_filter
from suite.layers.gin_conv import GINConv
from suite.layers.global_pooling2d import GlobalAveragePooling2D, GlobalMaxPooling2D
from suite.layers.global_sum_pool import GlobalSumPool
from suite.layers.group_conv2d import GroupConv2D
from suite.layers.gru import GRU, GRUCell
from suite.layers.lifting_conv2d import LiftingConv2D
from suite.layers.lstm import LSTM, LSTMCell
from suite.layers.max_pooling2d import MaxPooling2D
from suite.layers.message_passing import MessagePassing
from suite.layers.neural_ode import NeuralODE
from suite.layers.residual import Residual
from suite.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from suite.layers.whitening import Whitening

__all__ = [
    "AveragePooling2D",
    "BatchNormalization",
    "Bidirectional",
    "Conv2D",
    "Dense",
    "DenseBlock",
    "DenseStack",
    "GATConv",
    "GCNConv",
    "GINConv",
    "GRU",
    "GRUCell",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "GlobalSumPool",
    "GroupConv2D",
    "LSTM",
    "LSTMCell",
    "LiftingConv2D",
    "MaxPooling2D",
    "MessagePassing",
    "NeuralODE",
    "Residual",
    "SimpleRNN",
    "SimpleRNNCell",
    "Whitening",
    "gcn_filter",
]
