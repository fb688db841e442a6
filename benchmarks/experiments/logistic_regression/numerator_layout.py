"""Jacobians in numerator layout, and why the outer factor of the chain rule stands on the left.

Lecture section "Logistic regression", claim C06: `[dy/dx]_ij = dy_i / dx_j`, so that

    d(W x)/dx = W        d(x^T W)/dx = W^T        dphi(psi(x))/dx = dphi/dpsi dpsi/dx

with one reading rule: `x^T W` stands for the vector of its entries, `y_i = sum_k x_k W_ki`.

A map of 4 numbers to 5 to 3 has factors of shapes (3, 5) and (5, 4), which fit together in one
order only. With square matrices the wrong order gives a matrix of the right shape, and only its
numbers tell. Jacobians of the linear maps are compared with finite differences, that of the
composed map also with TensorFlow's, through two of the suite's layers, whose kernels are the
transposed matrices.
"""

from functools import partial

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
from benchmarks.verdicts import AtMost, Identity

RECTANGULAR, SQUARE = "rectangular", "square"
WIDTHS = {RECTANGULAR: (4, 5, 3), SQUARE: (4, 4, 4)}  # of x, psi and phi
LEFT, RIGHT, TRANSPOSED = (
    "outer first",
    "inner first",
    "transposed",
)
TERMS = max(max(widths) for widths in WIDTHS.values())
DIFFERENCES = np.geomspace(1e-10, 1, 41)  # both arms of the V: rounding and truncation
# Rounding (epsilon / h) and truncation (h^2) of a central difference balance here.
STEP = np.finfo(float).eps ** (1 / 3)


def sigmoid(z):
    """In NumPy, for the oracle."""
    return 1 / (1 + np.exp(-z))


def differenced(f, x, h):
    """The Jacobian of `f` at `x` by central differences, a column for each entry of `x`."""
    columns = [(f(x + s) - f(x - s)) / (2 * h) for s in h * np.eye(len(x))]
    return np.stack(columns, axis=1)


def deviation(found, exact):
    """Largest difference over the largest entry; another shape counts as a deviation of 1."""
    if np.shape(found) != np.shape(exact):
        return 1.0
    return np.abs(found - exact).max() / np.abs(exact).max()


def product_of(form, outer, inner):
    """The two Jacobians multiplied as the form says; empty where the shapes do not fit."""
    left, right = {
        LEFT: (outer, inner),
        RIGHT: (inner, outer),
        TRANSPOSED: (outer.T, inner.T),
    }[form]
    return left @ right if left.shape[1] == right.shape[0] else np.empty((0, 0))


def composed(a, b, x):
    """`phi(psi(x))` with `psi = tanh(A x)` and `phi = sigmoid(B psi)`, in NumPy."""
    return sigmoid(b @ np.tanh(a @ x))


def factors_of(a, b, x):
    """`dphi/dpsi`, `dpsi/dx` and `dphi/dx`, each from `suite.autodiff` by itself."""
    from suite import autodiff
    from suite.autodiff import jacobian

    x = autodiff.parameter(x, "x")
    psi = autodiff.tanh(a @ x)
    phi = autodiff.sigmoid(b @ psi)
    return jacobian(phi, psi), jacobian(psi, x), jacobian(phi, x)


def linear_maps(column, row, x):
    """Jacobians of `column @ x` and `x @ row` by `suite.autodiff`."""
    from suite.autodiff import jacobian, parameter

    x = parameter(x, "x")
    return jacobian(column @ x, x), jacobian(x @ row, x)


def layers_of(widths):
    """The suite's layers for `psi`, `phi` and a linear map of `x`, in float64, without weights."""
    from suite.layers import Dense

    sizes = {"tanh": widths[:2], "sigmoid": widths[1:], None: (widths[0], widths[2])}
    layers = []
    for activation, (inputs, units) in sizes.items():
        layers.append(Dense(units, activation, use_bias=False, dtype="float64"))
        layers[-1].build((None, inputs))
    return layers


