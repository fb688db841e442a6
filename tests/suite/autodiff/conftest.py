import numpy as np
import pytest

from suite.autodiff import gradients, parameter

STEP = np.finfo(float).eps ** (1 / 3)  # where rounding and curvature err equally


def match_differences(loss, values, method=gradients):
    """Every entry of every gradient against a central difference.

    Args:
        loss: a function of nodes.
        values: arrays, one for each node.
        method: a function of the loss's node and of nodes, whose gradients it returns.
    """
    nodes = [parameter(value) for value in values]
    found = method(loss(*nodes), nodes)
    for which, (value, gradient) in enumerate(zip(values, found, strict=True)):
        value = np.asarray(value, float)
        slopes = np.zeros(value.shape)
        for index in np.ndindex(value.shape):
            step = STEP * max(1, abs(value[index]))
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * step
                nodes = [parameter(moved if i == which else v) for i, v in enumerate(values)]
                ends.append(float(loss(*nodes).value))
            slopes[index] = (ends[0] - ends[1]) / (2 * step)
        size = np.abs(slopes).max()
        assert gradient.shape == value.shape
        # The difference errs by about eps^(2/3) = 4e-11 of the loss and its third derivative.
        np.testing.assert_allclose(gradient, slopes, rtol=0, atol=1e-6 * size)


@pytest.fixture(name="match_differences")
def _match_differences():
    return match_differences
