"""What the models share: layers in a row, each with initial weights of its own."""

import keras

from suite._configured import Configured
from suite.layers._nested import apply
from suite.models._seeded import seeded


class Stack(Configured, keras.Model):
    """A model whose `blocks` are called one after another."""

    def _kernels(self, kernel_initializer, count):
        """For each of `count` layers an initializer with a seed derived from the model's."""
        return seeded(kernel_initializer, self.seed, count)

    def _recurrent_kernels(self, recurrent_initializer, count):
        return seeded(recurrent_initializer, self.seed, count, stream=(1,))

    def _biases(self, bias_initializer, count):
        return seeded(bias_initializer, self.seed, count, stream=(2,))

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
