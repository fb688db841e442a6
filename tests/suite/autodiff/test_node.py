"""In order: by hand, finite differences on rectangles, a wrong transposition, edges and errors."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from suite import autodiff
from suite.autodiff import Edge, Node, constant, gradients, parameter, tanh, total
from suite.autodiff.node import as_node


def test_the_package_needs_numpy_alone():
    for path in Path(autodiff.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= {"numpy", "math"}
            elif isinstance(node, ast.ImportFrom):
                top = node.module.split(".")[0]
                assert top == "suite" or top in sys.stdlib_module_names


def test_arithmetic_by_hand():
    a, b = parameter([[1.0, 2.0, 3.0]], "a"), parameter([[10.0], [20.0]], "b")
    y = 2 * a * b - (1.0 - a) + [[5.0, 0.0, 0.0]]
    assert y.value.tolist() == [[25.0, 41.0, 62.0], [45.0, 81.0, 122.0]]
    da, db = gradients(total(y), [a, b])
    assert da.tolist() == [[62.0, 62.0, 62.0]]  # 2 (10 + 20) + 2 rows
    assert db.tolist() == [[12.0], [12.0]]  # 2 (1 + 2 + 3)


@pytest.mark.parametrize("shapes", [((3, 4), (4, 5)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (4,))])
def test_products_against_finite_differences(shapes, match_differences):
    rng = np.random.default_rng(0)
    values = [rng.normal(0.4, 1, shape) for shape in shapes]
    match_differences(lambda a, b: total(tanh(a @ b)), values)


@pytest.mark.parametrize("shapes", [((3, 4), (4,)), ((3, 1), (2, 1, 4)), ((), (3, 2)), ((5,), ())])
def test_broadcasting_against_finite_differences(shapes, match_differences):
    rng = np.random.default_rng(1)
    values = [rng.normal(0.4, 1, shape) for shape in shapes]
    match_differences(lambda a, b: total(tanh(a * b - b + a * 2.0)), values)


def wrongly_transposed(a, b):
    """MUTANT: `delta b` and `a delta` in place of `delta b^T` and `a^T delta`."""
    left = Edge(a, lambda delta, b: (delta @ b).reshape(a.shape), needs=(b,))
    right = Edge(b, lambda delta, a: (a @ delta).reshape(b.shape), needs=(a,))
    return Node(a.value @ b.value, (left, right))


def test_a_wrong_transposition_hides_in_symmetric_squares_and_shows_in_rectangles(
    match_differences,
):
    rng = np.random.default_rng(2)
    symmetric = [np.array([[2.0, 1.0], [1.0, 2.0]]), np.eye(2)]
    match_differences(lambda a, b: total(tanh(wrongly_transposed(a, b))), symmetric)
    rectangles = [rng.normal(size=(3, 4)), rng.normal(size=(4, 5))]
    with pytest.raises((AssertionError, ValueError)):
        match_differences(lambda a, b: total(tanh(wrongly_transposed(a, b))), rectangles)


def test_constants_get_no_gradient_and_no_work():
    x, w = constant([1.0, 2.0], "x"), parameter([3.0, 4.0], "w")
    assert not (x * x).needs_gradient
    assert (x * w).needs_gradient


def test_a_node_keeps_its_own_copy():
    """The graph would be out of date if its numbers could change."""
    numbers = np.array([1.0, 2.0])
    x = parameter(numbers)
    numbers[0] = 7.0
    assert x.value.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        x.value[0] = 7.0


def test_a_cycle_cannot_be_made():
    x = parameter(1.0)
    y = x + 1.0
    assert isinstance(y.edges, tuple)
    with pytest.raises(AttributeError):
        y.edges[0].parent = y


def test_numbers_of_any_type_become_float64():
    for value in (True, 3, np.float32(0.5), np.arange(3, dtype="uint8")):
        assert parameter(value).value.dtype == np.float64
    node = parameter(1.0)
    assert as_node(node) is node


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0, np.nan], r"w must be finite, received nan at \(1,\)"),
        (-np.inf, r"w must be finite, received -inf at \(\)"),
        (np.zeros((0, 3)), r"w must not be empty, received shape \(0, 3\)"),
        ("weights", "w must be an array of numbers, received dtype <U7"),
        (None, "w must be an array of numbers, received dtype object"),
        (1j, "w must be an array of numbers, received dtype complex128"),
    ],
)
def test_refuses_values(value, message):
    with pytest.raises(ValueError, match=message):
        parameter(value, "w")


def test_shapes_that_do_not_fit():
    W, x = parameter(np.ones((3, 4)), "W"), parameter(np.ones(3), "x")
    with pytest.raises(ValueError, match=r"W @ x: shapes \(3, 4\) and \(3,\) do not fit"):
        W @ x
    with pytest.raises(ValueError, match=r"W \+ x: shapes \(3, 4\) and \(3,\) do not fit"):
        W + x
    with pytest.raises(ValueError, match=r"W \* x: shapes"):
        W * x
    with pytest.raises(ValueError, match=r"constant @ W: shapes \(\) and \(3, 4\) do not fit"):
        2.0 @ W
    with pytest.raises(ValueError, match=r"constant @ x: shapes \(2, 5, 3\) and \(3,\)"):
        np.ones((2, 5, 3)) @ x


@pytest.mark.parametrize("operation", ["add", "multiply", "matmul"])
def test_overflow_is_refused(operation):
    x = parameter([1e308], "x")
    with pytest.raises(ValueError, match=rf"{operation} must be finite, received inf"):
        {"add": lambda: x + x, "multiply": lambda: x * x, "matmul": lambda: x @ x}[operation]()
