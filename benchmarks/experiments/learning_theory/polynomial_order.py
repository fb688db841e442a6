"""Ten points and ever more powers: the worst order is the first that fits them all.

Lecture section "Learning theory", claim C50. Least squares with polynomials of order n on N = 10
noisy points. From n = N - 1 = 9 on the training error is zero. At n = 9 there is exactly one such
polynomial, and between the points it goes where it must. Beyond, infinitely many polynomials fit,
and the one with the smallest norm

    min sum_n (n + 1)^2 c_n^2   such that   sum_n c_n sqrt(2 n + 1) P_n(x_i) = y_i

has more to choose from the higher the order, so that the error falls a second time.
"""

from functools import cache

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
    Plane,
)
from benchmarks.verdicts import Difference, Identity, Sign, every

POINTS = 10  # N
THRESHOLD = POINTS - 1  # the order with as many coefficients as there are points
TRUTH = 3  # the order of what the points scatter about
SIGMA = 0.3  # noise, as in the lecture's picture of cubics (C57)
ORDERS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 25, 50, 100, 200)
HIGHEST = ORDERS[-1]
BEYOND = tuple(n for n in ORDERS if n > THRESHOLD)
PERFECT = (THRESHOLD, *BEYOND)
SHOWN = (1, TRUTH, THRESHOLD, 15, HIGHEST)
TEST_INPUTS = (np.arange(201) + 0.5) / 201 * 2 - 1  # midpoint rule for uniform inputs on [-1, 1]
STORED = 8  # data sets whose fits are kept for the picture
FRAME = 1.5  # of the picture: the truth stays within 0.5, and noise of 3 sigma within 1.4
FLOOR = 1e-3  # of the drawn curves: a hundredth of the noise. Rounding would fill thirty decades
TRAINING, TEST = "training", "test"


def smooth_basis(x, order):
    """Legendre polynomials, orthonormal for uniform inputs, divided by `n + 1`.

    The smallest norm of their coefficients then costs order n the factor `(n + 1)^2`.
    """
    from suite.theory import legendre_basis

    n = np.arange(order + 1)
    return legendre_basis(x, order) * np.sqrt(2 * n + 1) / (n + 1)


def points(seeds):
    """Inputs and noisy targets of all data sets, (seeds, points) each."""
    from suite.datasets import cubic

    x, y = zip(*(cubic(POINTS, int(seed), SIGMA) for seed in seeds), strict=True)
    return np.array(x), np.array(y)


@cache  # the cells of both kinds of error look at the same fits
def fits(order, seeds):
    """Training error, residual, test error and predictions of the fits of one order."""
    from suite.datasets import cubic_truth
    from suite.theory import ridge

    x, y = points(seeds)
    basis = smooth_basis(x, order)
    w = ridge(basis, y, strength=0)  # least squares; of the smallest norm where there is a choice
    residual = np.einsum("snk,sk->sn", basis, w) - y
    # Each target is a sum of terms, and rounding is in proportion to them, not to the target.
    terms = np.linalg.norm(basis, axis=(1, 2)) * np.linalg.norm(w, axis=1)
    predictions = w @ smooth_basis(TEST_INPUTS, order).T
    return (
        (residual**2).mean(axis=1),
        np.linalg.norm(residual, axis=1) / (terms + np.linalg.norm(y, axis=1)),
        ((predictions - cubic_truth(TEST_INPUTS)) ** 2).mean(axis=1),
        predictions,
    )


def measure(cell, seeds):
    """The error of one order, on the training points or against the truth, one value a seed."""
    seeds = tuple(int(s) for s in seeds)
    place = {TRAINING: 0, TEST: 2}[cell.error_on]
    found = fits(cell.order, seeds)
    curves, arrays = {}, {}
    if cell.order == ORDERS[0]:  # one cell of each kind brings the curve over all orders
        # A logarithmic axis has no order 0.
        errors = np.stack([fits(order, seeds)[place] for order in ORDERS[1:]], axis=1)
        curves["error"] = np.maximum(errors, FLOOR)
    if cell.error_on == TRAINING:
        arrays = picture(found[-1], seeds)
    return Measurements(
        metrics={
            "error": found[place],
            # Over ten decades a mean of errors is that of the worst data set.
            "decades": np.log10(np.maximum(found[place], np.finfo(float).tiny)),
            "residual": found[1],
        },
        curves=curves,
        axes={"error": np.array(ORDERS[1:], float)},
        arrays=arrays,
    )


def picture(predictions, seeds):
    """The first data set as a picture, and the first few as arrays, in single precision."""
    from suite.datasets import cubic_truth

    x, y = points(seeds[:STORED])
    # What leaves the frame is not drawn; a fit of order 9 would squeeze everything else to a line.
    inside = np.where(np.abs(predictions[:STORED]) <= FRAME, predictions[:STORED], np.nan)
    return {
        "training points": np.stack([x[0], y[0]], axis=1),
        "truth": np.stack([TEST_INPUTS, cubic_truth(TEST_INPUTS)], axis=1),
        "fit": np.stack([TEST_INPUTS, inside[0]], axis=1),
        "inputs": x,
        "targets": y,
        "fits": inside.astype(np.float32),
    }


