"""The suite's recurrent layer on given matrices: gradients by the lag, and how they are clipped.

Its kernel is the identity, so that the gradient by an input is that by the state of its step.
"""

from functools import cache

import numpy as np

from benchmarks.experiments.architectures._matrix_growth import UNITS, drawn, factors_of

LAGS = 60  # time steps
WINDOW = slice(20, LAGS)  # lags at which a tanh network's gradient is followed
INPUT = 1e-9  # so small that at rho = 1.2 the state of a tanh network stays near rest
CLIP = 10.0  # norm at which gradients are clipped: some are shorter, at the small radii


@cache
def compiled(activation):
    """The suite's layer in float64 on all seeds, as one program.

    A function of recurrent kernels `(seeds, units, units)`, inputs `(seeds, time, units)` and
    directions v, that returns the states, and the gradients of `v h_T` by the inputs and by the
    layer's weights. The kernel is the identity: the gradient by an input is that by its state.
    """
    import tensorflow as tf

    from suite.layers import SimpleRNN

    layer = SimpleRNN(UNITS, activation, return_sequences=True, dtype="float64")
    layer.build((None, LAGS, UNITS))
    frozen = [variable.value for variable in layer.non_trainable_variables]

    def one(given):
        recurrent_kernel, x, v = given
        weights = [tf.eye(UNITS, dtype=tf.float64), recurrent_kernel, tf.zeros(UNITS, tf.float64)]
        with tf.GradientTape() as tape:
            tape.watch([x, *weights])
            states, _ = layer.stateless_call(weights, frozen, x[None])
            loss = tf.reduce_sum(states[0, -1] * v)
        return states[0], *tape.gradient(loss, [x, *weights])

    def run(*given):
        return tf.map_fn(one, given, fn_output_signature=(tf.float64,) * 5)

    return tf.function(run, jit_compile=True)


@cache
def clipping():
    """Steps of the suite's optimizer under three ways to clip, as one program.

    A function of gradients by the layer's three weights, each `(seeds, ...)`; the steps have the
    same shapes.
    """
    import keras
    import tensorflow as tf

    from suite.optimizers import SGD

    shapes = (UNITS, UNITS), (UNITS, UNITS), (UNITS,)
    variables = [keras.Variable(np.zeros(shape), dtype="float64") for shape in shapes]
    ways = {"together": "global_clipnorm", "each_weight": "clipnorm", "each_entry": "clipvalue"}
    optimizers = {name: SGD(1.0, **{way: CLIP}) for name, way in ways.items()}
    for optimizer in optimizers.values():
        optimizer.build(variables)

    def one(gradients):
        steps = {}
        for name, optimizer in optimizers.items():
            for variable in variables:
                variable.assign(tf.zeros(variable.shape, tf.float64))
            optimizer.apply(list(gradients), variables)
            steps[name] = tuple(tf.identity(variable.value) for variable in variables)
        return steps

    signature = {name: (tf.float64,) * 3 for name in ways}
    return tf.function(
        lambda *gradients: tf.map_fn(one, gradients, fn_output_signature=signature),
        jit_compile=True,
    )


def flat(arrays):
    """Gradients by several weights as one vector a seed."""
    return np.concatenate([np.asarray(a).reshape(len(a), -1) for a in arrays], axis=1)


def clipped(gradients):
    """What clipping does to the length and the direction of a gradient, one value a seed."""
    gradient = flat(gradients)
    norm = np.linalg.norm(gradient, axis=1)
    allowed = np.minimum(norm, CLIP)
    metrics = {
        "unclipped_error": norm / allowed - 1,
        "always_error": np.abs(CLIP / allowed - 1),
        "norm": norm,
    }
    for name, step in clipping()(*gradients).items():
        step = -flat(step)
        length = np.linalg.norm(step, axis=1)
        turned = step / length[:, None] - gradient / norm[:, None]
        metrics[f"turned_{name}"] = np.linalg.norm(turned, axis=1)
        if name == "together":
            metrics["length_error"] = np.abs(length / allowed - 1)
    return metrics


def seen(matrix, scale, seeds):
    """What the layer under test does in one cell: metrics, and gradients against the lag."""
    import tensorflow as tf

    unscaled, v = drawn(matrix, seeds)
    w = unscaled * factors_of(matrix, scale, seeds)[:, None, None]
    rngs = [np.random.default_rng([seed, 2]) for seed in seeds]
    x = np.stack([rng.normal(size=(LAGS, UNITS)) for rng in rngs])
    x *= INPUT
    # The layer multiplies rows, h @ kernel: its recurrent kernel is the transpose of W.
    given = [tf.constant(a) for a in (w.transpose(0, 2, 1), x, v)]
    states, by_input, *by_weights = (a.numpy() for a in compiled("linear")(*given))
    bent, bent_by_input, *_ = (a.numpy() for a in compiled("tanh")(*given))

    def off(one):
        powers = [v]
        for _ in range(LAGS - 1):
            powers.append(np.einsum("sij,sj->si", one, powers[-1]))
        back = np.stack(powers, axis=1)
        error = np.linalg.norm(by_input[:, ::-1] - back, axis=2)
        return (error / np.linalg.norm(by_input[:, ::-1], axis=2)).max(axis=1)

    gradient = np.log(np.linalg.norm(by_input[:, ::-1], axis=2))
    bent_gradient = np.log(np.linalg.norm(bent_by_input[:, ::-1], axis=2))
    lags = np.arange(LAGS)[WINDOW]
    return {
        "layer_error": off(w.transpose(0, 2, 1)),
        "layer_transposed": off(w),
        "largest_tanh_state": np.abs(bent).max(axis=(1, 2)),
        "largest_linear_state": np.abs(states).max(axis=(1, 2)),
        "tanh_rate": np.polyfit(lags, bent_gradient[:, WINDOW].T, 1)[0],
        **clipped(by_weights),
    }, {"gradient": gradient, "tanh_gradient": bent_gradient}
