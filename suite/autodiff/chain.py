"""In which order to multiply a chain of Jacobians: the reason why backpropagation is cheap.

Lecture section "Gradients of deep networks", claims C24, C26 and C28. For layers `h_l = f_l(h_l-1)`
of width `D` and the loss's row `r = d loss / d h_L` the chain rule is one product,

    d loss / d h_l = r J_L J_L-1 ... J_l+1          J_l = d h_l / d h_l-1,  D x D

and a product may be bracketed at will. Multiplications for the gradients of `h_0 ... h_L-1`:

    reverse_sweep                  from the left, each row made from the last      L D^2
    without_reuse, from the left   each row anew                          L (L+1)/2 D^2
    jacobian_products              matrices first, each made from the last
                                                             (L-1) D^3    +       L D^2
    without_reuse, from the right  matrices first, each anew
                                                     L (L-1)/2 D^3        +       L D^2

The lecture charges `D^3` a layer, which only a product of matrices costs: a row (one output)
times a matrix costs `D^2`. With `outputs` rows in place of one, `L D^2` grows by that factor.
"""

from collections.abc import Callable, Sequence

import numpy as np

from suite.autodiff.counting import product

Brackets = int | tuple["Brackets", "Brackets"]


def from_the_left(factors: int) -> Brackets:
    """The brackets `((0 1) 2) 3 ...`: rows first.

    Example:
        >>> from_the_left(4)
        (((0, 1), 2), 3)
    """
    brackets: Brackets = 0
    for i in range(1, factors):
        brackets = (brackets, i)
    return brackets


def from_the_right(factors: int) -> Brackets:
    """The brackets `0 (1 (2 3))`: Jacobian matrices first, as in forward mode.

    Example:
        >>> from_the_right(4)
        (0, (1, (2, 3)))
    """
    brackets: Brackets = factors - 1
    for i in range(factors - 2, -1, -1):
        brackets = (i, brackets)
    return brackets


def multiply(factors: Sequence[np.ndarray], brackets: Brackets) -> np.ndarray:
    """The product of matrices in the order that the brackets say; its cost is counted.

    Args:
        factors: matrices whose sizes fit, such as the row and the Jacobians from `J_L` to `J_1`.
        brackets: nested pairs of positions, each once and in order, such as `((0, 1), 2)`.

    Raises:
        ValueError: positions are missing, repeated or out of order, or sizes do not fit.

    Example:
        >>> from suite.autodiff import Counter
        >>> factors = [np.ones((1, 9)), np.ones((9, 9)), np.ones((9, 9))]
        >>> for brackets in (from_the_left(3), from_the_right(3)):
        ...     with Counter() as counter:
        ...         y = multiply(factors, brackets)
        ...     print(brackets, counter.multiplications)
        ((0, 1), 2) 162
        (0, (1, 2)) 810
    """
    if _positions(brackets) != list(range(len(factors))):
        raise ValueError(
            f"brackets must hold the positions 0 to {len(factors) - 1} in order, "
            f"received {brackets}"
        )
    return _evaluate(factors, brackets)


def _positions(brackets):
    if isinstance(brackets, tuple):
        return [position for side in brackets for position in _positions(side)]
    return [brackets]


def _evaluate(factors, brackets):
    if isinstance(brackets, tuple):
        left, right = brackets
        return product(_evaluate(factors, left), _evaluate(factors, right))
    return factors[brackets]


def reverse_sweep(row: np.ndarray, jacobians: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The rows `d loss / d h_l` for `l = L-1 ... 0`, each from the one before: backpropagation.

    Args:
        row: `d loss / d h_L`, shape `(1, D_L)`; `(outputs, D_L)` for several outputs.
        jacobians: `J_L, ..., J_1`, the one next to the loss first, `J_l` of shape `(D_l, D_l-1)`.
    """
    rows = [row]
    for jacobian in jacobians:
        rows.append(product(rows[-1], jacobian))
    return rows[1:]


def without_reuse(
    row: np.ndarray, jacobians: Sequence[np.ndarray], order: Callable[[int], Brackets]
) -> list[np.ndarray]:
    """The same rows, every one computed from scratch in the given order.

    Args:
        row: as for `reverse_sweep`.
        jacobians: as for `reverse_sweep`.
        order: `from_the_left` or `from_the_right`.
    """
    return [
        multiply([row, *jacobians[:count]], order(count + 1))
        for count in range(1, len(jacobians) + 1)
    ]


def jacobian_products(row: np.ndarray, jacobians: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The same rows by way of the matrices `d h_L / d h_l`: the lecture's cost, `D^3` a layer."""
    products = [jacobians[0]]
    for jacobian in jacobians[1:]:
        products.append(product(products[-1], jacobian))
    return [product(row, matrix) for matrix in products]