ON_TEST = {"error_on": TEST}


def exceeds(first, second):
    """Test error of one order above that of another, seed by seed."""
    return Sign("error", "order", first, second, where=ON_TEST)


def tenfold(order):
    """An order's test error ten times that of the cubic, in the geometric mean, or more."""
    return Difference("decades", "order", order, TRUTH, low=1.0, where=ON_TEST)


EXPERIMENT = Experiment(
    claim="C50",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C50.perfect",
            "From order 9 on, ten points are fitted perfectly.",
            rule=Identity(
                "residual", terms=HIGHEST + 1, where={"order": PERFECT, "error_on": TRAINING}
            ),
            kind="as stated",
            formula=r"n \ge N - 1 \;\Rightarrow\; \hat{\mathcal R} = 0",
            mutants=(
                Mutant(
                    "one order less",
                    {"where": {"order": THRESHOLD - 1, "error_on": TRAINING}},
                ),
            ),
        ),
        Hypothesis(
            "C50.fails",
            "Order 9, which fits perfectly, has a larger test error than order 3, the truth's, and "
            "than a constant.",
            rule=every(exceeds(THRESHOLD, TRUTH), exceeds(THRESHOLD, 0)),
            kind="as stated",
            mutants=(Mutant("perfect on new data", {"first": TRUTH, "second": THRESHOLD}),),
        ),
        Hypothesis(
            "C50.dramatic",
            "It fails dramatically: its test error is at least ten times that of order 3, in the "
            "geometric mean.",
            rule=tenfold(THRESHOLD),
            kind="as stated",
            mutants=(Mutant("the other way round", {"first": TRUTH, "second": THRESHOLD}),),
        ),
        Hypothesis(
            "C50.all_fail",
            "Every higher order fails that dramatically, read without an upper end: orders 25 to "
            "200 as well, fitted with the smallest norm.",
            rule=every(*(tenfold(order) for order in (25, 50, 100, HIGHEST))),
            kind="as stated",
        ),
        Hypothesis(
            "C50.second_descent",
            "Beyond order 9 the error of the fit with the smallest norm falls again.",
            rule=every(exceeds(THRESHOLD, 15), exceeds(15, 50), exceeds(50, HIGHEST)),
            formula=r"\min_c \sum_n (n+1)^2 c_n^2 \quad\text{with}\quad f_c(x_i) = y_i",
            mutants=(Mutant("the higher the worse", {"first": HIGHEST, "second": THRESHOLD}),),
        ),
        Hypothesis(
            "C50.cubic_stays_better",
            "At order 200 the test error is still larger than at order 3.",
            rule=exceeds(HIGHEST, TRUTH),
            mutants=(Mutant("the second descent wins", {"first": TRUTH, "second": HIGHEST}),),
        ),
    ),
    factors={"order": ORDERS, "error_on": (TRAINING, TEST)},
    # Shares of at least 64 % are told from one half at 2^-14: enough for order 200 against 3, whose
    # errors are of one size. The perfect fit at order 9 would need no more than 14.
    seeds=200,
    paired=("data", "noise"),
    metrics={
        "error": Metric("mean squared error", "y²", "lower"),
        "decades": Metric("log₁₀ of the mean squared error", "1", "lower"),
        "residual": Metric("norm of the residual over that of the summed terms", "1"),
    },
    figure=(
        Curves(
            y="error",
            by="error_on",
            x_label="order of the polynomial",
            y_label="mean squared error (y²), at least 10⁻³",
            title="The test error peaks where the fit becomes perfect, then falls again",
            log="xy",
        ),
        Plane(
            x_label="x",
            y_label="y",
            title="One set of ten points",
            points=("training points",),
            lines=("truth", "fit"),
            by="order",
            where={"order": SHOWN, "error_on": TRAINING},
        ),
    ),
    finding=(
        "Order 9 fits ten points perfectly, and its test error exceeds that of the cubic by "
        "{dramatic:.1f} powers of ten on average. That is the peak: fitted with the smallest norm, "
        "higher orders fit as perfectly and err less and less, though at order 200 more than "
        "the cubic in {cubic_stays_better:.0%} of the data sets."
    ),
    stated=r"n \ge N - 1:\quad \hat{\mathcal R} = 0,\quad \mathcal R \gg \mathcal R_{\text{cubic}}",
    corrected=r"\mathcal R \text{ peaks at } n = N - 1 \text{ and descends again beyond}",
    figures=("F22",),
    components=(
        "suite.datasets.cubic",
        "suite.theory.legendre_basis",
        "suite.theory.ridge",
    ),
    limits=(
        "The test error is measured against the truth; against noisy targets every order has the "
        "noise variance more. Beyond order 9 the points alone do not choose the polynomial: how "
        "far the error falls depends on which norm is smallest, here one that makes high orders "
        "expensive, and on the noise. Without any such choice the claim has no content there."
    ),
    measure=measure,
)
