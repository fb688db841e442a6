"""Networks that represent the folded tent map, deep and shallow; nothing here is trained.

The tent map folded `k` times has `2^k` linear pieces of equal width. One fold is two rectifiers,

    t(h) = 2 relu(h) - 4 relu(h - 1/2)

so `k` layers of two units represent it. One layer of `m` units bends at most `m` times. On a peak
(two pieces) without a bend, an affine function is no closer than the constant, for the peak is
symmetric; `m` bends spoil at most `m` of the `2^(k - 1)` peaks, hence

    error^2 >= (1 - m / 2^(k - 1)) error_of_constant^2

Telgarsky 2016, arXiv:1602.04485. Grids and weights are dyadic, so that sums are exact.
"""

from functools import cache

import numpy as np

FOLDS = 6  # 64 pieces: 12 units in depth, 64 side by side
PIECES = 2**FOLDS
COUNTED = tuple(range(1, 9))  # folds whose pieces are counted, up to 256
UNITS = (2, 4, 8, 12, 16, 24, 32, 48, 63, 64)  # of the shallow network
JUDGED = tuple(m for m in UNITS if m < PIECES // 2)  # where the bound is above zero
# 8 points a piece, none of them at its ends: every piece has the same points.
GRID = (np.arange(8 * PIECES) + 0.5) / (8 * PIECES)


def network(units, weights):
    """The suite's perceptron with these kernels and biases, as a function of points."""
    import keras

    from suite.models import MultilayerPerceptron

    model = MultilayerPerceptron(units, 1, dtype="float64")
    model.build((None, 1))
    model.set_weights(weights)
    return lambda x: keras.ops.convert_to_numpy(model(np.asarray(x)[:, None]))[:, 0]


def deep(folds):
    """`folds` layers of two units each."""
    first, fold = np.ones((1, 2)), np.array([[2.0, 2.0], [-4.0, -4.0]])
    bends = np.array([0.0, -0.5])
    hidden = [part for kernel in [first] + [fold] * (folds - 1) for part in (kernel, bends)]
    return network((2,) * folds, [*hidden, fold[:, :1], np.zeros(1)])


def wide(units, folds=FOLDS):
    """One layer whose units bend where the first pieces of the map begin."""
    bends = np.arange(units) / 2**folds
    slopes = np.where(np.arange(units) % 2, -1.0, 1.0) * 2 ** (folds + 1)
    slopes[0] /= 2  # every other unit turns the slope around
    return network((units,), [np.ones((1, units)), -bends, slopes[:, None], np.zeros(1)])


def pieces(function, folds):
    """Linear pieces on [0, 1], counted by the changes of slope between dyadic points."""
    values = function(np.arange(8 * 2**folds + 1) / (8 * 2**folds))
    return 1 + np.count_nonzero(np.diff(np.diff(values)))


def error(found, target):
    """Root of the mean square on the grid."""
    return np.sqrt(np.mean((found - target) ** 2))


def fitted_error(bends, target):
    """Of the least-squares read-out, with a bias, of rectifiers that bend at these points."""
    features = np.column_stack([np.ones(len(GRID)), np.maximum(GRID[:, None] - bends, 0)])
    return error(features @ np.linalg.lstsq(features, target)[0], target)


def lower_bound(units):
    """What no network of one layer can beat, as a share of the constant's error."""
    return np.sqrt(np.maximum(0, 1 - np.asarray(units) / (PIECES / 2)))


@cache
def exact():
    """What depends on no seed: miscounts and errors of the networks written down, by name."""
    from suite.datasets import tent

    grid = np.arange(8 * 2 ** max(COUNTED) + 1) / (8 * 2 ** max(COUNTED))
    networks = {folds: deep(folds) for folds in COUNTED}
    beside = {folds: wide(2 * folds, folds) for folds in COUNTED}
    target = tent(GRID, FOLDS)
    return {
        "miscount": max(abs(pieces(networks[k], k) / 2**k - 1) for k in COUNTED),
        "miscount_beside": max(abs(pieces(beside[k], k) / 2**k - 1) for k in COUNTED),
        "deep_error": max(np.abs(networks[k](grid) - tent(grid, k)).max() for k in COUNTED),
        "wide_error": error(wide(PIECES)(GRID), target),
        # 2 FOLDS units, held against the bound for as many in one layer.
        "bound_over_stacked": lower_bound(2 * FOLDS)
        / max(error(networks[FOLDS](GRID), target) / target.std(), np.finfo(float).eps),
        "narrower_error": error(wide(PIECES - 1)(GRID), target),
    }


@cache
def planned():
    """Errors of one layer at each of `UNITS`: the lesser of even bends and the map's first ones."""
    from suite.datasets import tent

    target = tent(GRID, FOLDS)
    layouts = [(np.arange(m) / m, np.arange(m) / PIECES) for m in UNITS]
    return np.array([min(fitted_error(bends, target) for bends in both) for both in layouts])


@cache
def shallow(seed):
    """Over the constant's error: the least of `planned` and of bends at random, `(UNITS,)`."""
    from suite.datasets import tent

    target, rng = tent(GRID, FOLDS), np.random.default_rng([seed, 3])
    drawn = [fitted_error(rng.random(m), target) for m in UNITS]
    return np.minimum(planned(), drawn) / target.std()
