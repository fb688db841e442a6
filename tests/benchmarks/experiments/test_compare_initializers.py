"""Initializers change the start and nothing else, and a tiny run is complete."""

import numpy as np
import pytest

from benchmarks.experiment import Cell
from benchmarks.experiments.comparisons import _images as images
from benchmarks.experiments.comparisons import initializers as subject

COMPARISON = subject.COMPARISON
BUDGET = dict(COMPARISON.budget) | dict(COMPARISON.smoke)
SEEDS = np.arange(2)


def measured(name, learning_rate=0.1, network="ReLU, 2 layers", **budget):
    factors = {"network": network, "initializer": name, "learning_rate": learning_rate}
    found = subject.measure(Cell(factors, BUDGET | budget), SEEDS)
    found.check(COMPARISON, len(SEEDS))
    return found


def test_every_initializer_gets_every_rate_under_every_setting():
    cells = COMPARISON.cells()
    assert len(cells) == 5 * 4 * 7
    np.testing.assert_allclose(np.diff(np.log10(subject.LEARNING_RATES)), 0.5, atol=0.03)
    # Programs are compiled for a setting, so its cells come one after another.
    networks = [c.network for c in cells]
    assert sum(a != b for a, b in zip(networks[:-1], networks[1:], strict=True)) == 4


@pytest.mark.parametrize(
    ("name", "variance"),
    # Between layers of 32 units; and into the first, from 196 pixels.
    [("LeCun", (1 / 196, 1 / 32)), ("Glorot", (2 / 228, 1 / 32)), ("He", (2 / 196, 2 / 32))],
)
def test_initial_weights_have_the_variance_of_their_name(name, variance):
    weights = subject.initial_weights(name, 8, 3)
    kernels, biases = weights[::2], weights[1::2]
    assert [k.shape for k in kernels] == [(196, 32), (7, 32, 32), (32, 10)]
    assert [b.shape for b in biases] == [(32,), (7, 32), (10,)]
    assert all((b == 0).all() for b in biases)
    # A sample variance of n normal draws errs by sqrt(2 / n); four of them.
    for draws, expected in zip(kernels[:2], variance, strict=True):
        np.testing.assert_allclose(draws.var(), expected, rtol=4 * np.sqrt(2 / draws.size))


def test_orthogonal_kernels_are_orthogonal_and_layers_do_not_repeat():
    first, second = subject.initial_weights("Orthogonal", 8, 3)[2][:2]
    np.testing.assert_allclose(first.T @ first, np.eye(32), atol=1e-5)  # float32
    assert not np.allclose(first, second)


@pytest.mark.parametrize("activation", ["tanh", "ReLU"])
def test_the_network_is_dense_layers_one_after_another(activation):
    model = subject.network(activation, 4)
    weights = subject.initial_weights("He", 4, 1)
    weights = [w + 0.1 for w in weights]  # no bias of zero
    model.set_weights(weights)
    z = x = np.random.default_rng(0).random((5, 196), dtype="float32")
    f = {"tanh": np.tanh, "ReLU": lambda z: np.maximum(z, 0)}[activation]
    first, offset, equal, offsets, last, final = weights
    for kernel, bias in [(first, offset), *zip(equal, offsets, strict=True)]:
        z = f(z @ kernel + bias)
    np.testing.assert_allclose(model(x), z @ last + final, rtol=1e-3)


def test_seeds_and_initializers_start_differently_and_again_alike():
    one, other = (subject.initial_weights("He", 2, seed) for seed in (0, 1))
    assert not np.allclose(one[0], other[0])
    subject.initial_weights.cache_clear()
    np.testing.assert_array_equal(one[0], subject.initial_weights("He", 2, 0)[0])


def test_one_program_starts_every_contender_from_its_own_weights():
    before, he, again = (measured(name) for name in ("LeCun", "He", "LeCun"))
    assert np.all(before.curves["train_loss"][:, 0] != he.curves["train_loss"][:, 0])
    np.testing.assert_array_equal(before.curves["train_loss"], again.curves["train_loss"])
    np.testing.assert_array_equal(he.metrics["steps_to_target"], [2, 2])  # budget + 1

    # What the program saw first is the network with these very weights.
    model = subject.network("ReLU", 2)
    model.set_weights(subject.initial_weights("He", 2, 0))
    x, y = (values[0] for values in images.digits((0, 1))["train"])
    scores = np.asarray(model(x), "float64")
    losses = np.log(np.exp(scores).sum(1)) - scores[np.arange(len(y)), y]
    # On 256 of 3000 images: the mean of the recorded ones is within four standard errors.
    error = losses.std() / np.sqrt(256)
    assert abs(he.curves["train_loss"][0, 0] - losses.mean()) < 4 * error


def test_a_run_that_diverges_is_a_result():
    assert measured("He", learning_rate=1e30, steps=2, record_every=2).diverged.all()


def test_smaller_images_are_means_and_keep_their_places():
    picture = np.zeros((2, 28, 28), "float32")
    picture[1, 2:4, 6:8] = [[1.0, 0.5], [0.0, 0.5]]
    small = images.smaller(picture.reshape(2, 784)).reshape(2, 14, 14)
    assert small[1, 1, 3] == 0.5 and small.sum() == 0.5
