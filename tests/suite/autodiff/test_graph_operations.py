"""Operations and losses: by hand, finite differences, theory, errors."""

import numpy as np
import pytest
from scipy.signal import correlate
from scipy.special import expit, logsumexp

from suite.autodiff import (
    concatenate,
    constant,
    correlate2d,
    gradients,
    parameter,
    part,
    relu,
    reshape,
    sigmoid,
    softmax_cross_entropy,
    squared_error,
    tanh,
    total,
)

X = np.random.default_rng(0).normal(0.4, 1.2, (3, 4))


def test_values():
    np.testing.assert_allclose(sigmoid(constant(X)).value, expit(X), rtol=1e-15)
    np.testing.assert_array_equal(tanh(constant(X)).value, np.tanh(X))
    np.testing.assert_array_equal(relu(constant(X)).value, np.where(X > 0, X, 0))


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: total(sigmoid(x) * sigmoid(x)),
        lambda x: total(tanh(x) * sigmoid(x)),
        lambda x: total(relu(x) * tanh(x)),
        lambda x: total(tanh(reshape(x, (2, 6)) @ np.arange(6.0))),
        lambda x: total(
            sigmoid(part(x, slice(1, 3), slice(0, 2)) * part(x, slice(0, 2), slice(2)))
        ),
        lambda x: total(sigmoid(concatenate([x, tanh(x)], axis=1) @ np.arange(-4.0, 4.0))),
        lambda x: total(sigmoid(np.arange(-3.0, 4.0) @ concatenate([x, [[1.0] * 4], x], axis=0))),
        lambda x: squared_error(tanh(x), X[::-1] + 0.3),
        lambda x: softmax_cross_entropy(x, np.eye(4)[[2, 0, 3]] * 0.7 + 0.3 / 4),
        lambda x: softmax_cross_entropy(total(x) * [0.1, -0.2, 0.3], [0.0, 0.0, 1.0]),
    ],
)
def test_gradients_equal_finite_differences(loss, match_differences):
    match_differences(loss, [X])


def test_slopes_far_from_zero_are_finite():
    x = parameter([-800.0, 800.0])
    assert sigmoid(x).value.tolist() == [0.0, 1.0]
    assert gradients(total(sigmoid(x)), [x])[0].tolist() == [0.0, 0.0]


def test_the_slope_of_relu_at_its_kink_is_zero():
    x = parameter([-1.0, 0.0, 2.0])
    assert gradients(total(relu(x)), [x])[0].tolist() == [0.0, 0.0, 1.0]


def test_a_convolution_against_scipy_with_an_asymmetric_kernel():
    rng = np.random.default_rng(1)
    x, kernel = rng.normal(0.5, 1, (2, 6, 7, 3)), rng.normal(size=(2, 4, 3, 5))
    y = correlate2d(constant(x), constant(kernel)).value
    assert y.shape == (2, 5, 4, 5)
    for sample in range(2):
        for filter_ in range(5):
            scipy = correlate(x[sample], kernel[..., filter_], "valid")[..., 0]
            np.testing.assert_allclose(y[sample, ..., filter_], scipy, rtol=1e-12, atol=1e-13)


def test_gradients_of_a_convolution_equal_finite_differences(match_differences):
    rng = np.random.default_rng(2)
    values = [rng.normal(0.5, 1, (2, 4, 5, 2)), rng.normal(size=(2, 3, 2, 3))]
    match_differences(lambda x, kernel: total(tanh(correlate2d(x, kernel))), values)


def test_cross_entropy_of_a_batch_is_the_sum_over_samples():
    labels = np.eye(4)[[2, 0, 3]]
    loss = softmax_cross_entropy(constant(X), labels)
    np.testing.assert_allclose(loss.value, (logsumexp(X, 1) - (X * labels).sum(1)).sum())


def test_errors():
    x = parameter(X, "x")
    with pytest.raises(ValueError, match=r"target must have shape \(3, 4\), received \(4,\)"):
        squared_error(x, X[0])
    with pytest.raises(ValueError, match="target must be finite, received nan"):
        squared_error(x, X * np.nan)
    with pytest.raises(ValueError, match="probabilities .* received minimum -1 and sums from 1 "):
        softmax_cross_entropy(x, [[2.0, -1.0, 0.0, 0.0]] * 3)
    with pytest.raises(ValueError, match="sums from 4 to 4"):
        softmax_cross_entropy(x, np.ones((3, 4)))
    with pytest.raises(ValueError, match="over the last axis"):
        softmax_cross_entropy(total(x), 1.0)
    with pytest.raises(ValueError, match=r"entries of x \(3, 4\), received \(5, 2\)"):
        reshape(x, (5, 2))
    with pytest.raises(ValueError, match=r"entries of x \(3, 4\), received \(-1, 4\)"):
        reshape(x, (-1, 4))
    with pytest.raises(ValueError, match=r"axis 0: received shapes \(3, 4\), \(2,\)"):
        concatenate([x, [1.0, 2.0]], axis=0)
    with pytest.raises(ValueError, match="axis -1: received shapes none"):
        concatenate([])
    with pytest.raises(ValueError, match=r"must not be empty, received shape \(0, 4\)"):
        part(x, slice(3, 5))
    with pytest.raises(ValueError, match=r"kernel must fit into the image \(3, 4\), received \(4"):
        correlate2d(reshape(x, (1, 3, 4, 1)), parameter(np.ones((4, 2, 1, 1))))
    with pytest.raises(ValueError, match=r"received \(1, 3, 2, 2\) and \(1, 1, 1, 2\)"):
        correlate2d(reshape(x, (1, 3, 2, 2)), parameter(np.ones((1, 1, 1, 2))))
