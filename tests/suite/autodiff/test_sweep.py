"""In order: the worked example by hand, finite differences, a reused node, edges and errors."""

import numpy as np
import pytest

from suite.autodiff import (
    backward,
    constant,
    contributions,
    gradients,
    jacobian,
    parameter,
    sigmoid,
    squared_error,
    tanh,
    total,
    worked_example,
)

UNITS, FEATURES = 3, 2


def worked_leaves(seed=0):
    rng = np.random.default_rng(seed)
    W = parameter(rng.normal(0.3, 1, (UNITS, FEATURES)), "W")
    x = constant(rng.normal(0.5, 1, FEATURES), "x")
    return W, x, parameter(rng.normal(size=UNITS), "b"), parameter(rng.normal(size=UNITS), "w")


def test_the_worked_example_by_hand():
    """All numbers are exact: the sigmoid is taken at 0, where it is 1/2 with slope 1/4."""
    W = parameter([[1.0, 2.0], [3.0, 0.0], [0.0, -2.0]], "W")
    x, b = constant([2.0, -1.0], "x"), parameter([0.0, -6.0, -2.0], "b")
    w = parameter([4.0, -8.0, 2.0], "w")
    steps = {s.node.name: s for s in backward(squared_error(worked_example(W, x, b, w), -4.0))}
    expected = {
        "z4": 3.0,  # z4 = 2 - 4 + 1 = -1, and the error is z4 + 4
        "z3": [12.0, -24.0, 6.0],  # 3 w
        "z2": [3.0, -6.0, 1.5],  # times 1/4
        "z1": [3.0, -6.0, 1.5],
        "b": [3.0, -6.0, 1.5],
        "w": [1.5, 1.5, 1.5],  # 3 z3
        "W": [[6.0, -3.0], [-12.0, 6.0], [3.0, -1.5]],  # outer product with x
    }
    for name, delta in expected.items():
        np.testing.assert_array_equal(steps[name].delta, delta)
    assert "x" not in steps
    assert list(steps)[:5] == ["squared_error", "z4", "z3", "z2", "b"]
    local = {parent.name: value for parent, value in steps["z3"].jacobians()}
    np.testing.assert_array_equal(local["z2"], np.eye(3) / 4)
    ((parent, tensor),) = steps["z1"].jacobians()
    assert parent is W
    assert tensor.shape == (3, 3, 2)
    assert np.count_nonzero(tensor) == 3 * 2  # C24: of 3 x (3 x 2) entries


