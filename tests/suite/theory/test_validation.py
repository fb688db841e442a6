import keras
import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from suite.theory import compare_risks, cross_validation, hold_out, k_fold_indices, legendre_basis

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, 24)
PHI = legendre_basis(X, 9)
Y = -X + 1.5 * X**3 + RNG.normal(0.4, 0.3, 24)


class Constant:
    """Predicts its parameter, or the mean of what it was fitted to."""

    def __init__(self, value):
        self.value = value

    def fit(self, x, y):
        if self.value is None:
            self.value = y.mean()


def squared_error(model, x, y):
    return ((y - model.value) ** 2).mean()


def mean_squared_error(model, x, y):
    return ((y - model.predict(x)) ** 2).mean()


def test_by_hand():
    x, y = np.zeros((4, 1)), np.array([0.0, 2.0, 4.0, 6.0])
    splits = k_fold_indices(4, 2)  # held out: [0, 1], then [2, 3]
    found = compare_risks(Constant, [None, 2.0], x, y, splits=splits, score=squared_error)
    np.testing.assert_array_equal(found.training, [[1.0, 1.0], [10.0, 2.0]])
    np.testing.assert_array_equal(found.held_out, [[17.0, 17.0], [2.0, 10.0]])
    np.testing.assert_array_equal(found.gap, [16.0, 0.0])
    assert found.best == 2.0 and found.parameters == (None, 2.0)


def test_equals_scikit_learn():
    strengths = [0.01, 0.3, 10.0]
    splits = k_fold_indices(24, 5)
    found = compare_risks(Ridge, strengths, PHI, Y, splits=splits, score=mean_squared_error)
    for strength, risks in zip(strengths, found.held_out, strict=True):
        scores = cross_val_score(
            Ridge(strength), PHI, Y, cv=KFold(5), scoring="neg_mean_squared_error"
        )
        np.testing.assert_allclose(risks, -scores, rtol=1e-10)


def test_the_score_of_an_estimator_becomes_a_risk():
    labels = (X > 0).astype(int)
    found = cross_validation(KNeighborsClassifier, [1, 17], X[:, None], labels, folds=4, seed=0)
    expected = KNeighborsClassifier(1).fit(X[:, None], labels)
    assert found.best == 1 and expected.score(X[:, None], labels) == 1
    np.testing.assert_array_equal(found.training[0], 0.0)  # a nearest neighbor knows its data


def model(penalty):
    network = keras.Sequential(
        [
            keras.Input((10,)),
            keras.layers.Dense(
                1, kernel_initializer="zeros", kernel_regularizer=keras.regularizers.L2(penalty)
            ),
        ]
    )
    network.compile(keras.optimizers.SGD(0.1), "mse")
    return network


def test_the_risk_of_a_keras_model_is_its_loss_without_the_penalty():
    x, y = PHI.astype("float32"), Y.astype("float32")

    def fit(network, x, y):
        network.fit(x, y, epochs=3, batch_size=100, verbose=0)

    splits = [hold_out(24, 0.25, seed=1)]
    found = compare_risks(model, [0.0, 3.0], x, y, splits=splits, fit=fit)
    for row, penalty in enumerate([0.0, 3.0]):
        network = model(penalty)
        fit(network, x[splits[0][0]], y[splits[0][0]])
        for side, part in ((found.training, splits[0][0]), (found.held_out, splits[0][1])):
            prediction = network.predict(x[part], verbose=0)[:, 0]
            assert side[row, 0] == pytest.approx(((y[part] - prediction) ** 2).mean(), rel=1e-5)
            # The mutant: `evaluate` adds the penalty.
            total = network.evaluate(x[part], y[part], verbose=0)
            assert (total > 1.001 * side[row, 0]) == (penalty > 0)


def test_training_risk_and_gap_choose_badly():
    """Claims C54 and C59: the one chooses no penalty, the other no model."""
    strengths = np.logspace(-6, 4, 11)
    rng = np.random.default_rng(3)
    chosen = {"training": [], "gap": [], "held_out": []}
    x_new = rng.uniform(-1, 1, 2000)
    phi_new, f_new = legendre_basis(x_new, 9), -x_new + 1.5 * x_new**3
    for seed in range(20):
        x = rng.uniform(-1, 1, 20)
        y = -x + 1.5 * x**3 + rng.normal(0, 0.3, 20)
        found = cross_validation(
            Ridge, strengths, legendre_basis(x, 9), y, folds=5, seed=seed, score=mean_squared_error
        )
        picks = {
            "training": found.training.mean(axis=1).argmin(),
            "gap": abs(found.gap).argmin(),
            "held_out": found.held_out.mean(axis=1).argmin(),
        }
        assert picks["training"] == 0
        assert (np.diff(found.training.mean(axis=1)) > 0).all()
        assert strengths[picks["held_out"]] == found.best
        for name, pick in picks.items():
            fit = Ridge(strengths[pick]).fit(legendre_basis(x, 9), y)
            chosen[name].append(((fit.predict(phi_new) - f_new) ** 2).mean())
    medians = {name: np.median(risks) for name, risks in chosen.items()}
    assert medians["held_out"] < 0.8 * min(medians["training"], medians["gap"]), medians


def test_a_steadier_estimate_than_hold_out():
    """Claim C58: 5 folds against one hold-out of the same size; ratio of the SDs above one."""
    one, five = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y = rng.normal(0.5, 1.0, 30)
        x = np.zeros((30, 1))
        risks = cross_validation(Constant, [None], x, y, folds=5, seed=seed, score=squared_error)
        one.append(risks.held_out[0, 0])
        five.append(risks.held_out.mean())
    assert np.std(one) > 1.3 * np.std(five)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"x": X[:23, None]},
            r"y must have one target a row of x \(23, 1\), received shape \(24,\)",
        ),
        ({"x": np.where(X > 0.5, np.nan, X)[:, None]}, "x must not contain NaN, received"),
        ({"y": np.full(24, np.nan)}, "y must not contain NaN, received 24 of them"),
        ({"parameters": []}, r"parameters must have at least one entry, received \(\)"),
        ({"folds": 25}, "folds must lie between 2 and 24 samples, received 25"),
        ({"folds": 2.5}, "folds must be an integer, received 2.5"),
        (
            {"score": lambda *_: float("nan")},
            "score must return a number, received nan for parameter 0.5",
        ),
    ],
)
def test_refuses(change, message):
    arguments = {"parameters": [0.5], "x": X[:, None], "y": Y, "folds": 3, "seed": 0} | change
    with pytest.raises(ValueError, match=message):
        cross_validation(Ridge, **arguments)
    if "folds" not in change:
        splits = k_fold_indices(20, 3)
        rest = {key: value for key, value in arguments.items() if key not in ("folds", "seed")}
        with pytest.raises(ValueError, match=message):
            compare_risks(Ridge, splits=splits, **rest)


def test_refuses_no_splits():
    with pytest.raises(ValueError, match="splits must have at least one entry"):
        compare_risks(Ridge, [1.0], PHI, Y, splits=[])
