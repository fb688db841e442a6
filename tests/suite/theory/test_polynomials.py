import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss, legvander

from suite.theory import legendre_basis, monomial_basis


@pytest.mark.parametrize("degree", [0, 1, 2, 9, 50])
def test_matches_numpy(degree):
    x = np.random.default_rng(0).uniform(-1, 1, (7, 3))
    # a recurrence of `degree` steps whose values stay below 1 loses at most a few ulp a step
    bound = 64 * (degree + 1) * np.finfo(float).eps
    np.testing.assert_allclose(legendre_basis(x, degree), legvander(x, degree), atol=bound)
    np.testing.assert_allclose(
        monomial_basis(x, degree), np.polynomial.polynomial.polyvander(x, degree), rtol=bound
    )
    assert legendre_basis(x, degree).shape == (7, 3, degree + 1)


def test_legendre_polynomials_are_orthogonal():
    x, weight = leggauss(12)  # exact up to degree 23
    p = legendre_basis(x, 9)
    norms = 2 / (2 * np.arange(10) + 1)
    np.testing.assert_allclose(p.T @ (weight[:, None] * p), np.diag(norms), atol=1e-14)


def test_legendre_is_the_better_conditioned_basis():
    x = np.linspace(-1, 1, 40)
    assert np.linalg.cond(monomial_basis(x, 15)) > 1e3 * np.linalg.cond(legendre_basis(x, 15))


@pytest.mark.parametrize("basis", [legendre_basis, monomial_basis])
@pytest.mark.parametrize("degree", [-1, 1.5])
def test_refuses_a_degree_that_is_none(basis, degree):
    with pytest.raises(ValueError, match=f"degree must be a whole number.*received {degree}"):
        basis([0.5], degree)
