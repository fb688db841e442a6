import numpy as np
import pytest
from scipy.stats import norm

from suite.datasets import (
    adding_problem,
    cubic,
    cubic_truth,
    first_sign,
    gaussian_classes,
    moons,
    tent,
    tent_map,
)
from suite.training.newton import newton


def test_gaussian_classes_follow_the_true_weights():
    n, separation = 20_000, 1.5
    x, y, true_w = gaussian_classes(n, features=4, seed=0, separation=separation)
    assert x.shape == (n, 4) and set(y) == {0, 1}
    assert np.linalg.norm(true_w) == pytest.approx(separation, rel=1e-14)
    # the maximum-likelihood estimate scatters about the truth by the inverse Fisher information
    history = newton(x, y)
    s = 1 / (1 + np.exp(-x @ true_w))
    se = np.sqrt(np.diag(np.linalg.inv(x.T @ ((s * (1 - s))[:, None] * x))))
    assert (np.abs(history.weights[-1] - true_w) < 4 * se).all()
    errors = ((x @ true_w > 0) != y).mean()
    bayes = norm.cdf(-separation / 2)
    assert abs(errors - bayes) < 4 * np.sqrt(bayes * (1 - bayes) / n)


def test_the_tent_map_by_hand():
    np.testing.assert_array_equal(tent([0.0, 0.25, 0.5, 0.75, 1.0], 1), [0, 0.5, 1, 0.5, 0])
    np.testing.assert_array_equal(tent([0.125, 0.25, 0.5, 0.625], 2), [0.5, 1, 0, 0.5])
    np.testing.assert_array_equal(tent([0.3], 0), [0.3])


@pytest.mark.parametrize("folds", [1, 2, 3, 6])
def test_folds_double_the_number_of_peaks(folds):
    grid = np.linspace(0, 1, 2**folds + 1)
    np.testing.assert_array_equal(tent(grid, folds), np.arange(2**folds + 1) % 2)
    # conjugate to doubling an angle: t(sin^2(a)) has no such form, but cos does
    x = np.random.default_rng(0).random(50)
    closed = np.arccos(np.cos(2**folds * np.pi * x)) / np.pi
    np.testing.assert_allclose(tent(x, folds), closed, atol=1e-6)  # arccos near 1 loses digits


def test_tent_map_data():
    x, value, label = tent_map(5000, folds=3, seed=1)
    assert x.shape == (5000, 1) and value.shape == label.shape == (5000,)
    np.testing.assert_array_equal(value, tent(x[:, 0], 3))
    np.testing.assert_array_equal(label, value > 0.5)
    assert abs(label.mean() - 0.5) < 4 * 0.5 / np.sqrt(5000)
    changes = np.flatnonzero(np.diff(label[np.argsort(x[:, 0])]))
    assert len(changes) == 2**3


def test_cubic():
    x, y = cubic(4000, seed=2, sigma=0.3)
    assert x.shape == y.shape == (4000,) and -1 <= x.min() < -0.99 < 0.99 < x.max() <= 1
    noise = y - (-x + 1.5 * x**3)
    assert abs(noise.mean()) < 4 * 0.3 / np.sqrt(4000)
    assert abs(noise.var() - 0.09) < 4 * 0.09 * np.sqrt(2 / 4000)
    same, clean = cubic(4000, seed=2, sigma=0.0)
    np.testing.assert_array_equal(same, x)
    np.testing.assert_array_equal(clean, cubic_truth(x))


def test_moons():
    x, y = moons(31, seed=0, noise=0.0)
    assert x.shape == (31, 2)
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1)  # the upper half circle
    np.testing.assert_array_equal(moons(31, seed=4)[0], moons(31, seed=4)[0])


def test_first_sign():
    x, y = first_sign(4000, 7, seed=3)
    assert x.shape == (4000, 7, 1) and set(y) == {-1, 1}
    np.testing.assert_array_equal(x[:, 0, 0], y)
    noise = x[:, 1:, 0]
    assert abs(y.mean()) < 4 / np.sqrt(4000)
    assert abs(noise.mean()) < 4 / np.sqrt(noise.size)
    assert (np.abs(y @ noise / 4000) < 4 / np.sqrt(4000)).all()  # later entries do not know it


def test_adding_problem():
    n, length = 4000, 9  # halves of 4 and 5
    x, y = adding_problem(n, length, seed=3)
    assert x.shape == (n, length, 2) and 0 <= x[..., 0].min() < 0.01 < 0.99 < x[..., 0].max() < 1
    marked = x[..., 1] == 1
    assert set(x[..., 1].ravel()) == {0, 1}
    assert (marked[:, :4].sum(1) == 1).all() and (marked[:, 4:].sum(1) == 1).all()
    assert marked.any(axis=0).all()  # every place is marked at times
    np.testing.assert_allclose(y, x[..., 0][marked].reshape(n, 2).sum(1))
    # variance 1/6; its own sampling error from the fourth moment 1/15 of the triangular law
    assert abs(y.var() - 1 / 6) < 4 * np.sqrt((1 / 15 - 1 / 36) / n)


def test_the_shortest_sum_marks_everything():
    x, y = adding_problem(3, 2, seed=0)
    np.testing.assert_array_equal(x[..., 1], 1)
    np.testing.assert_allclose(y, x[..., 0].sum(1))


def test_seeds_matter():
    for draw in (
        lambda seed: gaussian_classes(9, 2, seed).x,
        lambda seed: tent_map(9, 2, seed).x,
        lambda seed: cubic(9, seed)[1],
        lambda seed: first_sign(5, 9, seed)[0][:, 1:],
        lambda seed: adding_problem(5, 9, seed)[1],
    ):
        np.testing.assert_array_equal(draw(1), draw(1))
        assert (draw(1) != draw(2)).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian_classes(0, 2, 0), "n must be at least 1, received 0"),
        (lambda: gaussian_classes(3, 0, 0), "features must be at least 1, received 0"),
        (lambda: gaussian_classes(3, 2, 0, -1), "separation must be .* received -1"),
        (lambda: tent([0.5, 1.5], 1), r"x must lie in \[0, 1\], received 1.5"),
        (lambda: tent([np.nan], 1), r"x must lie in \[0, 1\], received nan"),
        (lambda: tent_map(5, -1, 0), "folds must be at least 0, received -1"),
        (lambda: cubic(5, 0, sigma=-0.1), "sigma must be .* received -0.1"),
        (lambda: first_sign(5, 0, 0), "length must be at least 1, received 0"),
        (lambda: adding_problem(0, 4, 0), "n must be at least 1, received 0"),
        (lambda: adding_problem(5, 1, 0), "length must be at least 2, received 1"),
        (lambda: moons(5, 0, noise=np.inf), "noise must be .* received inf"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
