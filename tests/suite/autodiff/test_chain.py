"""The cost of a gradient, C26 and C28, by counted multiplications."""

import itertools
import math

import numpy as np
import pytest

from suite.autodiff import (
    Counter,
    backward,
    constant,
    from_the_left,
    from_the_right,
    gradients,
    jacobian,
    jacobian_products,
    multilayer_perceptron,
    multiply,
    parameter,
    reverse_sweep,
    squared_error,
    tanh,
    total,
    without_reuse,
)
from suite.autodiff.counting import product, times

DEPTH, WIDTH = 8, 64


def chain(depth, width, outputs=1):
    rng = np.random.default_rng(0)
    row = rng.normal(size=(outputs, width))
    return row, [rng.normal(0, width**-0.5, (width, width)) for _ in range(depth)]


def cost(method, *arguments):
    with Counter() as counter:
        method(*arguments)
    return counter


def sweep_cost(depth, width, outputs=1):
    return cost(reverse_sweep, *chain(depth, width, outputs)).flops


def test_counts_follow_2mnk():
    with Counter() as outer:
        product(np.ones((2, 3)), np.ones((3, 5)))
        with Counter() as inner:
            product(np.ones((5, 4)), np.ones((4, 1)))
            times(np.ones((7, 1)), np.ones(2))
    product(np.ones((9, 9)), np.ones((9, 9)))  # after closing
    assert (inner.products, inner.flops, inner.elementwise) == ([(5, 4, 1)], 2 * 5 * 4 * 1, 14)
    assert outer.products == [(2, 3, 5), (5, 4, 1)]
    assert (outer.flops, outer.multiplications) == (2 * (30 + 20), 30 + 20 + 14)


def test_all_ways_give_the_same_rows():
    row, jacobians = chain(5, 6)
    expected = [row @ np.linalg.multi_dot([*jacobians[:k], np.eye(6)]) for k in range(1, 6)]
    for rows in (
        reverse_sweep(row, jacobians),
        without_reuse(row, jacobians, from_the_left),
        without_reuse(row, jacobians, from_the_right),
        jacobian_products(row, jacobians),
    ):
        np.testing.assert_allclose(rows, expected, rtol=1e-11, atol=1e-13)


def test_flops_of_the_ways():
    D2, D3 = 2 * WIDTH**2, 2 * WIDTH**3
    row, jacobians = chain(DEPTH, WIDTH)
    assert cost(reverse_sweep, row, jacobians).flops == DEPTH * D2 == 65_536
    assert cost(without_reuse, row, jacobians, from_the_left).flops == 36 * D2 == 294_912
    one = cost(multiply, [row, *jacobians], from_the_right(DEPTH + 1))
    assert one.flops == 7 * D3 + D2 == 3_678_208
    assert cost(jacobian_products, row, jacobians).flops == 7 * D3 + 8 * D2 == 3_735_552
    anew = cost(without_reuse, row, jacobians, from_the_right)
    assert anew.flops == 28 * D3 + 8 * D2 == 14_745_600


def test_the_lectures_cost_is_that_of_as_many_outputs_as_units():
    """(L - l) D^3 for each layer takes the row for a matrix, which it is for D outputs only."""
    rows, jacobians = chain(DEPTH, WIDTH, outputs=WIDTH)
    anew = cost(without_reuse, rows, jacobians, from_the_right)
    assert anew.flops == 36 * 2 * WIDTH**3 == 18_874_368
    assert sweep_cost(DEPTH, WIDTH, outputs=WIDTH) == DEPTH * 2 * WIDTH**3


def exponents(count, sizes=(8, 16, 32, 64)):
    """The exponent between neighboring sizes; powers of two, so that the logarithms are exact."""
    counts = [count(size) for size in sizes]
    return [math.log2(b / a) for a, b in itertools.pairwise(counts)]


def test_a_gradient_is_quadratic_in_the_width_and_linear_in_depth_and_outputs():
    assert exponents(lambda width: sweep_cost(5, width)) == [2, 2, 2]
    assert exponents(lambda depth: sweep_cost(depth, 6)) == [1, 1, 1]
    assert exponents(lambda outputs: sweep_cost(5, 6, outputs)) == [1, 1, 1]


def cubic_claim(width):
    """MUTANT (E11): the lecture's cost, products of Jacobian matrices."""
    counter = cost(jacobian_products, *chain(5, width))
    return sum(m * k * n for m, k, n in counter.products if m > 1)


