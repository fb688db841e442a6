"""Stride and pooling keep the shifts by multiples of their step; blurring first hides the rest.

Beyond the lecture, claim B2. A map that keeps every n-th pixel turns a shift by n into a shift by
one. A shift by less has no counterpart on the coarse grid: it would be a shift by half a pixel, and
the output is that only if nothing finer than the coarse grid was there. Hence a blur before the
subsampling (Zhang 2019) reduces the defect, and a global maximum over a torus has none.
"""

import numpy as np

from benchmarks.experiment import (
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
    Points,
)
from benchmarks.experiments.architectures import _planes
from benchmarks.verdicts import Identity, Sign, every

SIDE = 16  # a torus that stride 2 divides
STEP = 2
STRIDE, MAX, MEAN, GLOBAL = METHODS = ("stride", "max pooling", "average pooling", "global maximum")
BLURS = (0.0, 0.5, 1.0, 2.0)  # standard deviation in pixels
CHANGING = (STRIDE, MAX, MEAN)


def image(data, rng):
    """Noise, or a digit on a larger torus."""
    if data == _planes.NOISE:
        return rng.normal(0.7, 1.0, (SIDE, SIDE))
    digits = _planes.digits()
    canvas = np.zeros((SIDE, SIDE))
    canvas[1:15, 2:14] = digits[rng.integers(len(digits))]
    return canvas


def blurred(x, sd):
    """A Gaussian blur on the torus, by its spectrum."""
    if sd == 0:
        return x
    k = 2 * np.pi * np.fft.fftfreq(SIDE)
    gain = np.exp(-(sd**2) * (k[:, None] ** 2 + k[None, :] ** 2) / 2)
    return np.real(np.fft.ifft2(np.fft.fft2(x) * gain))


def subsampled(x, method):
    """The suite's layer on one image, in float64."""
    from suite.layers import AveragePooling2D, Conv2D, GlobalMaxPooling2D, MaxPooling2D

    batch = x[None, ..., None]
    if method == STRIDE:
        layer = Conv2D(1, 1, strides=STEP, use_bias=False, kernel_initializer="ones",
                       dtype="float64")  # fmt: skip
    elif method == GLOBAL:
        return np.asarray(GlobalMaxPooling2D(dtype="float64")(batch))[0]
    else:
        layer = (MaxPooling2D if method == MAX else AveragePooling2D)(STEP, dtype="float64")
    return np.asarray(layer(batch))[0, ..., 0]


def half_shifted(y):
    """Moved down by half a pixel of the coarse torus, by its spectrum."""
    k = np.fft.fftfreq(len(y))[:, None]
    turn = np.exp(-1j * np.pi * k)
    turn[len(y) // 2] = 0  # the finest wave has no half shift that is real
    return np.real(np.fft.ifft2(np.fft.fft2(y) * turn))


def relative(found, expected):
    """Norm of the difference over that of what was expected, without its mean."""
    size = np.linalg.norm(expected - expected.mean())
    return np.linalg.norm(found - expected) / size if size else np.linalg.norm(found - expected)


def measure(cell, seeds):
    """One image a seed; shifts by the step and by one pixel."""
    rows = {name: [] for name in METRICS}
    for seed in seeds:
        rng = np.random.default_rng([int(seed), _planes.DATA.index(cell.data)])
        x = blurred(image(cell.data, rng), cell.blur)
        y = subsampled(x, cell.method)
        by_step = subsampled(np.roll(x, STEP, axis=0), cell.method)
        by_one = subsampled(np.roll(x, 1, axis=0), cell.method)
        moved = y if cell.method == GLOBAL else np.roll(y, 1, axis=0)
        half = y if cell.method == GLOBAL else half_shifted(y)
        rows["by_step"].append(_planes.deviation(by_step, moved))
        rows["by_one"].append(_planes.deviation(by_one, y))
        rows["defect"].append(relative(by_one, half))
    return Measurements(metrics={name: np.array(values) for name, values in rows.items()})


METRICS = {
    "by_step": Metric("shift by the step against shift by one of the output, relative", "1"),
    "by_one": Metric("change of the output by a shift of one pixel, relative", "1"),
    "defect": Metric("distance from the output moved by half a pixel, relative", "1"),
}

EXPERIMENT = Experiment(
    claim="B2",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "B2.multiples",
            "Stride and pooling of step 2 turn a shift by 2 pixels into a shift by one.",
            # A mean of four numbers, of pixels that a blur by FFT made from 256.
            rule=Identity("by_step", terms=SIDE**2, where={"method": CHANGING}),
            formula=r"S_n(T^n F) = T\, S_n(F)",
            mutants=(Mutant("shifts by one pixel too", {"metric": "by_one"}),),
        ),
        Hypothesis(
            "B2.global",
            "A global maximum on a torus does not change under any shift.",
            rule=Identity("by_one", terms=SIDE**2, where={"method": GLOBAL}),
            mutants=(Mutant("a local maximum neither", {"where": {"method": MAX}}),),
        ),
        Hypothesis(
            "B2.blur",
            "The wider the blur before a stride, the smaller its defect under one pixel.",
            rule=every(
                *(
                    Sign("defect", "blur", less, more, where={"method": STRIDE, "data": data})
                    for less, more in zip(BLURS[:-1], BLURS[1:], strict=True)
                    for data in _planes.DATA
                )
            ),
        ),
        Hypothesis(
            "B2.averaging",
            "Average pooling is such a blur: its defect is below that of the stride alone.",
            rule=every(
                *(
                    Sign("defect", "method", STRIDE, MEAN, where={"blur": 0.0, "data": data})
                    for data in _planes.DATA
                )
            ),
            mutants=(Mutant("the stride has less", {"first": MEAN, "second": STRIDE}),),
        ),
    ),
    factors={"method": METHODS, "blur": BLURS, "data": _planes.DATA},
    seeds=20,  # identities; and a direction over more than 14 paired seeds
    paired=("data",),
    metrics=METRICS,
    figure=(
        Lines(
            x="blur",
            y="defect",
            by="method",
            where={"data": _planes.NOISE, "method": CHANGING},
            x_label="blur before it (standard deviation, pixels)",
            y_label="defect under a shift by one pixel",
            title="Blur first, then subsample: the defect goes away",
        ),
        Points(
            x="method",
            y="by_one",
            by="data",
            where={"blur": 0.0},
            x_label="method",
            y_label="change by one pixel, relative",
            title="One pixel is enough to change all but the global maximum",
        ),
    ),
    measure=measure,
    finding="A shift by the step passes through stride and pooling; a shift by one pixel does not, "
    "unless a blur has removed what the coarse grid cannot carry.",
    corrected=r"S_n(T^n F) = T\, S_n(F), \quad S_n(T F) \ne T^{1/n} S_n(F)",
    components=(
        "suite.layers.Conv2D",
        "suite.layers.MaxPooling2D",
        "suite.layers.AveragePooling2D",
        "suite.layers.GlobalMaxPooling2D",
    ),
    limits="A torus, so that nothing enters at the border. The blur costs detail, which the defect "
    "does not show.",
)
