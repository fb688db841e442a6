"""What is stored for the backward pass, C29 and C30, and checkpointing."""

from functools import partial

import numpy as np
import pytest

from suite.autodiff import (
    Counter,
    checkpointed_gradients,
    constant,
    correlate2d,
    gradients,
    multilayer_perceptron,
    parameter,
    relu,
    softmax_cross_entropy,
    squared_error,
    stored_activations,
    tanh,
    total,
)

BATCH, WIDTH = 3, 4


def layer(kernel, bias, h):
    return tanh(h @ kernel + bias)


def network(depth, batch=BATCH, width=WIDTH):
    rng = np.random.default_rng(0)
    kernels = [parameter(rng.normal(0, width**-0.5, (width, width))) for _ in range(depth)]
    biases = [parameter(rng.normal(size=width)) for _ in range(depth)]
    layers = [partial(layer, *pair) for pair in zip(kernels, biases, strict=True)]
    x, target = rng.normal(0.5, 1, (batch, width)), rng.normal(size=(batch, width))
    return layers, x, lambda y: squared_error(y, target), kernels + biases


def apply(layers, x):
    h = constant(x)
    for function in layers:
        h = function(h)
    return h


@pytest.mark.parametrize("depth", [16, 64, 256])
def test_the_plain_sweep_stores_every_layer(depth):
    layers, x, loss, _ = network(depth)
    stored = stored_activations(loss(apply(layers, x)))
    assert len(stored) == depth
    assert {node.value.nbytes for node in stored} == {8 * BATCH * WIDTH}


@pytest.mark.parametrize(("depth", "every"), [(16, 4), (64, 8), (256, 16), (7, 3), (5, 1), (5, 5)])
def test_checkpointing_changes_no_bit_and_stores_less(depth, every):
    layers, x, loss, parameters = network(depth)
    plain = loss(apply(layers, x))
    found = checkpointed_gradients(layers, x, loss, parameters, every)
    assert found.loss == float(plain.value)
    for ours, reference in zip(found.gradients, gradients(plain, parameters), strict=True):
        np.testing.assert_array_equal(ours, reference)
    if depth % every == 0:
        assert found.peak_arrays == depth // every - 1 + every
    assert found.peak_bytes == 8 * BATCH * WIDTH * found.peak_arrays
    assert found.layer_evaluations == 2 * depth


def test_the_square_root_of_the_depth_stores_least():
    layers, x, loss, parameters = network(64)
    peaks = {
        every: checkpointed_gradients(layers, x, loss, parameters, every).peak_arrays
        for every in (1, 2, 4, 8, 16, 32, 64)
    }
    assert min(peaks, key=peaks.get) == 8
    assert peaks == {1: 64, 2: 33, 4: 19, 8: 15, 16: 19, 32: 33, 64: 64}


def test_checkpointing_costs_one_more_forward_pass():
    layers, x, loss, parameters = network(9)
    with Counter() as forward:
        output = apply(layers, x)
    with Counter() as back:
        gradients(loss(output), parameters)
    with Counter() as checkpointed:
        checkpointed_gradients(layers, x, loss, parameters, 3)
    # Besides, the input's gradient of every segment but the first is needed anyway; of the first
    # it is not, but it is computed: one product.
    extra = BATCH * WIDTH**2
    assert checkpointed.in_products == 2 * forward.in_products + back.in_products + extra


def test_checkpointing_with_tied_weights_and_a_loss_with_parameters():
    rng = np.random.default_rng(1)
    W, w, idle = (parameter(rng.normal(size=shape)) for shape in ((4, 4), 4, 2))
    layers, x = [lambda h: tanh(h @ W)] * 12, rng.normal(size=(BATCH, 4))

    def loss(y):
        return squared_error(y @ w + total(W), np.ones(BATCH))

    found = checkpointed_gradients(layers, x, loss, [W, w, idle], 4)
    plain = gradients(loss(apply(layers, x)), [W, w, idle])
    for ours, reference in zip(found.gradients, plain, strict=True):
        np.testing.assert_array_equal(ours, reference)


def names(nodes):
    return [node.name for node in nodes]