def taped(layers, x):
    """TensorFlow's Jacobian of layers one after the other at one sample, shape `(out, in)`."""
    import tensorflow as tf

    x = tf.constant(x[None])
    with tf.GradientTape(persistent=True) as tape:  # persistent: one backward pass for each row
        tape.watch(x)
        y = x
        for layer in layers:
            y = layer(y)
    return tape.jacobian(y, x, experimental_use_pfor=False).numpy()[0, :, 0]


def measure(cell, seeds):
    """Jacobians of random maps at random points against their oracles, one value a seed."""
    names = (
        "column_error", "column_transposed", "row_error", "row_transposed",
        "chain_error", "chain_exact_error", "kernel_error", "kernel_transposed",
    )  # fmt: skip
    values = {name: np.empty(len(seeds)) for name in names}
    deviations = np.empty((len(seeds), len(DIFFERENCES)))
    n_x, n_psi, n_phi = WIDTHS[cell.sizes]
    psi, phi, linear = layers_of(WIDTHS[cell.sizes])
    for i, seed in enumerate(seeds):
        rng = np.random.default_rng(int(seed))
        x = rng.normal(size=n_x)
        column, row = rng.normal(size=(n_phi, n_x)), rng.normal(size=(n_x, n_phi))
        # Of variance 1 / fan-in, so that tanh and sigmoid keep their slopes.
        a, b = (rng.normal(size=(m, n)) / np.sqrt(n) for m, n in ((n_psi, n_x), (n_phi, n_psi)))

        by_column, by_row = linear_maps(column, row, x)
        for name, suite, w, f in (
            ("column", by_column, column, column.__matmul__),  # column @ x
            ("row", by_row, row.T, row.__rmatmul__),  # x @ row
        ):
            oracle = differenced(f, x, STEP)
            values[f"{name}_error"][i] = max(deviation(w, oracle), deviation(suite, w))
            values[f"{name}_transposed"][i] = deviation(w.T, oracle)

        outer, inner, whole = factors_of(a, b, x)
        product = product_of(cell.product, outer, inner)
        f = partial(composed, a, b)
        values["chain_error"][i] = deviation(product, differenced(f, x, STEP))
        deviations[i] = [deviation(product, differenced(f, x, h)) for h in DIFFERENCES]
        for layer, w in ((psi, a), (phi, b), (linear, column)):
            layer.set_weights([w.T])
        values["chain_exact_error"][i] = max(
            deviation(product, whole), deviation(product, taped([psi, phi], x))
        )
        kernel, oracle = linear.get_weights()[0], taped([linear], x)
        values["kernel_error"][i] = deviation(kernel.T, oracle)
        values["kernel_transposed"][i] = deviation(kernel, oracle)
    return Measurements(
        metrics=values, curves={"deviation": deviations}, axes={"deviation": DIFFERENCES}
    )


# The differences are good to epsilon^(2/3) = 4e-11 of the largest entry; 1e-6 leaves room for the
# third derivative, none for an entry in the wrong place.
DERIVATIVE = 1e-6

