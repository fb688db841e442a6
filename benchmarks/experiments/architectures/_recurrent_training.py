"""Small recurrent networks on four tasks, trained side by side.

Three tasks have the same shapes, so that one program, compiled once, trains them all: sequences of
a value and a marker (zero where there is none), and one target of mean 0 and variance 1. What is
reported is the share of that variance explained on held-out sequences, 0 for a constant and 1 for
no error. The fourth reads images row by row.
"""

import numpy as np

SERIES = ("first_sign", "adding", "sunspots")
ROWS = "image_rows"
LAST_YEAR = 1930  # of the sunspots that are trained on; about three quarters


def windows(series, length):
    """All windows of a series, `(windows, length)`, and the value after each."""
    found = np.lib.stride_tricks.sliding_window_view(series, length + 1)
    return found[:, :-1], found[:, -1]


def sunspot_windows(length, samples, held_out, rng):
    """Windows drawn at random from before the last year of training, and from after it.

    Scale and mean come from the years of training. Held-out targets have other ones, as the sun
    does not keep them.
    """
    from suite.datasets import sunspots

    year, number = sunspots()
    past = year <= LAST_YEAR
    scaled = (number - number[past].mean()) / number[past].std()
    parts = []
    for series, n in ((scaled[past], samples), (scaled[~past], held_out)):
        x, y = windows(series, length)
        rows = rng.integers(0, len(x), n)
        parts.append((x[rows, :, None], y[rows]))
    return parts


def task_data(task, seed, length, samples, held_out):
    """`(x, y)` to train on and to hold out: x `(n, length, 2)`, y `(n,)` of mean 0, variance 1."""
    from suite.datasets import adding_problem, first_sign

    if task == "sunspots":
        parts = sunspot_windows(length, samples, held_out, np.random.default_rng(seed))
    else:
        problem = {"first_sign": first_sign, "adding": adding_problem}[task]
        x, y = problem(samples + held_out, length, seed)
        if task == "adding":
            y = (y - 1) * np.sqrt(6)  # a sum of two uniforms: mean 1, variance 1/6
        parts = [(x[:samples], y[:samples]), (x[samples:], y[samples:])]
    return [
        (np.pad(x, ((0, 0), (0, 0), (0, 2 - x.shape[-1]))).astype("float32"), y.astype("float32"))
        for x, y in parts
    ]


def explained(y, error):
    """Share of variance explained, from a mean squared error."""
    return 1 - error / np.var(y, axis=-1, keepdims=True)


def train_sequences(network, seeds, budget):
    """`explained` along the way on three tasks, each `(seeds, points)`, the steps, the history."""
    import keras

    from suite.optimizers import Adam
    from suite.training import train

    # Task by task; 4 s + k keeps the streams of different tasks apart.
    runs = [(task, 4 * int(s) + k) for k, task in enumerate(SERIES) for s in seeds]
    sizes = budget["length"], budget["samples"], budget["held_out"]
    data = [task_data(task, seed, *sizes) for task, seed in runs]
    (x, y), (x_held, y_held) = (
        tuple(np.stack(arrays) for arrays in zip(*part, strict=True))
        for part in zip(*data, strict=True)
    )
    history = train(
        lambda seed: network(x.shape[2:], outputs=1, seed=seed),
        Adam(budget["learning_rate"]),
        keras.losses.MeanSquaredError(),
        x,
        y[..., None],
        seeds=[seed for _, seed in runs],
        validation=(x_held, y_held[..., None]),
        data_axis_per_seed=True,
        metric=None,
        **_common(budget),
    )
    shares = explained(y_held, history["validation_loss"])
    parts = np.split(shares, len(SERIES))
    return dict(zip(SERIES, parts, strict=True)), history


def train_rows(network, seeds, budget):
    """Test accuracy along the way on MNIST images read row by row, `(seeds, points)`."""
    import keras

    from suite.datasets import load_arrays
    from suite.optimizers import Adam
    from suite.training import train

    data = load_arrays("mnist_5000", seed=0, validation=0.0, test=0.2, flatten=False)
    x, y = data.x_train[: 2 * budget["samples"], ..., 0], data.y_train[: 2 * budget["samples"]]
    history = train(
        lambda seed: network(x.shape[1:], outputs=10, seed=seed),
        Adam(budget["learning_rate"]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        x,
        y,
        seeds=[4 * int(seed) + len(SERIES) for seed in seeds],
        validation=(data.x_test[: budget["held_out"], ..., 0], data.y_test[: budget["held_out"]]),
        **_common(budget),
    )
    return {ROWS: history["validation_score"]}, history


def _common(budget):
    return {
        "steps": budget["steps"],
        "batch_size": budget["batch_size"],
        "record_every": budget["record_every"],
        "probes": (),
        "train_probe": budget["batch_size"],
        "compiled": budget["compiled"],
    }
