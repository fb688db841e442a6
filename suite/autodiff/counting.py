"""Counting multiplications: what an algorithm costs, apart from the machine that runs it.

Claims C26 and C28. Timings show caches and libraries as well; exponents are read from counts.
"""

from contextvars import ContextVar

import numpy as np

_open: ContextVar[tuple["Counter", ...]] = ContextVar("open counters", default=())


class Counter:
    """Counts the multiplications made while it is open.

        (m, k) @ (k, n)             costs  m k n  multiplications, and as many additions
        a * b, entry by entry       costs  one multiplication an entry

    Slopes of activations are included, transcendental functions, divisions, comparisons and
    changes of sign are not. Counters nest: an outer one counts what an inner one counts.

    Attributes:
        products: the sizes `(m, k, n)` of the matrix products, in the order they were made.
        elementwise: multiplications entry by entry.

    Example:
        >>> with Counter() as counter:
        ...     y = product(np.ones((2, 3)), np.ones((3, 5)))
        >>> counter.products, counter.multiplications, counter.flops
        ([(2, 3, 5)], 30, 60)
    """

    def __init__(self) -> None:
        self.products: list[tuple[int, int, int]] = []
        self.elementwise = 0

    @property
    def in_products(self) -> int:
        """Multiplications inside matrix products, the sum of `m k n`."""
        return sum(m * k * n for m, k, n in self.products)

    @property
    def multiplications(self) -> int:
        """All of them."""
        return self.in_products + self.elementwise

    @property
    def flops(self) -> int:
        """Operations of the matrix products by the usual convention `2 m k n`."""
        return 2 * self.in_products

    def __enter__(self) -> "Counter":
        self._token = _open.set((*_open.get(), self))
        return self

    def __exit__(self, *exception) -> None:
        _open.reset(self._token)


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The matrix product `a @ b`, reported to the open counters.

    Args:
        a: shape `(m, k)`.
        b: shape `(k, n)`.

    Raises:
        ValueError: not two matrices, or their inner sizes differ.
    """
    if np.ndim(a) != 2 or np.ndim(b) != 2 or np.shape(a)[1] != np.shape(b)[0]:
        raise ValueError(
            "a product takes matrices (m, k) and (k, n), "
            f"received shapes {np.shape(a)} and {np.shape(b)}"
        )
    (m, k), n = np.shape(a), np.shape(b)[1]
    for counter in _open.get():
        counter.products.append((m, k, n))
    with np.errstate(over="ignore", invalid="ignore"):  # the node refuses what is not finite
        return np.asarray(a) @ np.asarray(b)


def times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product `a * b` entry by entry, broadcast, reported to the open counters."""
    with np.errstate(over="ignore", invalid="ignore"):
        result = np.asarray(a * b)
    for counter in _open.get():
        counter.elementwise += result.size
    return result
