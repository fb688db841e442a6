"""Channels add up in every output; the weights of a convolution do not grow with the image.

Lecture section "Convolutional networks", claim C62. For C channels, K filters and windows of d x d

    y_k(x) = b_k + sum_c sum_y F_c(y) W_ck(y - x)

The slide's F(y) has lost its index c: read as written, every channel sees the same image, which is
right for one channel only. It compares C K d^2 weights with C K D^2. That is what a convolution
has whose window is as large as the image, D x D; the dense layer between as many numbers has

    convolution  C K d^2        window as large as the image  C K D^2        dense  C K D^4

so that the three grow as D to the powers 0, 2 and 4. The slide's count is that of the dense layer
if D counts pixels; then d must count those of the window. Biases come on top, K for a convolution.
"""

from functools import cache, lru_cache

import numpy as np

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.experiments.architectures._planes import (
    DIGITS,
    NOISE,
    deviation,
    image,
    kernel,
    layer_with,
)
from benchmarks.verdicts import AtMost, Identity, Slope

CONVOLUTION, WHOLE, DENSE = "convolution", "window as large as the image", "dense"
LAYERS = (CONVOLUTION, WHOLE, DENSE)
EXPONENTS = {CONVOLUTION: 0.0, WHOLE: 2.0, DENSE: 4.0}
SIDES = (4, 8, 16, 32)
CHANNELS, FILTERS, WINDOW = 3, 4, 4  # the largest of each
SHAPE = (7, 9)  # of the images whose outputs are checked
# The counts are exact, so only the logarithms are rounded: of numbers below 3 4 32^4 = e^16.4.
ROUNDING = 64 * len(SIDES) * 16.4 * 2.0**-52
FEATURES = 4  # maps of each layer of the network that is drawn
EPOCHS, DIGIT = 2, 3  # how long it is trained, and what is drawn
DRAWN = 28  # points along a side of a drawn map, or nearly as many


def sizes(rng):
    """Channels, filters and window of one seed."""
    return (int(n) for n in rng.integers((2, 2, 2), (CHANNELS + 1, FILTERS + 1, WINDOW + 1)))


def built(name, side, channels, filters, window):
    """One of the three layers for images of `side x side`, whose weights are all zero."""
    from suite.layers import Conv2D, Dense

    arguments = {"kernel_initializer": "zeros", "dtype": "float16"}  # counted, not used
    if name == DENSE:
        layer = Dense(filters * side**2, **arguments)
        layer.build((None, channels * side**2))
    else:
        size = side if name == WHOLE else window
        layer = Conv2D(filters, size, padding="circular", **arguments)
        layer.build((None, side, side, channels))
    return layer


def counted(layer):
    """Weights and biases of a layer, by its own account."""
    biases = int(np.prod(layer.bias.shape))
    return layer.count_params() - biases, biases


# --- the formula ---------------------------------------------------------------------------------


def by_formula(images, weights, bias):
    """`b_k + sum_c sum_y F_c(y) W_ck(y - x)`, window by window.

    Args:
        images: `(channels, height, width)`.
        weights: `(rows, columns, channels, filters)`.
        bias: `(filters,)`.

    Returns:
        `(height - rows + 1, width - columns + 1, filters)`.
    """
    rows, columns, channels, filters = weights.shape
    _, height, width = images.shape
    out = np.tile(bias, (height - rows + 1, width - columns + 1, 1))
    for k in range(filters):
        for c in range(channels):
            for i, j in np.ndindex(*out.shape[:2]):
                seen = images[c, i : i + rows, j : j + columns]
                out[i, j, k] += np.sum(seen * weights[..., c, k])
    return out


@lru_cache(maxsize=64)  # the same in every cell
def deviations(seed):
    """Of the layer from the formula and from the slide's, the larger of noise and digits."""
    rng = np.random.default_rng([seed, 1])
    channels, filters, rows = sizes(rng)
    weights, bias = kernel(rng, rows, rows + 1, channels, filters), kernel(rng, filters)
    worst = {}
    for data in (NOISE, DIGITS):
        images = np.stack([image(data, SHAPE, rng) for _ in range(channels)])
        same = np.stack([images[0]] * channels)
        layer = layer_with(weights, (*SHAPE, channels), bias)
        y = np.asarray(layer(np.moveaxis(images, 0, -1)[None]))[0]
        only = weights[:, :, :1]
        one = np.asarray(layer_with(only, (*SHAPE, 1), bias)(images[0][None, ..., None]))[0]
        found = {
            "formula_error": deviation(y, by_formula(images, weights, bias)),
            "slide_error": deviation(y, by_formula(same, weights, bias)),
            "no_bias_error": deviation(y, by_formula(images, weights, 0 * bias)),
            "one_channel_error": deviation(one, by_formula(images[:1], only, bias)),
        }
        worst = {name: max(value, worst.get(name, 0.0)) for name, value in found.items()}
    return worst