@pytest.mark.parametrize("seed", range(20))
def test_every_delta_is_the_row_before_it_times_the_local_jacobian(seed):
    W, x, b, w = worked_leaves(seed)
    steps = list(backward(squared_error(worked_example(W, x, b, w), 0.7)))
    deltas = {step.node: step.delta for step in steps}
    for step in steps:
        for parent, local in step.jacobians():  # here every node is used once
            product = np.tensordot(step.delta, local, step.delta.ndim)
            np.testing.assert_allclose(product, deltas[parent], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("seed", range(3))
def test_the_worked_example_against_finite_differences(seed, match_differences):
    W, x, b, w = worked_leaves(seed)
    values = [node.value for node in (W, b, w)]
    match_differences(lambda W, b, w: squared_error(worked_example(W, x, b, w), 0.7), values)


def reused(x, y):
    """Uses `h` three times, on paths of different lengths, and `x` twice."""
    h = tanh(x * y).named("h")
    return total(h * sigmoid(h + x) - y @ h * 0.3)


REUSED_AT = [np.array([0.4, -0.9, 1.3]), np.array([1.1, 0.6, -0.2])]


def test_gradients_of_a_reused_node_add(match_differences):
    match_differences(reused, REUSED_AT)


def sweep_that_overwrites(loss, nodes):
    """MUTANT: the last use of a node replaces what the uses before it sent."""
    deltas = {loss: np.ones(())}
    for step in backward(loss):  # visits the nodes in the right order
        for edge in step.node.edges:
            deltas[edge.parent] = step.node.pull_back(edge, deltas[step.node])
    return [deltas[node] for node in nodes]


def test_a_sweep_that_overwrites_is_caught(match_differences):
    def straight(x, y):
        return total(tanh(x * y))

    match_differences(straight, REUSED_AT, sweep_that_overwrites)
    with pytest.raises(AssertionError):
        match_differences(reused, REUSED_AT, sweep_that_overwrites)


def test_a_node_used_twice_by_one_operation():
    x = parameter([3.0, -2.0], "x")
    assert gradients(x @ x, [x])[0].tolist() == [6.0, -4.0]
    assert [gradient.tolist() for _, gradient in contributions(x @ x, x)] == [[3, -2], [3, -2]]


def test_jacobians_are_in_numerator_layout():
    """C06: d(W x)/dx = W and d(x W)/dx = W^T, for rectangles."""
    rng = np.random.default_rng(2)
    W, x, y = rng.normal(size=(3, 4)), parameter(rng.normal(size=4)), parameter(rng.normal(size=3))
    np.testing.assert_array_equal(jacobian(W @ x, x), W)
    np.testing.assert_array_equal(jacobian(y @ W, y), W.T)


def test_jacobians_of_composed_maps_multiply_with_the_outer_one_on_the_left():
    rng = np.random.default_rng(3)
    x = parameter(rng.normal(size=4))
    inner = tanh(rng.normal(size=(3, 4)) @ x)
    outer = sigmoid(rng.normal(size=(3, 3)) @ inner)
    product = jacobian(outer, inner) @ jacobian(inner, x)
    np.testing.assert_allclose(jacobian(outer, x), product, rtol=1e-13)
    with pytest.raises(ValueError, match="matmul"):
        jacobian(inner, x) @ jacobian(outer, inner)


def test_a_row_may_start_the_sweep():
    W, x, b, _ = worked_leaves()
    z = sigmoid(W @ x + b)
    row = np.array([0.5, -2.0, 1.0])
    (delta,) = (step.delta for step in backward(z, row) if step.node is b)
    np.testing.assert_allclose(delta, row @ jacobian(z, b), rtol=1e-15)


def test_a_node_that_the_loss_does_not_use_has_gradient_zero():
    x, idle = parameter([1.0, 2.0]), parameter(np.ones((3, 2)))
    np.testing.assert_array_equal(gradients(total(x), [idle])[0], np.zeros((3, 2)))
    np.testing.assert_array_equal(jacobian(x * 2.0, idle), np.zeros((2, 3, 2)))


def test_graphs_may_be_deeper_than_the_stack():
    x = parameter(1.0, "x")
    y = x
    for _ in range(3000):
        y = y + 1.0
    assert gradients(y, [x])[0] == 1


def test_errors():
    x, data = parameter([1.0, 2.0], "x"), constant([1.0, 2.0], "data")
    with pytest.raises(ValueError, match=r"starts from a scalar, received 'x' of shape \(2,\)"):
        backward(x)
    with pytest.raises(ValueError, match=r"delta must have shape \(2,\), received \(3,\)"):
        backward(x, np.ones(3))
    with pytest.raises(ValueError, match=r"delta must be finite, received nan at \(1,\)"):
        backward(x, [0.0, np.nan])
    with pytest.raises(ValueError, match="'total' depends on no parameter"):
        backward(total(data))
    for function in (lambda: gradients(total(x), [data]), lambda: contributions(total(x), data)):
        with pytest.raises(ValueError, match="'data' is a constant: it has no gradient"):
            function()
    with pytest.raises(ValueError, match="'data' is a constant"):
        jacobian(x, data)


def test_a_gradient_that_overflows_is_refused():
    x = parameter(1e-200, "x")
    y = (x * 1e200) * 1e200
    with pytest.raises(ValueError, match="gradient from multiply must be finite, received inf"):
        gradients(y, [x])
