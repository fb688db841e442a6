"""The matrices of `Whitening`, written once for NumPy and for `keras.ops`."""

import numpy as np
from keras import ops

METHODS = ("zca", "pca", "cholesky")


def whitener(method, covariance, epsilon, xp):
    """`W` with `W (covariance + epsilon I) W^T = I`; `xp` is `numpy` or `keras.ops`."""
    covariance = covariance + epsilon * xp.eye(covariance.shape[0], dtype=covariance.dtype)
    if method == "cholesky":
        factor, one = xp.linalg.cholesky(covariance), xp.eye(covariance.shape[0])
        if xp is np:
            return np.linalg.inv(factor)
        # Half the time of an inverse, which XLA takes from a QR decomposition.
        return ops.linalg.solve_triangular(factor, ops.cast(one, factor.dtype), lower=True)
    if method == "zca":
        return _inverse_square_root(covariance) if xp is np else _differentiable(covariance)
    eigenvalues, vectors = xp.linalg.eigh(covariance)
    # An eigenvector's sign is arbitrary: its largest entry is made positive. Largest axis first.
    largest = xp.max(vectors, axis=0) >= xp.max(-vectors, axis=0)
    sign = xp.where(largest, xp.ones_like(eigenvalues), -xp.ones_like(eigenvalues))
    vectors = vectors * sign / xp.sqrt(eigenvalues)
    return xp.flip(xp.transpose(vectors), axis=0)


def _inverse_square_root(matrix):
    eigenvalues, vectors = np.linalg.eigh(matrix)
    return (vectors / np.sqrt(eigenvalues)) @ vectors.T


@ops.custom_gradient
def _differentiable(matrix):
    """`matrix^(-1/2)` with a gradient that stays finite where eigenvalues meet.

    For a function f of a symmetric matrix the derivative is, in the basis of eigenvectors, an
    elementwise product with the divided differences of f (Daleckii and Krein). For
    f(t) = t^(-1/2) they are -1 / (s_i s_j (s_i + s_j)) with s = sqrt(eigenvalue): nothing is
    divided by a difference, as the gradient through the eigenvectors would.
    """
    eigenvalues, vectors = ops.linalg.eigh(matrix)
    s = ops.sqrt(eigenvalues)
    to_basis = ops.transpose(vectors)
    root = ops.matmul(vectors / s, to_basis)
    row, column = ops.expand_dims(s, 0), ops.expand_dims(s, 1)
    divided = -1 / (row * column * (row + column))

    def gradient(*arguments, upstream=None):
        upstream = arguments[0] if upstream is None else upstream
        upstream = (upstream + ops.transpose(upstream)) / 2  # the matrix is symmetric
        inside = ops.matmul(ops.matmul(to_basis, upstream), vectors)
        return ops.matmul(ops.matmul(vectors, divided * inside), to_basis)

    return root, gradient
