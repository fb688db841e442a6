"""How far a class of ours and Keras's of the same name are apart, in float64.

A deviation is the largest difference relative to the largest value. Beside it stands what rounding
allows two ways of adding the same n numbers: 64 n times machine precision.
"""

import inspect

import numpy as np

SHAPE = (37, 23)  # of what losses, optimizers and initializers get
STEPS = 10
Found = tuple[float, float]


def relative(found: list, reference: list) -> float:
    """Over several arrays, each relative to its own largest value; the largest of them.

    >>> relative([np.array([1.0, 2.2])], [np.array([1.0, 2.0])]).__round__(12)
    0.1
    """
    deviations = []
    for a, b in zip(found, reference, strict=True):
        a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
        if a.shape != b.shape:
            return float("inf")
        difference, size = np.abs(a - b).max(initial=0.0), np.abs(b).max(initial=0.0)
        deviations.append(difference / size if size else difference)
    return float(max(deviations))


def allowed(terms: int) -> float:
    """What sums of so many terms may differ by."""
    return 64 * terms * float(np.finfo("float64").eps)


def mode(layer, training: bool) -> dict[str, bool]:
    """`training`, for a layer that asks for it."""
    return {"training": training} if "training" in inspect.signature(layer.call).parameters else {}


def of_layer(ours, theirs, shape: tuple[int, ...], training: bool) -> Found:
    """Outputs; with `training` the gradients of their squares by inputs and weights as well.

    Args:
        ours: makes a layer of a `dtype`.
        theirs: the same of Keras.
        shape: of the inputs; no sum has more terms than they have numbers.
        training: of the call.
    """
    import tensorflow as tf

    x = tf.constant(np.random.default_rng(0).normal(0.3, 1.0, shape))
    layers = [make(dtype="float64") for make in (ours, theirs)]
    for layer in layers:
        layer.build(shape)
    layers[1].set_weights(layers[0].get_weights())
    results = []
    for layer in layers:
        sources = [x, *(w.value for w in layer.trainable_weights)]
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = layer(x, **mode(layer, training))
            loss = tf.reduce_sum(tf.square(outputs))
        results.append([outputs, *(tape.gradient(loss, sources) if training else [])])
    return relative(*results), allowed(int(np.prod(shape)))


def of_loss(ours, theirs) -> Found:
    """Value, and gradient by the predictions."""
    import tensorflow as tf

    z, y = loss_data(ours, SHAPE, "float64")
    results = []
    for cls in (ours, theirs):
        loss = new_loss(cls, dtype="float64")
        with tf.GradientTape() as tape:
            tape.watch(z)
            value = loss(y, z)
        results.append([value, tape.gradient(value, z)])
    return relative(*results), allowed(int(np.prod(SHAPE)))


def of_optimizer(ours, theirs) -> Found:
    """A weight after ten updates with the same gradients."""
    import keras
    import tensorflow as tf

    start, *gradients = np.random.default_rng(0).normal(size=(STEPS + 1, *SHAPE))
    results = []
    for cls in (ours, theirs):
        w, optimizer = keras.Variable(start, dtype="float64"), cls()
        for gradient in gradients:
            optimizer.apply([tf.constant(gradient)], [w])
        results.append([w.numpy() - start])
    return relative(*results), allowed(STEPS)


def of_initializer(ours, theirs) -> Found:
    """Draws of the same seed."""
    results = [[cls(seed=1)(SHAPE, dtype="float64")] for cls in (ours, theirs)]
    return relative(*results), allowed(1)


def new_loss(cls, **arguments):
    """A loss on logits, where it has a choice."""
    takes = inspect.signature(cls).parameters
    return cls(**({"from_logits": True} if "from_logits" in takes else {}), **arguments)


def loss_data(cls, shape, dtype):
    """Predictions, normal, and targets: class numbers or one-hot rows as the loss wants."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    z = tf.constant(rng.normal(size=shape), dtype)
    labels = rng.integers(0, shape[1], shape[0])
    sparse = cls.__name__.startswith("Sparse")
    return z, tf.constant(labels if sparse else np.eye(shape[1])[labels], None if sparse else dtype)
