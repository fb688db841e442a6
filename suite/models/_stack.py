"""What the models share: layers in a row, each with initial weights of its own."""

import keras

from suite._configured import Configured
from suite.initializers._per_layer import seeded
from suite.layers._nested import apply

STREAMS = {"kernel": (), "recurrent": (1,), "bias": (2,)}  # so that a layer's do not start alike


class Stack(Configured, keras.Model):
    """A model whose `blocks` are called one after another."""

    def _seeded(self, role, initializer, count):
        """For each of `count` layers an initializer with a seed derived from the model's."""
        return seeded(initializer, self.seed, count, STREAMS[role])

    def build(self, input_shape):
        if self.built:
            return
        for block in self.blocks:
            if not block.built:
                block.build(input_shape)
            input_shape = block.compute_output_shape(input_shape)
        self.built = True

    def call(self, x, training=False):
        for block in self.blocks:
            x = apply(block, x, training)
        return x

    def compute_output_shape(self, input_shape):
        for block in self.blocks:
            input_shape = block.compute_output_shape(input_shape)
        return tuple(input_shape)
