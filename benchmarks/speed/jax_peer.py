"""The same training in JAX, the fastest thing one could pick instead. Imported only if installed.

Adam as Keras has it (Kingma & Ba, end of section 2): the step size carries the bias corrections,
epsilon = 1e-7 stands outside the root, and the learning rate is 0.001. SGD: 0.01.
"""

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.speed.problems import Problem

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7  # Keras's defaults, as are the learning rates
LEARNING_RATES = {"adam": 0.001, "sgd": 0.01}


def initial_weights(problem: Problem, seeds: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Glorot-uniform kernels (seeds, fan_in, fan_out) and zero biases (seeds, fan_out)."""
    rng = np.random.default_rng(0)
    sizes = (problem.features, *problem.hidden, problem.classes)
    weights = []
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
        limit = np.sqrt(6 / (fan_in + fan_out))
        kernel = rng.uniform(-limit, limit, (seeds, fan_in, fan_out)).astype("float32")
        weights.append((kernel, np.zeros((seeds, fan_out), "float32")))
    return weights


def loss(weights, x, y):
    """Mean cross-entropy of the logits."""
    for kernel, bias in weights[:-1]:
        x = jax.nn.relu(x @ kernel + bias)
    kernel, bias = weights[-1]
    z = x @ kernel + bias
    if z.shape[-1] == 1:
        return jnp.mean(jax.nn.softplus(z[:, 0]) - y * z[:, 0])
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1))


def program(problem: Problem):
    """The jitted function (weights, batches, x, y) -> final weights, over a leading seeds axis."""
    rate = LEARNING_RATES[problem.optimizer]

    def sgd(weights, gradients, moments, _):
        return jax.tree.map(lambda w, g: w - rate * g, weights, gradients), moments

    def adam(weights, gradients, moments, step):
        m = jax.tree.map(lambda m, g: m + (g - m) * (1 - BETA_1), moments[0], gradients)
        v = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - BETA_2), moments[1], gradients)
        alpha = rate * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
        weights = jax.tree.map(
            lambda w, m, v: w - alpha * m / (jnp.sqrt(v) + EPSILON), weights, m, v
        )
        return weights, (m, v)

    update = {"sgd": sgd, "adam": adam}[problem.optimizer]

    def one_seed(weights, batches, x, y):
        def step(carry, rows):
            weights, moments, count = carry
            gradients = jax.grad(loss)(weights, x[rows], y[rows])
            weights, moments = update(weights, gradients, moments, count)
            return (weights, moments, count + 1), None

        zeros = jax.tree.map(jnp.zeros_like, weights)
        (weights, _, _), _ = jax.lax.scan(step, (weights, (zeros, zeros), 1.0), batches)
        return weights

    return jax.jit(jax.vmap(one_seed, in_axes=(0, 0, None, None)))
