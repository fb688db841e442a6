"""One linear layer multiplies the second moment of its input, not the variance, by n tau^2.

Lecture section "Exploding and vanishing gradients", claim C38. Let the entries of `W` be
independent of each other and of `x`, of mean zero and variance `tau^2`. Then for any input

    E[W x x^T W^T] = tau^2 tr(A) I        A = E[x x^T]

whatever the law of the weights. It is the slide's `n sigma^2 tau^2 I` where `tr(A) = n sigma^2`:
`sigma^2` has to be the mean *square* of the inputs, which is their variance only if they are
centered. Here n is the fan-in; the layer is rectangular, so that fan-out would be noticed.

The slide drops the activation because signals are small. For tanh, `z^2 - tanh(z)^2 <= 2/3 z^4`
says how small; the logistic sigmoid has another value at zero and ReLU another slope on one side.
"""

import math

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Points,
)
from benchmarks.experiments.exploding_and_vanishing.variance_with_depth import kernels
from benchmarks.verdicts import Agreement, AtMost

FAN_IN, FAN_OUT, SAMPLES = 24, 10, 32
DEEP = (48, 32) * 10 + (48,)  # widths of the deep network, rectangular in every layer
SMALL = 0.1  # root mean square of what counts as a small signal
# What happens before the activation is the same in the cells of all three: one is looked at.
ONCE = {"activation": "tanh"}
CENTERED, SHIFTED, CORRELATED = "centered", "shifted by 2", "correlated"


def moments(kind):
    """Mean `(FAN_IN,)` and covariance `(FAN_IN, FAN_IN)` of the inputs."""
    mean = np.full(FAN_IN, 2.0 if kind == SHIFTED else 0.0)
    if kind != CORRELATED:
        return mean, np.eye(FAN_IN)
    scale = np.linspace(0.2, 2.0, FAN_IN)
    return mean, np.outer(scale, scale) * (0.5 + 0.5 * np.eye(FAN_IN))


def inputs(kind, seed):
    """A batch of inputs, `(SAMPLES, FAN_IN)`."""
    from suite.training.streams import streams

    rng = np.random.default_rng(streams(int(seed))["data"])
    mean, covariance = moments(kind)
    return mean + rng.normal(size=(SAMPLES, FAN_IN)) @ np.linalg.cholesky(covariance).T


def kernel(law, seed):
    """Weights `(FAN_IN, FAN_OUT)` of variance 1 / FAN_IN from one of three laws."""
    from suite.initializers import VarianceScaling
    from suite.training.streams import integer, streams

    stream = streams(int(seed))["initial weights"]
    if law == "signs":
        return np.random.default_rng(stream).choice([-1.0, 1.0], (FAN_IN, FAN_OUT)) / FAN_IN**0.5
    distribution = {"normal": "untruncated_normal", "uniform": "uniform"}[law]
    initializer = VarianceScaling(distribution=distribution, seed=integer(stream))
    return initializer((FAN_IN, FAN_OUT)).numpy().astype(float)


def activate(name, z):
    """The suite's activation, in float64."""
    from suite import activations

    return getattr(activations, name)(np.asarray(z, float)).numpy()


def nonlinearity(name, z):
    """How far the mean square changes, over the most that tanh can change it."""
    f = activate(name, z)
    return abs(np.mean(f**2) - np.mean(z**2)) / (2 / 3 * np.mean(z**4))


def deep_squares(name, seed):
    """log10 of the mean square after 0, 1, ... layers with `n tau^2 = 1`, from SMALL^2."""
    from suite.training.streams import streams

    x = np.random.default_rng(streams(int(seed))["data"]).normal(size=(8, DEEP[0]))
    x *= SMALL / np.sqrt(np.mean(x**2))
    found = [np.mean(x**2)]
    for weights in kernels(DEEP, (1.0,) * (len(DEEP) - 1), seed):
        x = activate(name, x @ weights)
        found.append(np.mean(x**2))
    return np.log10(found)


def wide_squares(name):
    """The same in infinitely wide layers: `q -> E f(sqrt(q) u)^2`, u standard normal."""
    u, weights = np.polynomial.hermite_e.hermegauss(100)
    q = [SMALL**2]
    for _ in DEEP[1:]:
        q.append(weights @ activate(name, math.sqrt(q[-1]) * u) ** 2 / weights.sum())
    return np.log10(q)


def measure(cell, seeds):
    """A new kernel and a new batch for each seed, through one layer."""
    mean, covariance = moments(cell.input)
    second = covariance + np.outer(mean, mean)
    names = ("second_moment", "covariance", "nonlinearity")
    values = {name: np.empty(len(seeds)) for name in names}
    for i, seed in enumerate(seeds):
        z = inputs(cell.input, seed) @ kernel(cell.weights, seed)
        between = z.T @ z / SAMPLES
        values["second_moment"][i] = np.trace(between) / FAN_OUT
        off = between.sum() - np.trace(between)
        values["covariance"][i] = off / (FAN_OUT * (FAN_OUT - 1))
        small = SMALL * z / np.sqrt(np.mean(z**2))
        values["nonlinearity"][i] = nonlinearity(cell.activation, small)

    laws = {
        "law": np.trace(second) / FAN_IN,
        "variance_law": np.trace(covariance) / FAN_IN,
        "fan_out_law": np.trace(second) / FAN_IN * FAN_OUT / FAN_IN,
        "zero": 0.0,
        "input_covariance": (second.sum() - np.trace(second)) / (FAN_IN * (FAN_IN - 1)),
    }
    values["over_variance"] = values["second_moment"] / laws["variance_law"]
    values |= {name: np.full(len(seeds), float(value)) for name, value in laws.items()}
    if cell.weights != "normal" or cell.input != CENTERED:
        return Measurements(metrics=values)
    return Measurements(
        metrics=values,
        curves={"decades": np.array([deep_squares(cell.activation, seed) for seed in seeds])},
        theory={"decades": wide_squares(cell.activation)},
        slide={"decades": np.full(len(DEEP), 2 * math.log10(SMALL))},
    )


