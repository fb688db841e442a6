"""How far a class of ours and Keras's of the same name are apart, in float64.

A deviation is the largest difference relative to the largest value. Beside it stands what rounding
allows two ways of adding the same n numbers: 64 n times machine precision. Where the two are
farther apart, NumPy says which of them is off (`against_numpy`): Keras keeps some constants in
float32, and so is no oracle to the last digit.
"""

import inspect
from functools import partial

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


def of_layer(
    ours, theirs, shape: tuple[int, ...], training: bool, terms: int | None = None
) -> Found:
    """Outputs; with `training` the gradients by inputs and weights of a weighted sum as well.

    Args:
        ours: makes a layer of a `dtype`.
        theirs: the same of Keras.
        shape: of the inputs.
        training: of the call.
        terms: of the longest sum; no sum has more than the inputs have numbers.
    """
    import tensorflow as tf

    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(0.3, 1.0, shape))
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
            # Random weights: a normalized output has a sum of squares without a slope.
            weights = np.random.default_rng(1).normal(size=outputs.shape)
            loss = tf.reduce_sum(outputs * weights)
        results.append([outputs, *(tape.gradient(loss, sources) if training else [])])
    return relative(*results), allowed(terms or int(np.prod(shape)))


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
    """Ten updates of a weight with the same gradients."""
    return relative([moved(ours)], [moved(theirs)]), allowed(STEPS)


def moved(cls) -> np.ndarray:
    """How far an optimizer with its defaults takes a weight."""
    import keras
    import tensorflow as tf

    start, gradients = path()
    w, optimizer = keras.Variable(start, dtype="float64"), cls()
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [w])
    return w.numpy() - start


def path() -> tuple[np.ndarray, np.ndarray]:
    """A weight and its gradients, step by step."""
    start, *gradients = np.random.default_rng(0).normal(size=(STEPS + 1, *SHAPE))
    return start, np.array(gradients)


def adam() -> np.ndarray:
    """What Keras's documentation says of Adam, in NumPy, with the defaults."""
    start, gradients = path()
    rate = float(np.float32(0.001))  # Keras keeps a learning rate in float32, as ours do
    w, mean, square = start.copy(), np.zeros(SHAPE), np.zeros(SHAPE)
    for t, g in enumerate(gradients, 1):
        mean, square = 0.9 * mean + 0.1 * g, 0.999 * square + 0.001 * g**2
        debias = np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w -= rate * debias * mean / (np.sqrt(square) + 1e-7)
    return w - start


def gelu(x: np.ndarray) -> np.ndarray:
    """X times the normal distribution function."""
    from scipy.special import ndtr

    return x * ndtr(x)


def leaky_relu(x: np.ndarray) -> np.ndarray:
    """x, or a fifth of it below zero."""
    return np.where(x > 0, x, 0.2 * x)


def against_numpy(cls: str) -> Found | None:
    """Deviation of ours and of Keras's from NumPy, for what needed a referee so far."""
    import keras
    import tensorflow as tf

    import suite

    if cls == "Adam":
        ours, theirs = (partial(moved, m.optimizers.Adam) for m in (suite, keras))
        reference = adam()
    elif cls in ("gelu", "leaky_relu"):
        x = np.random.default_rng(0).normal(0.3, 1.0, SHAPE)
        functions = (getattr(m.activations, cls) for m in (suite, keras))
        ours, theirs = (partial(function, tf.constant(x)) for function in functions)
        reference = {"gelu": gelu, "leaky_relu": leaky_relu}[cls](x)
    else:
        return None
    return relative([ours()], [reference]), relative([theirs()], [reference])


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
