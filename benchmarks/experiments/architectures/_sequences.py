"""Sequences to read, real and random, and recurrent layers that are given their weights."""

from functools import cache

from benchmarks.experiments.architectures._planes import DATA, NOISE, digits

ROWS = DATA[1]  # an image of a digit, row after row


def longest(data):
    """Time steps: as many as an image has rows."""
    return 6 if data == NOISE else 14


def width(data):
    """Features of one time step: the pixels of a row."""
    return 3 if data == NOISE else 12


def sequences(data, count, rng):
    """Inputs `(count, time, features)` in float64: noise of mean 0.7, or digits row by row."""
    if data == NOISE:
        return rng.normal(0.7, 1.0, (count, longest(data), width(data)))
    return digits()[rng.integers(len(digits()), size=count)]


def draw_weights(layer, rng):
    """Gives a built layer weights without symmetry, biases that are not zero among them."""
    sizes = [tuple(weight.shape) for weight in layer.weights]
    drawn = [rng.normal(0.1, max(shape[0], 4) ** -0.5, shape) for shape in sizes]
    layer.set_weights(drawn)
    return drawn


@cache
def compiled(layer):
    """The layer as a graph, which runs its loop over time 20 times as fast."""
    import tensorflow as tf

    return tf.function(layer)


def read(layer, x):
    """What the layer puts out for inputs `(batch, time, features)`, as an array."""
    import tensorflow as tf

    return compiled(layer)(tf.constant(x)).numpy()
