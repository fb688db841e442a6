"""Rules choose what scikit-learn's ridge regression would have them choose, at the stated cost."""

from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from benchmarks.experiments.comparisons import regularization as subject
from suite.theory import Risks, hold_out, k_fold_indices

COMPARISON, STRENGTHS, FOLDS = subject.COMPARISON, subject.STRENGTHS, subject.FOLDS
SEEDS = np.arange(2)


def cell_of(**factors):
    (found,) = (c for c in COMPARISON.cells() if factors.items() <= c.factors.items())
    return found


def classes(rng, samples=30):
    """Three classes of targets on an uneven scale, seven features with means of their own."""
    labels = np.arange(samples) % 3
    x = rng.normal([1, -2, 0, 3, 0, 1, 5], 1, (samples, 7)) + labels[:, None] * np.eye(7)[2]
    return x, subject.targets("breast_cancer", labels)


def risk(model, x, y):
    return ((model.predict(x) - y) ** 2).sum(axis=1).mean()


def test_targets_have_a_mean_square_of_one():
    # Two classes with shares 3/4 and 1/4: 2 * (3/4 * 1/16 + 1/4 * 9/16) = 3/8.
    y = subject.targets("digits", np.array([0, 1, 0, 0]))
    np.testing.assert_allclose(y, np.eye(2)[[0, 1, 0, 0]] / np.sqrt(3 / 8))
    y = subject.targets("diabetes", np.array([1.0, 3.0]))
    np.testing.assert_allclose(y, [[1.0], [3.0]])


@pytest.mark.parametrize("at", [0, 10, 25])
def test_a_path_is_that_of_scikit_learn(at):
    rng = np.random.default_rng(3)
    (x, y), (other, labels) = classes(rng), classes(rng, 12)
    model = Ridge(STRENGTHS[at], solver="svd").fit(x, y)
    explained, right = subject.path(x, y)(other, labels)
    assert explained[at] == pytest.approx(1 - risk(model, other, labels), rel=1e-9)
    assert right[at] == np.mean(model.predict(other).argmax(1) == labels.argmax(1))
    one = subject.path(x, y[:, :1])(other, labels[:, :1])
    np.testing.assert_array_equal(*one)  # a measurement has no right answers


def rule_by_hand(rule, x, y, seed):
    """Strength chosen by scikit-learn's fits."""
    splits = {
        subject.SLIDE: [(np.arange(len(x)),) * 2],
        subject.HOLD_OUT: [hold_out(len(x), 1 / FOLDS, [seed, 0])],
        subject.FOLDED: k_fold_indices(len(x), FOLDS, [seed, 1, 0]),
        subject.REPEATED: [
            split for i in range(5) for split in k_fold_indices(len(x), FOLDS, [seed, 1, i])
        ],
    }  # fmt: skip
    splits[subject.NESTED] = splits[subject.FOLDED]
    risks = [
        [risk(Ridge(s, solver="svd").fit(x[a], y[a]), x[b], y[b]) for a, b in splits[rule]]
        for s in STRENGTHS
    ]
    return int(np.mean(risks, axis=1).argmin())


@pytest.mark.parametrize("rule", subject.RULES)
def test_rules_choose_by_their_own_splits(rule):
    x, y = classes(np.random.default_rng(7))
    training = subject.path(x, y)(x, y)
    assert subject.choose(rule, x, y, training, 4)[0] == rule_by_hand(rule, x, y, 4)


def test_the_nested_score_is_that_of_choices_made_without_the_fold(monkeypatch):
    monkeypatch.setattr(subject, "STRENGTHS", STRENGTHS[::5])  # each is a fit of scikit-learn here
    x, y = classes(np.random.default_rng(7))
    found = subject.nested(x, y, [4, 2])
    outer = k_fold_indices(len(x), FOLDS, [4, 2])
    scores = []
    for i, (a, b) in enumerate(outer):
        held_out = [
            [risk(Ridge(s, solver="svd").fit(x[a][c], y[a][c]), x[a][d], y[a][d])
             for c, d in k_fold_indices(len(a), FOLDS, [4, 2, i])]
            for s in subject.STRENGTHS
        ]  # fmt: skip
        risks = Risks(tuple(subject.STRENGTHS), np.zeros_like(held_out), np.array(held_out))
        model = Ridge(risks.best, solver="svd").fit(x[a], y[a])
        scores.append(np.mean(model.predict(x[b]).argmax(1) == y[b].argmax(1)))
    assert found == pytest.approx(np.mean(scores))


def test_fits_are_counted(monkeypatch):
    """Every path is one fit a strength; a final one is a single fit."""
    paths = Counter()
    path = subject.path

    def counted(x, y):
        paths["all"] += 1
        return path(x, y)

    monkeypatch.setattr(subject, "path", counted)
    x, y = classes(np.random.default_rng(7))
    training = path(x, y)(x, y)
    strengths = len(STRENGTHS)
    for rule in subject.RULES:
        paths.clear()
        subject.choose(rule, x, y, training, 4)
        expected = paths["all"] * strengths + 1
        if rule == subject.SLIDE:
            expected = strengths  # given: every strength on all samples, the chosen one among them
        elif rule == subject.NESTED:
            expected -= FOLDS * (strengths - 1)  # of each outer path one strength is looked at
        assert subject.FITS[rule] == expected, rule


def test_training_risk_takes_no_penalty_and_nested_folds_choose_as_folds():
    setting = {"data": "diabetes", "samples": 25}
    found = {}
    for rule in subject.RULES:
        found[rule] = subject.measure(cell_of(**setting, rule=rule), SEEDS)
        found[rule].check(COMPARISON, len(SEEDS))
    slide, folds, nested = (
        found[rule].metrics for rule in (subject.SLIDE, subject.FOLDED, subject.NESTED)
    )
    np.testing.assert_array_equal(slide["extreme"], 1)
    np.testing.assert_array_equal(slide["validation_score"], slide["train_score"])
    for name in ("train_score", "test_score", "regret", "extreme"):
        np.testing.assert_array_equal(folds[name], nested[name])
    assert np.all(folds["validation_score"] != nested["validation_score"])
    for metrics in (slide, folds, nested):
        assert np.all(metrics["regret"] >= 0)
        far = metrics["regret"] > subject.NEAR
        np.testing.assert_array_equal(metrics["steps_to_target"] == 787, far)


def test_training_sets_grow_and_test_rows_stay():
    (small, y_small), test = subject.sample("breast_cancer", 25, 1)
    (large, y_large), again = subject.sample("breast_cancer", 200, 1)
    np.testing.assert_array_equal(large[:25], small)
    np.testing.assert_array_equal(y_large[:25], y_small)
    np.testing.assert_array_equal(test[0], again[0])
    assert not {tuple(row) for row in large} & {tuple(row) for row in test[0]}
