"""What `train` refuses, each with one line that names the argument and what it received."""

import keras
import numpy as np
import tensorflow as tf

from suite.training.factory import seed_generators

# Optimizers whose update of one entry depends on others, so that stacked seeds would mix.
NOT_ELEMENTWISE = ("Adafactor", "Lamb", "LossScaleOptimizer", "Muon")


def check_backend():
    """The compiled program is TensorFlow's."""
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            "train needs KERAS_BACKEND=tensorflow, because its program is a tf.function; "
            f"received {keras.backend.backend()!r}"
        )


def check_run(steps, batch_size, seeds, record_every, seeds_at_once, train_probe):
    """The seeds as a list, after every count was found to be a positive integer."""
    for name, value in (
        ("steps", steps),
        ("batch_size", batch_size),
        ("record_every", record_every),
        ("seeds_at_once", seeds_at_once),
        ("train_probe", train_probe),
    ):
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}: expected a positive integer, received {value!r}")
    return check_seeds(seeds)


def check_seeds(seeds):
    """The seeds as a list: at least one, each once, since a repeated run is no second sample."""
    if isinstance(seeds, int | np.integer):
        raise ValueError(f"seeds: expected a sequence of integers, received {seeds!r}")
    seeds = list(seeds)
    if not seeds:
        raise ValueError(f"seeds: expected at least one, received {seeds!r}")
    for position, seed in enumerate(seeds):
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueError(f"seeds: expected integers from 0 on, received {seed!r}")
        if seed in seeds[:position]:
            raise ValueError(f"seeds: expected each once, received {seed!r} again")
    return seeds


def check_names(argument, names, known):
    """The names as a tuple, every one of them known."""
    names = (names,) if isinstance(names, str) else tuple(names)
    for name in names:
        if name not in known:
            raise ValueError(f"{argument}: unknown {name!r}; known: {', '.join(known)}")
    return names


def check_set(name, pair, seeds):
    """X and y as arrays in Keras's floating point type."""
    x_name, y_name = ("x", "y") if name == "train" else (f"{name} x", f"{name} y")
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ValueError(f"{name}: expected a pair (x, y), received {type(pair).__name__}")
    arrays = []
    for label, array in zip((x_name, y_name), pair, strict=True):
        array = np.asarray(array)
        if array.dtype.kind == "f":
            array = array.astype(keras.config.floatx(), copy=False)
            bad = array.size - np.isfinite(array).sum()
            if bad:
                raise ValueError(f"{label}: {bad} of {array.size} values are not finite")
        elif array.dtype.kind not in "iub":
            raise ValueError(f"{label}: expected numbers, received dtype {array.dtype}")
        elif array.dtype == np.int64:
            array = array.astype(np.int32)  # class labels and tokens; what a GPU likes best
        arrays.append(array)
    x, y = arrays
    axis = 0
    if seeds is not None:
        for label, array in zip((x_name, y_name), arrays, strict=True):
            if array.shape[:1] != (seeds,):
                raise ValueError(
                    f"{label}: expected a leading axis of {seeds} seeds, received {array.shape}"
                )
        axis = 1
    if x.ndim <= axis or y.ndim <= axis or x.shape[axis] != y.shape[axis]:
        raise ValueError(
            f"{y_name}: expected as many samples as {x_name} {x.shape}, received {y.shape}"
        )
    return x, y


def check_loss(loss):
    """The loss as (y_true, y_pred) -> scalar."""
    if isinstance(loss, keras.losses.Loss):
        return loss
    found = keras.losses.get(loss) if isinstance(loss, str) else loss
    if isinstance(found, keras.losses.Loss):
        return found
    if not callable(found):
        raise ValueError(f"loss: expected a keras.losses.Loss or a name, received {loss!r}")
    if isinstance(loss, str):
        # The class of that name: unlike the bare function it aligns targets (n,) with outputs
        # (n, 1), which would otherwise broadcast to (n, n).
        classes = {name.lower(): name for name in dir(keras.losses) if name[0].isupper()}
        return getattr(keras.losses, classes[found.__name__.replace("_", "").lower()])()
    return lambda y, outputs: tf.reduce_mean(found(y, outputs))


def check_labels(loss, data, outputs):
    """Refuses labels that name no output: the loss would be NaN, and nothing would say why."""
    if type(loss).__name__ != "SparseCategoricalCrossentropy":
        return
    classes = outputs.shape[-1]
    ignored = getattr(loss, "ignore_class", None)
    for name, (_, y) in data.items():
        outside = (y < 0) | (y >= classes)
        wrong = y[outside if ignored is None else outside & (y != ignored)]
        if wrong.size:
            label = "y" if name == "train" else f"{name} y"
            raise ValueError(
                f"{label}: expected labels from 0 to {classes - 1}, received {wrong[0]}"
            )


def check_side_by_side(optimizer, model):
    """Refuses what would mix the seeds of a stack."""
    for name in ("clipnorm", "global_clipnorm"):
        value = getattr(optimizer, name, None)
        if value is not None:
            raise ValueError(
                f"optimizer: {name}={value} takes a norm over all seeds of a stack; "
                "use seeds_at_once=1"
            )
    if type(optimizer).__name__ in NOT_ELEMENTWISE:
        raise ValueError(
            f"optimizer: {type(optimizer).__name__} is not element-wise; use seeds_at_once=1"
        )
    if seed_generators(model):
        # TensorFlow cannot map its stateless random operations over a stack of keys.
        raise ValueError(
            f"model: {model.name} draws random numbers (dropout, noise); use seeds_at_once=1"
        )
    for variable in model.trainable_variables:
        if variable.constraint is not None:
            raise ValueError(
                f"model: {variable.path} has a constraint, which would see all seeds of a stack; "
                "use seeds_at_once=1"
            )
