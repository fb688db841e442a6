import keras
import numpy as np
import pytest
from backends import BACKEND, WIDEST, compiled, gradients, numpy, value_and_gradients
from keras import ops
from scipy.linalg import expm

from suite.ode import solve, solve_with_adjoint

EPS = float(np.finfo(WIDEST).eps)
RANDOM = np.random.default_rng(0)
STATE = RANDOM.normal(0.5, 1.0, (4, 3)).astype(WIDEST)
INPUT = RANDOM.normal(0.2, 0.5, (3, 5)).astype(WIDEST)
OUTPUT = RANDOM.normal(0.1, 0.5, (5, 3)).astype(WIDEST)
# Error control far below the tolerance of the checks, where the arithmetic allows it.
CONTROLS = {
    "equal": {"steps": 60},
    "adaptive": {"solver": "dormand_prince5", "rtol": 1e3 * EPS, "atol": 1e3 * EPS},
}
# R-FD: relative error of central differences, 1e-6 in float64.
TOLERANCE = 1e-6 if WIDEST == "float64" else 5e-3


def field(z, t, v, w):
    """Two layers with a hidden width of five, and the time."""
    return ops.matmul(ops.tanh(ops.matmul(z, v) + t), w)


def adjoint(z, v, w, **control):
    return solve_with_adjoint(field, z, [v, w], 0.5, 1.5, **control)


def backpropagation(z, v, w, **control):
    return solve(lambda z, t: field(z, t, v, w), z, 0.5, 1.5, **control)


def scalar_of(end, **control):
    return lambda z, v, w: ops.sum(ops.sin(end(z, v, w, **control)))


# --- oracles -------------------------------------------------------------------------------------


def test_a_linear_field_has_the_gradient_of_the_matrix_exponential():
    """z1 = expm(A') z0: the adjoint is the transposed flow, and dL/dA its integral."""
    matrix = np.array([[-0.3, 1.0, 0.2], [-2.0, 0.1, 0.0], [0.4, 0.3, -0.5]])
    slope = RANDOM.normal(0.3, 1, STATE.shape)

    def value(z, a):
        end = solve_with_adjoint(lambda z, t, a: ops.matmul(z, a), z, [a], 0.0, 1.0, steps=40)
        return ops.sum(end * ops.convert_to_tensor(slope.astype(WIDEST)))

    _, (by_state, by_matrix) = gradients(value, STATE, matrix.T.astype(WIDEST))
    np.testing.assert_allclose(by_state, slope @ expm(matrix), rtol=0, atol=1e-5)
    # Van Loan 1978: the integral of two flows is a block of a larger exponential.
    flow, zero = matrix.T, np.zeros((3, 3))
    source = STATE.T @ slope
    block = expm(np.block([[flow.T, source], [zero, flow.T]]))[:3, 3:]
    np.testing.assert_allclose(by_matrix, block, rtol=0, atol=1e-5 * np.abs(block).max())


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_the_adjoint_against_finite_differences(control):
    value = scalar_of(adjoint, **control)
    _, found = gradients(value, STATE, INPUT, OUTPUT)
    value = compiled(value)
    h = EPS ** (1 / 3)
    for number, gradient in enumerate(found):
        direction = RANDOM.normal(size=gradient.shape)
        values = []
        for sign in (1, -1):
            arrays = [STATE, INPUT, OUTPUT]
            arrays[number] = (arrays[number] + sign * h * direction).astype(WIDEST)
            values.append(float(value(*map(ops.convert_to_tensor, arrays))))
        difference = (values[0] - values[1]) / (2 * h)
        assert np.sum(gradient * direction) == pytest.approx(
            difference, rel=TOLERANCE, abs=TOLERANCE
        )


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_the_adjoint_is_backpropagation_with_many_steps(control):
    value, found = gradients(scalar_of(adjoint, **control), STATE, INPUT, OUTPUT)
    expected, reference = gradients(scalar_of(backpropagation, **control), STATE, INPUT, OUTPUT)
    assert float(value) == pytest.approx(float(expected), rel=64 * EPS)
    for ours, other in zip(found, reference, strict=True):
        np.testing.assert_allclose(ours, other, rtol=0, atol=TOLERANCE * np.abs(other).max())


def test_the_adjoint_approaches_backpropagation_with_the_order_of_the_solver():
    def distance(steps):
        control = {"solver": "euler", "steps": steps}
        ours, other = (
            gradients(scalar_of(end, **control), STATE, INPUT, OUTPUT)[1][0]
            for end in (adjoint, backpropagation)
        )
        return np.abs(ours - other).max()

    # Order 1 halves the distance, up to terms of order 2.
    assert distance(64) / distance(128) == pytest.approx(2, rel=0.1)


def test_a_mutant_without_the_minus_is_caught():
    """a' = +a df/dz backward in time shrinks what should grow."""
    a, _ = solve(lambda s, t: [-0.8 * s[0], 0 * s[1]], [np.ones(1), np.ones(1)], 1.0, 0.0, steps=20)
    mutant, _ = solve(
        lambda s, t: [0.8 * s[0], 0 * s[1]], [np.ones(1), np.ones(1)], 1.0, 0.0, steps=20
    )

    def value(z):
        return ops.sum(solve_with_adjoint(lambda z, t: 0.8 * z, z, [], 0.0, 1.0, steps=20))

    _, (found,) = gradients(value, np.ones(1, WIDEST))
    np.testing.assert_allclose(found, numpy(a), rtol=1e-5)
    assert abs(found - numpy(mutant)).max() > 1


# --- edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("control", CONTROLS.values(), ids=CONTROLS)
def test_compiled_is_eager(control):
    both = value_and_gradients(scalar_of(adjoint, **control))
    arrays = [ops.convert_to_tensor(array) for array in (STATE, INPUT, OUTPUT)]
    _, eager = both(*arrays)
    _, found = compiled(both)(*arrays)
    for ours, reference in zip(found, eager, strict=True):
        np.testing.assert_allclose(numpy(ours), numpy(reference), rtol=0, atol=1e5 * EPS)


@pytest.mark.skipif(BACKEND in ("tensorflow", "jax"), reason="these have the adjoint")
def test_other_backends_are_refused():
    with pytest.raises(ValueError, match=f"received '{keras.backend.backend()}'"):
        solve_with_adjoint(lambda z, t: z, STATE, [], 0.0, 1.0, steps=3)