# --- what the layers of a network see ------------------------------------------------------------


@cache
def network(images):
    """The suite's network of three layers after a short training on small digits."""
    import keras

    from benchmarks.experiments.comparisons._images import smaller
    from suite.datasets import load_arrays
    from suite.models import ConvolutionalNetwork
    from suite.optimizers import Adam

    data = load_arrays("mnist_5000")
    x = smaller(data.x_train).reshape(-1, 14, 14, 1)
    model = ConvolutionalNetwork((FEATURES,) * 3, seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # Compiling for so short a training would take longer than the training.
    model.compile(Adam(0.01), loss, jit_compile=False)
    labels = data.y_train[:images]
    model.fit(x[:images], labels, batch_size=50, epochs=EPOCHS, verbose=0, shuffle=False)
    return model, x[np.argmax(data.y_train == DIGIT)]


def side_by_side(maps):
    """Four maps `(rows, columns, 4)` as one picture from 0 to 1, with NaN between them.

    Every cell becomes a square, so that maps of all layers are drawn about as large.
    """
    maps = maps.repeat(DRAWN // len(maps), 0).repeat(DRAWN // len(maps), 1)
    side = len(maps)
    out = np.full((2 * side + 1, 2 * side + 1), np.nan)
    for k in range(FEATURES):
        i, j = (n * (side + 1) for n in divmod(k, 2))
        out[i : i + side, j : j + side] = maps[..., k] / max(maps.max(), 1e-12)
    return out


def picture(images):
    """Arrays for a `Plane` each: the digit, and the maps of each layer after its activation."""
    import keras

    model, digit = network(images)
    planes, z = {"image": digit[..., 0].repeat(2, 0).repeat(2, 1)}, digit[None]
    for block in model.blocks:
        z = block(z)
        if isinstance(block, keras.layers.Activation):
            planes[f"layer_{len(planes)}"] = side_by_side(np.asarray(z)[0])
    arrays = {}
    for name, plane in planes.items():
        arrays[name] = plane[::-1].astype("float16")  # rows are drawn upward
        arrays[f"{name}.x"] = arrays[f"{name}.y"] = np.arange(len(plane), dtype="float32")
    return arrays


def measure(cell, seeds):
    """Counts of one layer on images of one size, and the formula's deviations."""
    found = {name: np.zeros(len(seeds)) for name in EXPERIMENT.metrics}
    for i, seed in enumerate(seeds):
        for name, value in deviations(int(seed)).items():
            found[name][i] = value
        channels, filters, window = sizes(np.random.default_rng([int(seed), 1]))
        layer = built(cell.layer, cell.side, channels, filters, window)
        weights, biases = counted(layer)
        pairs = channels * filters
        law = pairs * {CONVOLUTION: window, WHOLE: cell.side, DENSE: cell.side**2}[cell.layer] ** 2
        found["weights"][i] = weights
        found["weights_gap"][i] = abs(weights - law)
        found["slide_gap"][i] = abs(weights - pairs * cell.side**2)
        found["biases_gap"][i] = abs(biases - filters)
    drawn = (cell.layer, cell.side) == (CONVOLUTION, SIDES[0])
    return Measurements(metrics=found, arrays=picture(cell.images) if drawn else {})


def grows(layer, rivals, kind="as corrected"):
    """The exponent of a layer's weights in D, and other exponents as mutants."""
    return {
        "rule": Slope("weights", "side", EXPONENTS[layer], ROUNDING, where={"layer": layer}),
        "kind": kind,
        "mutants": tuple(Mutant(f"D to the power {r}", {"expected": float(r)}) for r in rivals),
    }


HERE = {"layer": CONVOLUTION, "side": SIDES[0]}  # the formula's deviations, the same in every cell
TERMS = CHANNELS * WINDOW * (WINDOW + 1) + 1


def maps(name, title):
    """One picture of the network."""
    return Plane(surface=name, where=HERE, x_label="across", y_label="up", title=title, pixels=True)


EXPERIMENT = Experiment(
    claim="C62",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C62.stated",
            "The layer computes the slide's formula, in which the image has no channel index.",
            Identity("slide_error", terms=TERMS, where=HERE),
            kind="as stated",
            formula=r"b_k + \sum_{c=1}^{C} \sum_y F(y)\, W_{c,k}(y - x)",
        ),
        Hypothesis(
            "C62.channels",
            "Every channel of the image has weights of its own, and its sums add up.",
            Identity("formula_error", terms=TERMS, where=HERE),
            formula=r"b_k + \sum_{c=1}^{C} \sum_y F_c(y)\, W_{c,k}(y - x)",
            mutants=(
                Mutant("the first channel for all", {"metric": "slide_error"}),
                Mutant("without the bias", {"metric": "no_bias_error"}),
            ),
        ),
        Hypothesis(
            "C62.one_channel",
            "With one channel the index may be left out.",
            Identity("one_channel_error", terms=TERMS, where=HERE),
            formula=r"C = 1: \quad b_k + \sum_y F(y)\, W_k(y - x)",
            mutants=(Mutant("with several too", {"metric": "slide_error"}),),
        ),
        Hypothesis(
            "C62.constant",
            "The weights of a convolution do not grow with the image.",
            formula=r"C K d^2 = O(D^0)",
            **grows(CONVOLUTION, (2, 4), kind="as stated"),
        ),
        Hypothesis(
            "C62.dense_stated",
            "Without weight sharing there are C\u00a0K\u00a0D² weights, for images of side D.",
            AtMost("slide_gap", 0, where={"layer": DENSE}),
            kind="as stated",
            formula=r"C K D^2",
        ),
        Hypothesis(
            "C62.counts",
            "A convolution has C\u00a0K\u00a0d² weights, one with a window as large as the image "
            "C\u00a0K\u00a0D², a dense layer C\u00a0K\u00a0D⁴.",
            AtMost("weights_gap", 0),
            formula=r"C K d^2, \quad C K D^2, \quad C K D^4",
            mutants=(
                Mutant("C K D² for dense", {"metric": "slide_gap", "where": {"layer": DENSE}}),
            ),
        ),
        Hypothesis(
            "C62.whole",
            "The weights of a window as large as the image grow as D².",
            formula=r"C K D^2",
            **grows(WHOLE, (0, 4)),
        ),
        Hypothesis(
            "C62.dense",
            "Those of a dense layer grow as D⁴.",
            formula=r"C K D^4",
            **grows(DENSE, (2,)),
        ),
        Hypothesis(
            "C62.biases",
            "On top come as many biases as there are filters.",
            AtMost("biases_gap", 0, where={"layer": (CONVOLUTION, WHOLE)}),
            formula=r"K",
            mutants=(Mutant("in a dense layer too", {"where": {"layer": DENSE}}),),
        ),
    ),
    factors={"layer": LAYERS, "side": SIDES},
    # Counts have no spread; identities: 20 random states leave no room for a coincidence.
    seeds=20,
    paired=("data", "initial weights"),
    budget={"images": 3000},  # of the training for the picture
    smoke={"images": 50},
    metrics={
        "weights": Metric("weights", "1"),
        "weights_gap": Metric("weights, off the formula", "1", "lower"),
        "slide_gap": Metric("weights, off C K D²", "1"),
        "biases_gap": Metric("biases, off K", "1", "lower"),
        "formula_error": Metric("deviation of the layer from the formula", "1", "lower"),
        "slide_error": Metric("deviation of the layer, the first channel for all", "1"),
        "no_bias_error": Metric("the same without the bias", "1"),
        "one_channel_error": Metric("deviation on one channel, without index", "1", "lower"),
    },
    figure=(
        Lines(
            x="side",
            y="weights",
            by="layer",
            log="xy",
            x_label="side of the image D",
            y_label="weights",
            title="Weights against the size of the image: exponents 0, 2 and 4",
        ),
        maps("image", "A digit"),
        maps("layer_1", "What four filters of layer 1 find in it"),
        maps("layer_2", "Layer 2, on an image half as large"),
        maps("layer_3", "Layer 3, half as large again"),
    ),
    measure=measure,
    finding="A convolution has as many weights on a large image as on a small one; those of a "
    "dense layer grow as the fourth power of the side.",
    stated=r"b_k + \sum_c \sum_y F(y)\, W_{c,k}(y - x), \quad "
    r"C K d^2 \;\text{instead of}\; C K D^2",
    corrected=r"b_k + \sum_c \sum_y F_c(y)\, W_{c,k}(y - x), \quad "
    r"C K d^2 + K \;\text{instead of}\; C K D^4 + K D^2",
    figures=("F26",),
    components=("suite.layers.Conv2D", "suite.layers.Dense", "suite.models.ConvolutionalNetwork"),
    limits="Weights, not operations: a convolution uses each of its weights at every place, so its "
    "operations grow with the image. If D counts pixels, C K D² is right for the dense layer; but "
    "then a window of d pixels has C K d weights. The feature maps are of one short training.",
)
