import dataclasses

import keras
import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, PredefinedSplit

from suite.theory import legendre_basis, nested_cross_validation

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, 26)
PHI = legendre_basis(X, 7)
Y = -X + 1.5 * X**3 + RNG.normal(0.4, 0.3, 26)
STRENGTHS = [1e-4, 1e-2, 1.0, 100.0]


def mean_squared_error(model, x, y):
    return ((y - model.predict(x)) ** 2).mean()


def recorded():
    """A builder and a fit that note what each model was fitted to."""
    fits = []

    def fit(model, x, y):
        fits.append((model.alpha, x[:, 1]))  # the second Legendre polynomial is the input
        model.fit(x, y)

    return fits, fit


def test_equals_a_grid_search_of_scikit_learn_on_the_same_folds():
    fits, fit = recorded()
    found = nested_cross_validation(
        Ridge, STRENGTHS, PHI, Y, outer_folds=3, inner_folds=4, seed=5, fit=fit,
        score=mean_squared_error,
    )  # fmt: skip
    assert found.inner_scores.shape == (3, 4, 4) and found.outer_scores.shape == (3,)
    per_outer_fold = len(fits) // 3
    for number in range(3):
        own = fits[number * per_outer_fold : (number + 1) * per_outer_fold]
        rest = np.isin(X, own[-1][1])  # the winner's fit sees all but the outer fold
        folds = np.full(rest.sum(), -1)
        for fold in range(4):
            folds[~np.isin(X[rest], own[fold][1])] = fold
        assert set(folds) == {0, 1, 2, 3}  # every sample is held out once
        search = GridSearchCV(
            Ridge(),
            {"alpha": STRENGTHS},
            cv=PredefinedSplit(folds),
            scoring="neg_mean_squared_error",
        ).fit(PHI[rest], Y[rest])
        assert found.parameters[number] == search.best_params_["alpha"]
        np.testing.assert_allclose(
            found.inner_scores[number].mean(axis=1), -search.cv_results_["mean_test_score"]
        )
        outer = mean_squared_error(search.best_estimator_, PHI[~rest], Y[~rest])
        assert found.outer_scores[number] == pytest.approx(outer, rel=1e-10)


def test_no_model_is_measured_on_its_own_data_and_the_seed_decides():
    seen = []

    class Coin:
        def __init__(self, seed):
            self.seed = seed

        def fit(self, x, y):
            self.training = set(x[:, 0])

    def score(model, x, y):
        part = set(x[:, 0])
        assert part <= model.training or not part & model.training
        seen.append(len(part))
        return np.random.default_rng([model.seed, len(seen)]).uniform()

    x = np.arange(23.0)[:, None]
    arguments = {"outer_folds": 4, "inner_folds": 3, "score": score}
    first = nested_cross_validation(Coin, range(5), x, x[:, 0], seed=1, **arguments)
    seen.clear()
    again = nested_cross_validation(Coin, range(5), x, x[:, 0], seed=1, **arguments)
    assert first.parameters == again.parameters
    np.testing.assert_array_equal(first.inner_scores, again.inner_scores)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.parameters = ()


def test_the_luck_of_the_winner_is_gone():
    """Claim C58: the best of 50 coins looks better than a coin where it was chosen, not outside."""

    class Coin:
        def __init__(self, seed):
            self.seed = seed

        def fit(self, x, y):
            pass

    guesses = np.random.default_rng(2).integers(0, 2, (50, 200))

    def score(model, x, y):
        return (guesses[model.seed, x[:, 0]] != y).mean()

    x, y = np.arange(200)[:, None], np.random.default_rng(3).integers(0, 2, 200)
    found = nested_cross_validation(
        Coin, range(50), x, y, outer_folds=5, inner_folds=4, seed=0, score=score
    )
    winners = found.inner_scores.mean(axis=2).min(axis=1)
    # 160 tosses: the best of 50 lies 2.25 SD of 0.0395 below one half, 0.41. 200 tosses outside:
    # the winners repeat, so three SD of 40 tosses' worth, 0.079 each.
    assert (winners < 0.45).all()
    assert found.outer_scores.mean() == pytest.approx(0.5, abs=3 * 0.079)
    assert found.outer_scores.mean() > winners.mean()


def test_takes_a_builder_of_keras_models():
    def build(learning_rate):
        dense = keras.layers.Dense(1, kernel_initializer="zeros")
        network = keras.Sequential([keras.Input((8,)), dense])
        network.compile(keras.optimizers.SGD(learning_rate), "mse")
        return network

    found = nested_cross_validation(
        build, [0.0, 0.3], PHI, Y, outer_folds=2, inner_folds=2, seed=0
    )  # fmt: skip
    assert found.parameters == (0.3, 0.3)  # one epoch is better than none
    assert found.outer_scores.mean() < (Y**2).mean()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outer_folds": 27}, "folds must lie between 2 and 26 samples, received 27"),
        ({"outer_folds": -1}, "outer_folds must be a positive integer, received -1"),
        ({"inner_folds": 18}, "folds must lie between 2 and 17 samples, received 18"),
        ({"parameters": ()}, "parameters must have at least one entry"),
        ({"y": Y[1:]}, r"y must have one target a row of x \(26, 8\), received shape \(25,\)"),
        ({"x": PHI * np.nan}, "x must not contain NaN, received 208 of them"),
    ],
)
def test_refuses(change, message):
    arguments = {"parameters": [1.0], "x": PHI, "y": Y, "outer_folds": 3, "inner_folds": 2}
    with pytest.raises(ValueError, match=message):
        nested_cross_validation(Ridge, seed=0, **arguments | change)
