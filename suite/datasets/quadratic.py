"""A quadratic bowl with a chosen condition number: the test bench of every optimizer.

Lecture sections "Gradient-based learning" and "Stochastic gradient descent" (C33). Near a minimum
every smooth loss looks like this one, and here all that theory promises is known exactly.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Quadratic:
    """`L(w) = (w - w*)^T A (w - w*) / 2`, with eigenvalues of `A` from `1 / kappa` to 1.

    The eigenvalues are spaced evenly on a logarithmic scale, the eigenvectors are a random
    rotation and the minimizer `w*` is standard normal, both drawn from `seed`. Everything is
    float64. Two problems with the same arguments are the same problem.

    Args:
        dimension: length of `w`, at least 1.
        condition_number: `kappa`, the ratio of the extreme eigenvalues, at least 1; it must be 1
            if `dimension` is.
        seed: of the rotation and the minimizer.

    Example:
        >>> problem = Quadratic(dimension=5, condition_number=100)
        >>> float(problem.loss(problem.minimizer))
        0.0
    """

    dimension: int
    condition_number: float
    seed: int = 0

    def __post_init__(self):
        if self.dimension < 1:
            raise ValueError(f"dimension must be at least 1, received {self.dimension}")
        if not 1 <= self.condition_number < np.inf:
            raise ValueError(
                f"condition_number must be finite and at least 1, received {self.condition_number}"
            )
        if self.dimension == 1 and self.condition_number != 1:
            raise ValueError(
                "condition_number must be 1 in dimension 1, where there is one eigenvalue, "
                f"received {self.condition_number}"
            )

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue, `mu`."""
        return 1 / self.condition_number

    @property
    def largest(self) -> float:
        """The largest eigenvalue, `beta`."""
        return 1.0

    @cached_property
    def eigenvalues(self) -> np.ndarray:
        """Ascending, shape `(dimension,)`."""
        return np.geomspace(self.smallest, self.largest, self.dimension)

    @cached_property
    def matrix(self) -> np.ndarray:
        """The Hessian `A`, symmetric, shape `(dimension, dimension)`."""
        gaussian = np.random.default_rng([self.seed, 0]).normal(size=2 * (self.dimension,))
        q, r = np.linalg.qr(gaussian)
        q *= np.sign(np.diag(r))  # makes the rotation uniform (Mezzadri 2007)
        a = (q * self.eigenvalues) @ q.T
        return (a + a.T) / 2  # symmetric to the last bit

    @cached_property
    def minimizer(self) -> np.ndarray:
        """`w*`, shape `(dimension,)`."""
        return np.random.default_rng([self.seed, 1]).normal(size=self.dimension)

    def loss(self, w):
        """`L(w)`, for `w` of shape `(..., dimension)`; the result has shape `(...)`."""
        error = np.asarray(w) - self.minimizer
        return ((error @ self.matrix) * error).sum(axis=-1) / 2

    def gradient(self, w):
        """`A (w - w*)`, for `w` of shape `(..., dimension)`; the result has the same shape."""
        return (np.asarray(w) - self.minimizer) @ self.matrix

    def best_gradient_descent(self) -> float:
        """The learning rate `2 / (mu + beta)`; the error shrinks by (kappa - 1) / (kappa + 1)."""
        return 2 / (self.smallest + self.largest)

    def best_heavy_ball(self) -> tuple[float, float]:
        """Polyak's learning rate and momentum, for `v <- momentum v - learning_rate g; w <- w + v`.

            learning_rate = 4 / (sqrt(beta) + sqrt(mu))^2
            momentum = ((sqrt(kappa) - 1) / (sqrt(kappa) + 1))^2

        The error finally shrinks by `sqrt(momentum)` a step. Polyak 1964.
        """
        root = np.sqrt(self.condition_number)
        learning_rate = 4 / (np.sqrt(self.largest) + np.sqrt(self.smallest)) ** 2
        return float(learning_rate), float(((root - 1) / (root + 1)) ** 2)
