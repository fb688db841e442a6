"""The chain rule is one product; where its brackets stand decides between D^2 and D^3 a layer.

Lecture section "Gradients of deep networks", claim C26. For `L` layers of width `D` the slide
charges `(L - l) D^3` for the gradient at layer `l`, and `L^2 D^3` for all of them without reuse.
The loss has one output, so the product begins with a row:

    ((r J_L) J_L-1) ... J_l+1      a row times a matrix, D^2 multiplications each
    r (J_L (J_L-1 ... J_l+1))      matrices times matrices, D^3 each, and one row at the end

Counted are multiplications, by a counter inside the matrix product, never seconds: caches and
libraries would be measured with them. A count does not depend on the numbers multiplied; the
product does, and every order must give the same rows.
"""

import itertools
import math

import numpy as np

from benchmarks.experiment import (
    Curves,
    Experiment,
    Hypothesis,
    Lines,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.verdicts import AtMost, Identity, Slope, every

ROWS, ROWS_ANEW = "rows first, reused", "rows first, anew"
MATRICES, MATRICES_ANEW = "matrices first, reused", "matrices first, anew"
ORDERS = (ROWS, ROWS_ANEW, MATRICES, MATRICES_ANEW)
WIDTHS, DEPTHS = (8, 16, 32, 64), (4, 8, 16)
SHOWN_DEPTH = 8
# Counts are exact powers where only one kind of product is counted: rounding of logarithms alone.
EXACTLY = 1e-9
BRACKETED = 5  # Jacobians behind the row: Catalan's number of bracketings, 42, can be listed


def chain(depth, width, seed):
    """The row `(1, width)` and the Jacobians `J_L ... J_1`, of entries that keep the scale."""
    rng = np.random.default_rng([int(seed), depth, width])
    row = rng.normal(size=(1, width))
    return row, [rng.normal(0, width**-0.5, (width, width)) for _ in range(depth)]


def rows_by(order, row, jacobians):
    """The gradients by `h_L-1 ... h_0`, in the given order of association."""
    from suite.autodiff import (
        from_the_left,
        from_the_right,
        jacobian_products,
        reverse_sweep,
        without_reuse,
    )

    return {
        ROWS: reverse_sweep,
        ROWS_ANEW: lambda r, j: without_reuse(r, j, from_the_left),
        MATRICES: jacobian_products,
        MATRICES_ANEW: lambda r, j: without_reuse(r, j, from_the_right),
    }[order](row, jacobians)


def rows_in_extended_precision(row, jacobians):
    """The oracle: each row by einsum in NumPy's longest float, without the suite."""
    rows, row = [], row.astype(np.longdouble)
    for jacobian in jacobians:
        row = np.einsum("ri,ij->rj", row, jacobian.astype(np.longdouble))
        rows.append(row.astype(float))
    return rows


def products_in_theory(order, depth):
    """How many products of matrices, and how many of a row and a matrix, an order takes."""
    pairs = depth * (depth + 1) // 2
    return {
        ROWS: (0, depth),
        ROWS_ANEW: (0, pairs),
        MATRICES: (depth - 1, depth),
        MATRICES_ANEW: (pairs - depth, depth),
    }[order]


def flops_in_theory(order, depth, width):
    """`2 m k n` for each product."""
    matrices, rows = products_in_theory(order, depth)
    return 2 * (matrices * width**3 + rows * width**2)


def bracketings(first, last):
    """Every way to bracket the factors `first ... last`, as nested pairs."""
    if first == last:
        yield first
    for cut in range(first, last):
        sides = itertools.product(bracketings(first, cut), bracketings(cut + 1, last))
        yield from sides


def bracketing_flops(width):
    """All bracketings of a row and `BRACKETED` Jacobians with their counts, cheapest first."""
    from suite.autodiff import Counter, multiply

    row, jacobians = chain(BRACKETED, width, 0)
    found = []
    for brackets in bracketings(0, BRACKETED):
        with Counter() as counter:
            multiply([row, *jacobians], brackets)
        found.append((counter.flops, brackets))
    return sorted(found, key=lambda pair: pair[0])


def measure(cell, seeds):
    """Counted operations of one order, deviation of its rows, and the cost of all bracketings."""
    from suite.autodiff import Counter, from_the_left, from_the_right, multiply

    depth, width, order = cell.depth, cell.width, cell.order
    error, misplaced = np.empty(len(seeds)), np.empty(len(seeds))
    counts = {
        name: np.empty(len(seeds)) for name in ("flops", "row_flops", "matrix_flops", "one_flops")
    }
    for i, seed in enumerate(seeds):
        row, jacobians = chain(depth, width, seed)
        with Counter() as counter:
            rows = rows_by(order, row, jacobians)
        in_rows = 2 * sum(m * k * n for m, k, n in counter.products if m == 1)
        counts["flops"][i], counts["row_flops"][i] = counter.flops, in_rows
        counts["matrix_flops"][i] = counter.flops - in_rows
        first = from_the_left if order in (ROWS, ROWS_ANEW) else from_the_right
        with Counter() as counter:
            multiply([row, *jacobians], first(depth + 1))
        counts["one_flops"][i] = counter.flops

        reference = rows_in_extended_precision(row, jacobians)
        error[i] = deviation(rows, reference)
        misplaced[i] = deviation(rows_by(order, row, jacobians[::-1]), reference)
    theory = flops_in_theory(order, depth, width)
    # The slide's accounting: every product of the order costs D^3, the row's as well.
    charged = 2 * sum(products_in_theory(order, depth)) * width**3
    curves = {}
    listed = bracketing_flops(width)
    of = {brackets: flops for flops, brackets in listed}
    cheapest = listed[0][0]
    left, right = from_the_left(BRACKETED + 1), from_the_right(BRACKETED + 1)
    if depth == SHOWN_DEPTH and order == ROWS:
        flops = np.array([flops for flops, _ in listed])
        curves = {"bracketing_flops": np.tile(flops, (len(seeds), 1))}
    return Measurements(
        metrics=counts
        | {
            "flops_theory": np.full(len(seeds), theory),
            "count_error": np.abs(counts["flops"] / theory - 1),
            "count_error_as_charged": np.abs(charged / counts["flops"] - 1),
            "row_error": error,
            "reversed_row_error": misplaced,
            "left_excess": np.full(len(seeds), of[left] / cheapest - 1),
            "right_excess": np.full(len(seeds), of[right] / cheapest - 1),
        },
        curves=curves,
        axes={name: np.arange(1, len(listed) + 1) for name in curves},
    )


def deviation(rows, reference):
    """The worst row's largest deviation, relative to its largest entry."""
    return max(np.abs(a - b).max() / np.abs(b).max() for a, b in zip(rows, reference, strict=True))


def at(order, **more):
    """The cells of an order at the depth or width that is shown."""
    return {"order": order} | (more or {"depth": SHOWN_DEPTH})


EXPERIMENT = Experiment(
    claim="C26",
    lens="convergence",
    hypotheses=(
        Hypothesis(
            "C26.stated",
            "In whatever order the chain rule is evaluated, one gradient costs D³ a layer.",
            # D^3 plus one row's D^2 has an exponent of at least 3 - 1/D between widths of D and
            # more: 1/8 at the smallest width.
            every(
                Slope("one_flops", "width", 3.0, 1 / min(WIDTHS), where=at(MATRICES)),
                Slope("one_flops", "width", 3.0, 1 / min(WIDTHS), where=at(ROWS)),
            ),
            kind="as stated",
            formula=r"\mathrm{Cost}\left(\frac{\partial\mathcal{L}}{\partial\phi_\ell}\right) "
            r"= O((L - \ell) D^3)",
        ),
        Hypothesis(
            "C26.matrices",
            "The exponent is 3 if Jacobians are multiplied with each other.",
            every(
                *(
                    Slope("matrix_flops", "width", 3.0, EXACTLY, where=at(order))
                    for order in (MATRICES, MATRICES_ANEW)
                )
            ),
            formula=r"r\,(J_L (J_{L-1} \cdots J_{\ell+1})) : O((L - \ell) D^3)",
            mutants=(Mutant("products of a row and a matrix", {"metric": "row_flops"}),),
        ),
        Hypothesis(
            "C26.rows",
            "The exponent is 2 if the row is multiplied first, with reuse or without.",
            every(*(Slope("flops", "width", 2.0, EXACTLY, where=at(o)) for o in (ROWS, ROWS_ANEW))),
            formula=r"((r J_L) J_{L-1}) \cdots J_{\ell+1} : O((L - \ell) D^2)",
            mutants=(
                Mutant("matrices first, reused", {"where": at(MATRICES)}),
                Mutant("matrices first, anew", {"where": at(MATRICES_ANEW)}),
            ),
        ),
        Hypothesis(
            "C26.counts",
            "Every order takes exactly the operations that its closed form says.",
            # Counts are integers below 2^53.
            AtMost("count_error", 0),
            formula=r"\begin{gathered} L D^2, \quad \tfrac{L(L+1)}{2} D^2, \quad "
            r"(L-1) D^3 + L D^2, \quad \tfrac{L(L-1)}{2} D^3 + L D^2 \end{gathered}",
            mutants=(
                Mutant("D³ for the row's products too", {"metric": "count_error_as_charged"}),
            ),
        ),
        Hypothesis(
            "C26.cheapest",
            "With layers of equal width, no brackets are cheaper than those from the left.",
            AtMost("left_excess", 0),
            formula=r"\min_{\text{brackets}} \mathrm{Cost} = \mathrm{Cost}"
            r"\left(((r J_L) J_{L-1}) \cdots\right)",
            mutants=(Mutant("those from the right", {"metric": "right_excess"}),),
        ),
        Hypothesis(
            "C26.same",
            "All orders give the same rows, to rounding.",
            # L sums of D terms, one after another.
            Identity("row_error", terms=max(WIDTHS) * max(DEPTHS)),
            formula=r"(AB)C = A(BC)",
            mutants=(Mutant("Jacobians in the opposite order", {"metric": "reversed_row_error"}),),
        ),
    ),
    factors={"order": ORDERS, "width": WIDTHS, "depth": DEPTHS},
    # Counts do not depend on the numbers: a second draw shows it. 20 draws are for the identity.
    seeds=20,
    paired=("data",),
    metrics={
        "flops": Metric("operations for the gradients by all layers", "flop", "lower"),
        "flops_theory": Metric("operations in theory", "flop"),
        "row_flops": Metric("of these, in products of a row and a matrix", "flop"),
        "matrix_flops": Metric("of these, in products of two matrices", "flop"),
        "one_flops": Metric("operations for the gradient by the input alone", "flop", "lower"),
        "count_error": Metric("operations against theory, relative", "1", "lower"),
        "count_error_as_charged": Metric("the same, D³ being charged for every product", "1"),
        "row_error": Metric("deviation of the rows, relative", "1", "lower"),
        "reversed_row_error": Metric("the same, Jacobians in opposite order", "1"),
        "left_excess": Metric("brackets from the left over the cheapest, less one", "1", "lower"),
        "right_excess": Metric("brackets from the right over the cheapest, less one", "1"),
    },
    figure=(
        Lines(
            x="width",
            y="flops",
            by="order",
            where={"depth": SHOWN_DEPTH},
            theory="flops_theory",
            log="xy",
            x_label="width D",
            y_label="operations for all gradients",
            title="Rows first: D²; matrices first: D³. The brackets decide",
        ),
        Curves(
            y="bracketing_flops",
            by="width",
            where={"order": ROWS, "depth": SHOWN_DEPTH},
            log="y",
            x_label="bracketing, from the cheapest to the dearest",
            y_label="operations for one gradient",
            title=f"All {math.comb(2 * BRACKETED, BRACKETED) // (BRACKETED + 1)} ways to bracket a "
            f"row and {BRACKETED} Jacobians: one of them is quadratic",
        ),
    ),
    measure=measure,
    finding="One gradient costs D² a layer if the row is multiplied first, and D³ only if Jacobian "
    "matrices are multiplied with each other, which nothing asks for.",
    stated=r"O((L - \ell) D^3), \quad O(L^2 D^3)",
    corrected=r"O((L - \ell) D^2), \quad O(L^2 D^2)",
    figures=("F12",),
    components=(
        "suite.autodiff.reverse_sweep",
        "suite.autodiff.without_reuse",
        "suite.autodiff.jacobian_products",
        "suite.autodiff.Counter",
    ),
    limits="All layers have one width and the loss one output. With as many outputs as units the "
    "row becomes a matrix, and D³ is right; next to a layer of a single unit other brackets can "
    "be cheaper.",
)