EXPERIMENT = Experiment(
    claim="C38",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C38.centered",
            "For centered inputs of variance σ², each output has variance n σ² τ², n being the "
            "fan-in.",
            Agreement("second_moment", "variance_law", where=ONCE | {"input": CENTERED}),
            kind="as stated",
            formula=r"\mathrm{V}[Wx] = n\sigma^2\tau^2 I",
            mutants=(
                Mutant("fan-out for fan-in", {"expected": "fan_out_law"}),
                Mutant("inputs that are not centered", {"where": ONCE | {"input": SHIFTED}}),
            ),
        ),
        Hypothesis(
            "C38.near_linear",
            "The activation can be left out where signals are small, whichever it is: tanh, "
            "sigmoid or ReLU.",
            AtMost("nonlinearity", 1.0),
            kind="as stated",
            formula=r"f(z) \simeq z \text{ for small } z",
        ),
        Hypothesis(
            "C38.second_moment",
            "For any input the second moment of each output is τ² times the trace of the input's, "
            "whether or not it is centered, of equal variances or independent.",
            Agreement("second_moment", "law", where=ONCE),
            formula=r"\mathbb{E}[W xx^\top W^\top] = \tau^2\, \mathrm{tr}(A)\, I, \quad "
            r"A = \mathbb{E}[xx^\top]",
            mutants=(
                Mutant("variance for second moment", {"expected": "variance_law"}),
                Mutant("fan-out for fan-in", {"expected": "fan_out_law"}),
            ),
        ),
        Hypothesis(
            "C38.uncorrelated",
            "Over networks, two outputs are uncorrelated even where all inputs are correlated.",
            Agreement("covariance", "zero", where=ONCE),
            mutants=(Mutant("as the inputs are", {"expected": "input_covariance"}),),
        ),
        Hypothesis(
            "C38.tanh",
            "tanh leaves small signals as they are: their mean square changes by at most two "
            "thirds of the mean fourth power.",
            AtMost("nonlinearity", 1.0, where={"activation": "tanh"}),
            formula=r"0 \le z^2 - \tanh(z)^2 \le \tfrac23 z^4",
            mutants=(
                Mutant("the logistic sigmoid", {"where": {"activation": "sigmoid"}}),
                Mutant("ReLU", {"where": {"activation": "relu"}}),
            ),
        ),
    ),
    factors={
        "input": (CENTERED, SHIFTED, CORRELATED),
        "weights": ("normal", "uniform", "signs"),
        "activation": ("tanh", "sigmoid", "relu"),
    },
    # (4 sd / delta)^2 draws. Second moment: its law is 5 times, or 24 / 10 of, a rival's, and its
    # relative sd at most 0.5. Covariance, the hardest: sd of about 5 sqrt(2 / 90) = 0.8 with the
    # shift, half the distance to the inputs' is 2; for correlated inputs 0.4 and 0.3, so 28.
    seeds=100,
    paired=("initial weights", "data"),
    metrics={
        "second_moment": Metric("mean square of the outputs, with n τ² = 1", "1"),
        "over_variance": Metric("that over the slide's n σ² τ²", "1"),
        "law": Metric("τ² tr A", "1"),
        "variance_law": Metric("n τ² times the mean variance of the inputs", "1"),
        "fan_out_law": Metric("τ² tr A with fan-out for fan-in", "1"),
        "covariance": Metric("mean product of two different outputs", "1"),
        "input_covariance": Metric("mean product of two different inputs", "1"),
        "zero": Metric("zero", "1"),
        "nonlinearity": Metric("change of mean square, over the most tanh can change", "1"),
    },
    figure=(
        Points(
            x="input",
            y="over_variance",
            by="weights",
            where=ONCE,
            x_label="inputs",
            y_label="mean square of outputs over n σ² τ²",
            title="The variance of the input is what counts only where its mean is zero",
            reference=1.0,
            reference_label="the slide's law",
        ),
        Curves(
            y="decades",
            by="activation",
            where={"input": CENTERED, "weights": "normal"},
            x_label="layer",
            y_label="mean square (decades)",
            title="At n τ² = 1 small signals pass tanh, not ReLU or the sigmoid",
        ),
    ),
    finding=(
        "The rule n σ² τ² holds with σ² the mean square of the inputs and n the fan-in. Leaving "
        "the activation out is right for tanh; the sigmoid adds its offset, and ReLU halves."
    ),
    stated=r"\mathrm{V}[Wx] = n\sigma^2\tau^2 I,\quad \sigma^2 = \mathrm{V}[x_i]",
    corrected=r"\mathbb{E}[Wxx^\top W^\top] = \tau^2\,\mathrm{tr}(\mathbb{E}[xx^\top])\, I",
    components=(
        "suite.initializers.VarianceScaling",
        "suite.activations.tanh",
        "suite.activations.sigmoid",
        "suite.activations.relu",
    ),
    limits=(
        "An average over networks: one network's outputs scatter around it, and are correlated "
        "where its inputs are. Biases are zero. In the deep network, theory is for wide layers."
    ),
    measure=measure,
)
