"""Thousands of chains in one variable: an element-wise optimizer moves each as if it were alone."""

import numpy as np


def trajectory(optimizer, start, gradient, inputs, project=None, record=None):
    """Where the optimizer takes `start`, after each of its steps.

    All steps are one compiled program in float64; the optimizer under test runs inside it.

    Args:
        optimizer: not built.
        start: `(...)`.
        gradient: `(w, input) -> gradient`, both `(...)`, in TensorFlow's operators.
        inputs: `(steps, ...)`, what the gradient is given at each step: noise, say.
        project: function of `w` applied after every step, or None.
        record: function without arguments that returns what to keep instead of `w`, or None.

    Returns:
        `(steps, ...)`, float64.
    """
    import keras
    import tensorflow as tf

    start = np.asarray(start, float)
    w = keras.Variable(start, dtype="float64")
    optimizer.build([w])

    def run(inputs):
        path = tf.TensorArray(tf.float64, size=len(inputs), element_shape=start.shape)
        for t in tf.range(len(inputs)):
            optimizer.apply([gradient(w.value, inputs[t])], [w])
            if project is not None:
                w.assign(project(w.value))
            path = path.write(t, w.value if record is None else record())
        return path.stack()

    inputs = tf.constant(inputs, tf.float64)
    compiled = tf.function(run, jit_compile=True).get_concrete_function(inputs)
    return compiled(inputs).numpy()


def noise(seeds, shape, stream=0):
    """Standard normal numbers `(shape[0], seeds, *shape[1:])`, each seed's from itself alone."""
    draws = [np.random.default_rng([int(s), stream]).normal(size=shape) for s in seeds]
    return np.stack(draws, axis=1)


def learning_rate(value):
    """As an optimizer holds it: Keras keeps hyper-parameters in float32."""
    return float(np.float32(value))
