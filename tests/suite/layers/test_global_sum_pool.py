"""In order: by hand, gradients and compilation, shapes, edges."""

import keras
import numpy as np
import pytest
from backends import BACKEND, compiled, gradients, numpy
from keras import ops

from suite.layers import GlobalSumPool

X = np.array([[1.0, 10], [2, 20], [4, 40], [8, 80], [16, 160]], "float32")


def test_sums_by_hand():
    np.testing.assert_array_equal(numpy(GlobalSumPool()(X)), [[31, 310]])
    np.testing.assert_array_equal(numpy(GlobalSumPool()(X[None])), [[31, 310]])
    expected = [[3, 30], [4, 40], [24, 240]]
    ids = np.array([0, 0, 1, 2, 2])
    np.testing.assert_array_equal(numpy(GlobalSumPool()([X, ids])), expected)
    np.testing.assert_array_equal(numpy(GlobalSumPool()([X, ids[:, None]])), expected)


def test_the_gradient_of_a_sum_is_that_of_its_graph():
    ids, weight = np.array([0, 0, 1, 2, 2]), np.array([[1.0, 2], [3, 5], [7, 11]], "float32")
    _, (slope,) = gradients(lambda x: ops.sum(weight * GlobalSumPool()([x, ids])), X)
    np.testing.assert_array_equal(slope, weight[ids])


@pytest.mark.skipif(BACKEND == "jax", reason="JAX compiles no size that depends on values")
def test_disjoint_graphs_compile():
    ids = ops.convert_to_tensor(np.array([0, 0, 1, 2, 2]))
    y = compiled(lambda x, i: GlobalSumPool()([x, i]))(ops.convert_to_tensor(X), ids)
    np.testing.assert_array_equal(numpy(y), [[3, 30], [4, 40], [24, 240]])


@pytest.mark.skipif(BACKEND != "jax", reason="TensorFlow compiles it")
def test_jax_says_that_it_cannot_compile_disjoint_graphs():
    ids = ops.convert_to_tensor(np.array([0, 0, 1, 2, 2]))
    with pytest.raises(ValueError, match="cannot be compiled on this backend"):
        compiled(lambda x, i: GlobalSumPool()([x, i]))(ops.convert_to_tensor(X), ids)


def test_symbolic_shapes():
    assert GlobalSumPool()(keras.Input((7, 3))).shape == (None, 3)
    assert GlobalSumPool()([keras.Input((3,)), keras.Input((), dtype="int64")]).shape == (None, 3)
    assert GlobalSumPool().compute_output_shape((7, 3)) == (1, 3)


@pytest.mark.parametrize("ids", [[0, 1, 0, 1, 1], [-1, 0, 0, 1, 1], [0, 0, 3, 3, 3]])
def test_bad_numbers_of_graphs_are_refused(ids):
    with pytest.raises(ValueError, match=r"i must ascend from 0 without gaps, received \["):
        GlobalSumPool()([X, np.array(ids)])


def test_bad_shapes_are_refused():
    with pytest.raises(ValueError, match=r"one entry for each node of x.* received the shape \(4,"):
        GlobalSumPool()([X, np.array([0, 0, 1, 1])])
    with pytest.raises(ValueError, match=r"x must have the shape .* received \(5,\)"):
        GlobalSumPool()(X[:, 0])
    with pytest.raises(ValueError, match=r"must have the shapes .* received \(1, 5, 2\)"):
        GlobalSumPool()([X[None], np.zeros(5, int)])
