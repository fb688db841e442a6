import numpy as np
import pytest

from suite.datasets import Quadratic

DIMENSION, KAPPA, BATCH = 7, 50.0, 3


@pytest.fixture
def problem():
    return Quadratic(DIMENSION, KAPPA, seed=3)


def error_after(problem, learning_rate, momentum, steps):
    w, velocity = problem.minimizer + np.ones(DIMENSION), np.zeros(DIMENSION)
    for _ in range(steps):
        velocity = momentum * velocity - learning_rate * problem.gradient(w)
        w = w + velocity
    return np.linalg.norm(w - problem.minimizer)


def test_spectrum(problem):
    eigenvalues = np.linalg.eigvalsh(problem.matrix)
    np.testing.assert_allclose(eigenvalues, problem.eigenvalues, rtol=1e-12)
    assert eigenvalues[[0, -1]] == pytest.approx([problem.smallest, problem.largest], rel=1e-12)
    assert problem.largest / problem.smallest == pytest.approx(KAPPA, rel=1e-15)
    assert np.abs(problem.matrix - np.diag(np.diag(problem.matrix))).max() > 0.01  # rotated


def test_gradient_is_the_derivative_of_the_loss(problem):
    w = np.random.default_rng(0).normal(1, 1, DIMENSION)
    h = 1e-3  # central differences are exact on a quadratic, up to rounding
    numeric = [(problem.loss(w + h * e) - problem.loss(w - h * e)) / (2 * h) for e in np.eye(7)]
    np.testing.assert_allclose(problem.gradient(w), numeric, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(problem.gradient(problem.minimizer), np.zeros(DIMENSION))


def test_many_points_at_once(problem):
    w = np.random.default_rng(0).normal(1, 1, (BATCH, DIMENSION))
    assert problem.loss(w).shape == (BATCH,)
    assert problem.loss(w)[2] == pytest.approx(problem.loss(w[2]), rel=1e-12)
    np.testing.assert_allclose(problem.gradient(w)[1], problem.gradient(w[1]), rtol=1e-12)


def test_gradient_descent_contracts_at_the_promised_rate(problem):
    rate = (KAPPA - 1) / (KAPPA + 1)
    best = problem.best_gradient_descent()
    late = error_after(problem, best, 0, 200) / error_after(problem, best, 0, 199)
    assert late == pytest.approx(rate, rel=1e-6)
    # both extreme directions shrink equally: any other learning rate is slower
    for other in (0.99 * best, 1.005 * best):
        assert error_after(problem, other, 0, 200) > error_after(problem, best, 0, 200)


def test_heavy_ball_contracts_at_the_promised_rate(problem):
    learning_rate, momentum = problem.best_heavy_ball()
    root = np.sqrt(KAPPA)
    assert np.sqrt(momentum) == pytest.approx((root - 1) / (root + 1), rel=1e-14)
    # eigenvalues of the map (w, v) -> (w', v') for the extreme curvatures have that modulus
    for curvature in (problem.smallest, problem.largest):
        step = np.array([[1 - learning_rate * curvature, momentum], [0, 0]])
        step[1] = [-learning_rate * curvature, momentum]
        modulus = np.abs(np.linalg.eigvals(step))
        # a double root: rounding of 1e-16 moves it by the square root of that
        np.testing.assert_allclose(modulus, np.sqrt(momentum), atol=1e-7)
    rate = error_after(problem, learning_rate, momentum, 120) ** (1 / 120)
    assert rate < (KAPPA - 1) / (KAPPA + 1)


def test_a_seed_is_a_problem():
    a, b, c = Quadratic(5, 9, seed=1), Quadratic(5, 9, seed=1), Quadratic(5, 9, seed=2)
    np.testing.assert_array_equal(a.matrix, b.matrix)
    np.testing.assert_array_equal(a.minimizer, b.minimizer)
    assert np.abs(a.matrix - c.matrix).max() > 0.01
    assert np.abs(a.minimizer - c.minimizer).max() > 0.01
    assert a == b != c


def test_one_dimension():
    assert Quadratic(1, 1).matrix == pytest.approx(np.ones((1, 1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1), "dimension must be at least 1, received 0"),
        ((3, 0.5), "condition_number must be finite and at least 1, received 0.5"),
        ((3, np.nan), "condition_number must be finite and at least 1, received nan"),
        ((1, 2), "condition_number must be 1 in dimension 1.*received 2"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Quadratic(*arguments)