EXPERIMENT = Experiment(
    claim="C06",
    lens="stability",
    hypotheses=(
        Hypothesis(
            "C06.column",
            "The Jacobian of W\u00a0x is W.",
            AtMost("column_error", DERIVATIVE, where={"product": LEFT}),
            kind="as stated",
            formula=r"\frac{\partial (W x)}{\partial x} = W, \quad "
            r"\left[ \frac{\partial y}{\partial x} \right]_{ij} = "
            r"\frac{\partial y_i}{\partial x_j}",
            mutants=(
                Mutant(
                    "Wᵀ, square: other numbers",
                    {"metric": "column_transposed", "where": {"sizes": SQUARE, "product": LEFT}},
                ),
                Mutant(
                    "Wᵀ, rectangular: another shape",
                    {
                        "metric": "column_transposed",
                        "where": {"sizes": RECTANGULAR, "product": LEFT},
                    },
                ),
            ),
        ),
        Hypothesis(
            "C06.row",
            "The Jacobian of the vector with the entries of xᵀ\u00a0W is Wᵀ.",
            AtMost("row_error", DERIVATIVE, where={"product": LEFT}),
            kind="as stated",
            formula=r"\frac{\partial (x^\top W)}{\partial x} = W^\top, \quad "
            r"y_i = \sum_k x_k W_{ki}",
            mutants=(
                Mutant(
                    "W, square: other numbers",
                    {"metric": "row_transposed", "where": {"sizes": SQUARE, "product": LEFT}},
                ),
                Mutant(
                    "W, rectangular: another shape",
                    {"metric": "row_transposed", "where": {"sizes": RECTANGULAR, "product": LEFT}},
                ),
            ),
        ),
        Hypothesis(
            "C06.chain",
            "The Jacobian of a composed map is the outer factor times the inner one, in this "
            "order.",
            AtMost("chain_error", DERIVATIVE, where={"product": LEFT}),
            kind="as stated",
            formula=r"\frac{\partial \phi(\psi(x))}{\partial x} = "
            r"\frac{\partial \phi}{\partial \psi} \frac{\partial \psi}{\partial x}",
            mutants=tuple(
                Mutant(f"{form}, {sizes}", {"where": {"product": form, "sizes": sizes}})
                for form in (RIGHT, TRANSPOSED)
                for sizes in (SQUARE, RECTANGULAR)
            ),
        ),
        Hypothesis(
            "C06.sweep",
            "Backpropagation through both maps at once, here and in TensorFlow, gives the product "
            "to the last digits.",
            Identity("chain_exact_error", terms=TERMS, where={"product": LEFT}),
            mutants=tuple(
                Mutant(form, {"where": {"product": form}}) for form in (RIGHT, TRANSPOSED)
            ),
        ),
        Hypothesis(
            "C06.kernel",
            "A dense layer keeps its samples in rows, so its Jacobian is the transposed kernel.",
            Identity("kernel_error", terms=TERMS, where={"product": LEFT}),
            formula=r"y^\top = x^\top K, \quad \frac{\partial y}{\partial x} = K^\top = W",
            mutants=(Mutant("the kernel itself", {"metric": "kernel_transposed"}),),
        ),
    ),
    # The linear maps have no product: their rules look at one of its levels.
    factors={"sizes": (RECTANGULAR, SQUARE), "product": (LEFT, RIGHT, TRANSPOSED)},
    # Derivatives are identities: 20 random states leave no room for a factor that happens to be 1.
    seeds=20,
    paired=("data", "initial weights"),
    metrics={
        "column_error": Metric("W against differences of W x and the suite", "1", "lower"),
        "column_transposed": Metric("Wᵀ against the same differences", "1"),
        "row_error": Metric("Wᵀ against differences of xᵀ W and the suite", "1", "lower"),
        "row_transposed": Metric("W against the same differences", "1"),
        "chain_error": Metric("product against differences of the composed map", "1", "lower"),
        "chain_exact_error": Metric("product against both backward passes", "1", "lower"),
        "kernel_error": Metric("transposed kernel against TensorFlow's Jacobian", "1", "lower"),
        "kernel_transposed": Metric("kernel against the same Jacobian", "1"),
    },
    figure=(
        Curves(
            y="deviation",
            by="product",
            where={"sizes": SQUARE},
            log="xy",
            x_label="step of the finite difference",
            y_label="relative deviation",
            title="With square factors every order has the right shape; one has the right numbers",
        ),
        Points(
            x="product",
            y="chain_error",
            by="sizes",
            log="y",
            x_label="order of the factors",
            y_label="relative deviation (another shape: 1)",
            title="Rectangular factors fail by their shape, square ones by their numbers",
        ),
    ),
    measure=measure,
    finding="Row i holds the derivatives of output i, and the outer factor of the chain rule "
    "stands on the left; square matrices would hide a wrong order, but not its numbers.",
    stated=r"\left[ \frac{\partial y}{\partial x} \right]_{ij} = "
    r"\frac{\partial y_i}{\partial x_j}, \quad "
    r"\frac{\partial \phi(\psi(x))}{\partial x} = "
    r"\frac{\partial \phi}{\partial \psi} \frac{\partial \psi}{\partial x}",
    components=("suite.autodiff.jacobian", "suite.layers.Dense"),
    limits="Vectors only: the derivative of a layer by its matrix of weights has three indices "
    "and no place in this layout.",
)
