"""What random weights do to a gradient, with and without skip connections, in theory and by sweep.

Going back through `x_{l+1} = x_l + s x_l W` multiplies the gradient g by `I + s W^T`. For Gaussian
weights of variance tau^2, independent of g, `W^T g` is an isotropic Gaussian of size |g|, so that
the mean square is multiplied by

    |e + s tau z|^2 = s^2 tau^2 chi'^2_n(1 / s^2 tau^2)        e a unit vector, z standard normal

a noncentral chi-square, of mean `1 + s^2 n tau^2`. Without the skip it is `tau^2 chi^2_n`, of mean
`n tau^2`. The factors of different layers are independent: expectations multiply, and so does, for
the typical network, the exponential of the mean logarithm.
"""

import math

import numpy as np
from scipy import stats
from scipy.special import psi

PLAIN, RESIDUAL, SCALED = "plain", "residual", "residual / √L"
CONNECTIONS = (PLAIN, RESIDUAL, SCALED)


def scale_of(connection, depth):
    """`s`, the factor of each branch."""
    return 1 / math.sqrt(depth) if connection == SCALED else 1.0


def expected_factor(connection, gain, scale):
    """Mean of what a layer multiplies the gradient's mean square by; `gain` is `n tau^2`."""
    return gain if connection == PLAIN else 1 + scale**2 * gain


def typical_log_factor(connection, width, gain, scale):
    """Mean of its logarithm.

    A noncentral chi-square is a mixture of central ones, with `n + 2 j` degrees of freedom for a
    Poisson `j`, and `E[log chi^2_k] = psi(k / 2) + log 2`.
    """
    variance = scale**2 * gain / width
    if connection == PLAIN:
        return math.log(2 * variance) + psi(width / 2)
    rate = 1 / (2 * variance)
    around = 12 * math.sqrt(rate) + 40  # beyond it lies less than double precision resolves
    j = np.arange(max(0, math.floor(rate - around)), math.ceil(rate + around))
    return math.log(2 * variance) + stats.poisson.pmf(j, rate) @ psi(width / 2 + j)


def layers(x, weights, connection, scale, activation=None):
    """Nodes of a network's states, from the input node to the output of the last layer.

    `activation` is that of the branches, a function of nodes, or None for linear ones.
    """
    from suite.autodiff import constant

    states = [x]
    for kernel in weights:
        branch = states[-1] @ constant(kernel)
        if activation is not None:
            branch = activation(branch)
        branch = branch * constant(scale)
        states.append(branch if connection == PLAIN else states[-1] + branch)
    return states


def squared_gradients(states, arriving):
    """Sum of squares of the gradient at each state, given the one at the last, (states,)."""
    from suite.autodiff import backward

    swept = {id(step.node): step.delta for step in backward(states[-1], arriving)}
    return np.array([np.sum(swept[id(state)] ** 2) for state in states])


def random_networks(depth, connection, gains, width, count, seed):
    """Mean square of a gradient on its way back through new linear networks, over the last layer's.

    All gains and, for one seed, all connections see the same draws, up to their scale.

    Returns:
        `(count, depth + 1, len(gains))`, from the input to the last layer.
    """
    from suite.training.streams import streams

    rng = np.random.default_rng(streams(int(seed))["initial weights"])
    tau = np.sqrt(np.array(gains) / width)[:, None]
    scale = scale_of(connection, depth)
    g = np.broadcast_to(rng.normal(size=(count, 1, width)), (count, len(gains), width))
    sizes = [np.mean(g**2, axis=2)]
    for _ in range(depth):
        normals = rng.standard_normal((count, width, width), dtype="float32").astype(float)
        branch = scale * tau * (g @ normals)  # the transpose of normals is just as normal
        g = branch if connection == PLAIN else g + branch
        sizes.append(np.mean(g**2, axis=2))
    sizes = np.stack(sizes[::-1], axis=1)
    return sizes / sizes[:, -1:]