def classifier():
    rng = np.random.default_rng(2)
    kernels = [parameter(rng.normal(size=shape)) for shape in ((5, 4), (4, 3), (3, 2))]
    biases = [parameter(rng.normal(size=size)) for size in (4, 3, 2)]
    x, labels = rng.normal(size=(BATCH, 5)), np.eye(2)[[0, 1, 1]]
    outputs = multilayer_perceptron(constant(x, "x"), kernels, biases)
    return softmax_cross_entropy(outputs[-1], labels), kernels + biases


def behind(output):
    nodes, to_visit = {}, [output]
    while to_visit:
        node = to_visit.pop()
        nodes[node] = None
        to_visit += [edge.parent for edge in node.edges]
    return list(nodes)


def test_what_is_not_stored_may_be_dropped():
    loss, parameters = classifier()
    expected = gradients(loss, parameters)
    stored = stored_activations(loss)
    assert names(stored) == ["h1", "h2", "h3"]
    dropped = [node for node in behind(loss) if node.edges and node not in stored]
    assert {"product1", "z1", "z2", "softmax_cross_entropy"} <= set(names(dropped))
    for node in dropped:
        node.drop()
    for ours, reference in zip(gradients(loss, parameters), expected, strict=True):
        np.testing.assert_array_equal(ours, reference)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_gradient_without_a_stored_activation_is_refused(which):
    loss, parameters = classifier()
    node = stored_activations(loss)[which]
    node.drop()
    with pytest.raises(ValueError, match=f"the value of '{node.name}' is needed, but it was dropp"):
        gradients(loss, parameters)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_gradient_with_zeros_for_a_stored_activation_is_another_one(which):
    loss, parameters = classifier()
    expected = gradients(loss, parameters)
    node = stored_activations(loss)[which]
    node._value = np.zeros(node.shape)  # MUTANT: forgets, and goes on
    wrong = gradients(loss, parameters)
    differences = [np.abs(a - b).max() for a, b in zip(wrong, expected, strict=True)]
    assert max(differences) > 1e-3 * max(np.abs(gradient).max() for gradient in expected)


def test_a_convolution_stores_its_patches():
    """As many times the image as the window has places: the price of one matrix product."""
    x, kernel = constant(np.ones((2, 5, 6, 3))), parameter(np.ones((2, 3, 3, 4)))
    (patches,) = stored_activations(total(correlate2d(x, kernel)))
    assert patches.shape == (2 * 4 * 4, 2 * 3 * 3)


def test_sums_store_nothing_and_relu_its_output():
    x = parameter([1.0, -2.0])
    assert stored_activations(total(x + 3.0)) == []
    assert names(stored_activations(total(relu(x + 3.0)).named("loss"))) == ["relu"]


def memory(strategy, examples, depth, width):
    """Bytes of activations and of gradients that are held together, by strategy (C30, E12)."""
    layers, x, _, parameters = network(depth, examples, width)
    weights = sum(node.value.nbytes for node in parameters)

    def activations(rows):
        return sum(node.value.nbytes for node in stored_activations(total(apply(layers, rows))))

    return {
        "loop": weights + max(activations(row[None]) for row in x),
        "batch": weights + activations(x),
        # What a gradient for each example costs, as the lecture's table has it.
        "stacked": examples * weights + activations(x),
    }[strategy]


@pytest.mark.parametrize("depth", [2, 5])
def test_memory_for_each_further_example(depth):
    def slope(strategy, width):
        more, fewer = (memory(strategy, examples, depth, width) for examples in (9, 4))
        return (more - fewer) / 5

    for width in (4, 8):
        assert slope("loop", width) == 0
        assert slope("batch", width) == 8 * depth * width
        assert slope("stacked", width) == 8 * depth * (width**2 + 2 * width)


def test_errors():
    layers, x, loss, parameters = network(4)
    with pytest.raises(ValueError, match="every must be at most the depth 4, received 5"):
        checkpointed_gradients(layers, x, loss, parameters, 5)
    with pytest.raises(ValueError, match="every must be a positive integer, received 0"):
        checkpointed_gradients(layers, x, loss, parameters, 0)
    with pytest.raises(ValueError, match="at least one layer, received none"):
        checkpointed_gradients([], x, loss, parameters, 1)
    with pytest.raises(ValueError, match="'constant' is a constant"):
        checkpointed_gradients(layers, x, loss, [constant(1.0)], 2)