def test_products_of_jacobians_are_cubic_and_so_fail_the_test_of_a_gradient():
    assert exponents(cubic_claim) == [3, 3, 3]


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_no_brackets_are_cheaper_than_rows_first(depth):
    def all_brackets(first, last):
        if first == last:
            yield first
        for cut in range(first, last):
            for left in all_brackets(first, cut):
                yield from ((left, right) for right in all_brackets(cut + 1, last))

    row, jacobians = chain(depth, 7)
    every = list(all_brackets(0, depth))
    assert len(every) == math.comb(2 * depth, depth) // (depth + 1)  # Catalan's number
    costs = [cost(multiply, [row, *jacobians], brackets).flops for brackets in every]
    assert min(costs) == costs[every.index(from_the_left(depth + 1))]
    assert costs.count(min(costs)) == 1
    assert max(costs) == costs[every.index(from_the_right(depth + 1))]


def perceptron(depth, width, batch):
    rng = np.random.default_rng(1)
    kernels = [parameter(rng.normal(0, width**-0.5, (width, width))) for _ in range(depth)]
    biases = [parameter(np.full(width, 0.1)) for _ in range(depth)]
    x, target = rng.normal(0.5, 1, (batch, width)), rng.normal(size=(batch, width))
    return kernels, biases, x, target


def network_costs(depth, width, batch, input_gradient=False):
    kernels, biases, x, target = perceptron(depth, width, batch)
    with Counter() as forward:
        x = parameter(x) if input_gradient else constant(x)
        loss = squared_error(multilayer_perceptron(x, kernels, biases)[-1], target)
    with Counter() as back:
        gradients(loss, kernels)
    return forward, back


def test_backward_costs_twice_forward_less_the_unneeded_gradient_of_the_input():
    depth, width, batch = 4, 6, 5
    forward, back = network_costs(depth, width, batch)
    assert forward.flops == 2 * depth * batch * width**2
    assert back.flops == (2 - 1 / depth) * forward.flops
    forward, back = network_costs(depth, width, batch, input_gradient=True)
    assert back.flops == 2 * forward.flops


def test_the_whole_backward_pass_is_quadratic_and_linear():
    def flops(depth=3, width=4, batch=5):
        return network_costs(depth, width, batch, input_gradient=True)[1].flops

    assert exponents(lambda width: flops(width=width)) == [2, 2, 2]
    assert exponents(lambda batch: flops(batch=batch)) == [1, 1, 1]
    assert exponents(lambda depth: flops(depth=depth)) == [1, 1, 1]


def test_elementwise_work_by_hand():
    x = parameter(np.ones((2, 3)))
    with Counter() as counter:
        loss = total(tanh(x) * 2.0)  # 6
        list(backward(loss))  # times 2: 6; the slope of tanh: 6 and 6
    assert (counter.elementwise, counter.products) == (24, [])


def test_the_row_times_the_layers_jacobians_is_the_reverse_sweep():
    """C24, on the graph: the Jacobians of whole layers against the deltas of the sweep."""
    kernels, biases, x, target = perceptron(4, 5, 1)
    h = [parameter(x[0], "x")]
    h += multilayer_perceptron(h[0], kernels, biases)
    loss = squared_error(h[-1], target[0])
    deltas = {step.node: step.delta for step in backward(loss)}
    jacobians = [jacobian(h[layer], h[layer - 1]) for layer in range(4, 0, -1)]
    rows = reverse_sweep(deltas[h[-1]][None], jacobians)
    for row, node in zip(rows, h[-2::-1], strict=True):
        np.testing.assert_allclose(row[0], deltas[node], rtol=1e-13, atol=1e-15)


def test_errors():
    row, jacobians = chain(2, 3)
    for brackets in [(0, 1), ((0, 2), 1), ((0, 1), 1)]:
        with pytest.raises(ValueError, match="brackets must hold the positions 0 to 2 in order"):
            multiply([row, *jacobians], brackets)
    with pytest.raises(ValueError, match=r"received shapes \(1, 3\) and \(4, 3\)"):
        reverse_sweep(row, [np.ones((4, 3))])
    with pytest.raises(ValueError, match=r"takes matrices .* received shapes \(3,\) and \(3, 3\)"):
        reverse_sweep(row[0], jacobians)
