"""Rules that choose the strength of a penalty, on real data, from few samples to many.

Lecture section "Learning theory", beside the claims C54, C58 and C59. Every rule sees the same
samples and the same grid of strengths; ridge regression with the strength it chose is then fitted
to all the samples. The slide's rule looks at the training risk. Nested folds choose as plain folds
do: what they change is the score that is reported, and the price.
"""

from functools import lru_cache

import numpy as np

from benchmarks.experiment import Comparison, Measurements, Metric

SLIDE, HOLD_OUT, FOLDED, REPEATED, NESTED = RULES = (
    "training risk",
    "hold-out",
    "5-fold",
    "5-fold, 5 times",
    "nested 5-fold",
)
FOLDS = REPEATS = 5
TEST = 0.4  # of a table: as many rows as the largest training set, about
# No penalty, then three a decade, from one that no least squares fit notices to a constant.
STRENGTHS = np.concatenate([[0.0], np.logspace(-3, 5, 25)])
FITS = {  # until the strength is chosen and the score known; all but the first fit once more
    SLIDE: len(STRENGTHS),
    HOLD_OUT: len(STRENGTHS) + 1,
    FOLDED: FOLDS * len(STRENGTHS) + 1,
    REPEATED: REPEATS * FOLDS * len(STRENGTHS) + 1,
    NESTED: FOLDS * (FOLDS * len(STRENGTHS) + 1) + FOLDS * len(STRENGTHS) + 1,
}


def targets(name, labels):
    """One column a class, or one of measurements; the mean square of all around the mean is 1."""
    columns = labels[:, None] if name == "diabetes" else np.eye(labels.max() + 1)[labels]
    columns = columns.astype(float)
    return columns / np.sqrt(((columns - columns.mean(axis=0)) ** 2).sum(axis=1).mean())


def sample(name, samples, seed):
    """Training and test pairs; a smaller training set is part of a larger one."""
    from suite.datasets import load_arrays
    from suite.training.streams import integer, streams

    split = load_arrays(name, seed=integer(streams(seed)["data"]), validation=0, test=TEST)
    y = targets(name, np.concatenate([split.y_train, split.y_test]))
    test = len(split.y_train)
    return (
        (split.x_train[:samples].astype(float), y[:samples]),
        (split.x_test.astype(float), y[test:]),
    )


def path(x, y):
    """Ridge regression at every strength, the mean left free: `(x, y)` -> (2, strengths).

    First what a strength is chosen by, the explained share of the targets' mean square (which is 1
    over the whole table): one minus the squared error. Then the score that is reported: for classes
    the share of right answers, for measurements the same again.
    """
    from suite.theory import ridge

    middle, level = x.mean(axis=0), y.mean(axis=0)
    # (outputs, strengths, features), from one decomposition.
    weights = ridge((x - middle)[None, None], (y - level).T[:, None], STRENGTHS)

    def scores(x, y):
        answers = weights @ (x - middle).T + level[:, None, None]
        explained = 1 - ((answers - y.T[:, None]) ** 2).sum(axis=0).mean(axis=1)
        if y.shape[1] == 1:
            return np.stack([explained, explained])
        return np.stack([explained, (answers.argmax(axis=0) == y.argmax(axis=1)).mean(axis=1)])

    return scores


def folded(x, y, seed):
    """What `path` finds on held-out samples, mean over the folds, (2, strengths)."""
    from suite.theory import k_fold_indices

    return np.mean(
        [path(x[a], y[a])(x[b], y[b]) for a, b in k_fold_indices(len(x), FOLDS, seed)], axis=0
    )


def nested(x, y, seed):
    """Score on each outer fold of the strength that inner folds chose without it, mean of them."""
    from suite.theory import k_fold_indices

    found = []
    for i, (a, b) in enumerate(k_fold_indices(len(x), FOLDS, seed)):
        chosen = folded(x[a], y[a], [*seed, i])[0].argmax()
        found.append(path(x[a], y[a])(x[b], y[b])[1, chosen])
    return np.mean(found)


def choose(rule, x, y, training, seed):
    """Position of the chosen strength, and the score that comes with it.

    Args:
        rule: one of `RULES`.
        x: all samples but the test rows.
        y: their targets, (samples, outputs).
        training: what `path` finds for all of them, on all of them.
        seed: of the splits; the folds are the same for all rules that have some.
    """
    from suite.theory import hold_out

    if rule == SLIDE:
        scores = training
    elif rule == HOLD_OUT:
        a, b = hold_out(len(x), 1 / FOLDS, [seed, 0])
        scores = path(x[a], y[a])(x[b], y[b])
    else:
        repeats = REPEATS if rule == REPEATED else 1
        scores = np.mean([folded(x, y, [seed, 1, i]) for i in range(repeats)], axis=0)
    at = int(scores[0].argmax())
    return at, nested(x, y, [seed, 2]) if rule == NESTED else float(scores[1, at])


@lru_cache(maxsize=1)  # the rules of one setting follow one another
def fitted(name, samples, seeds):
    """For each seed: samples, targets, and what all strengths are worth in training and test."""
    found = []
    for seed in seeds:
        (x, y), test = sample(name, samples, seed)
        final = path(x, y)
        found.append((x, y, final(x, y), final(*test)))
    return found


def measure(cell, seeds):
    """What one rule chooses, reports and gets."""
    rows: dict[str, list] = {name: [] for name in METRICS}
    seeds = tuple(int(seed) for seed in seeds)
    problems = fitted(cell.data, cell.samples, seeds)
    for seed, (x, y, training, test) in zip(seeds, problems, strict=True):
        at, reported = choose(cell.rule, x, y, training, seed)
        training, test = training[1], test[1]
        near = test.max() - test[at] <= NEAR
        rows["steps_to_target"].append(FITS[cell.rule] if near else cell.steps + 1)
        rows["train_score"].append(training[at])
        rows["validation_score"].append(reported)
        rows["test_score"].append(test[at])
        rows["optimism"].append(reported - test[at])
        rows["regret"].append(test.max() - test[at])
        rows["extreme"].append(at in (0, len(STRENGTHS) - 1))
    return Measurements(metrics={name: np.array(values, float) for name, values in rows.items()})


METRICS = {
    "steps_to_target": Metric("fits for a strength within 0.02 of the best", "fit", "lower"),
    "train_score": Metric("training score", "1", "higher"),
    "validation_score": Metric("score that the rule reports", "1", "higher"),
    "test_score": Metric("test score", "1", "higher"),
    "optimism": Metric("reported minus test score", "1"),
    "regret": Metric("test score lost to the best strength", "1", "lower"),
    "extreme": Metric("first or last strength chosen", "share"),
}
# A choice counts if its test score is as near as that to the best strength's.
NEAR = 0.02

COMPARISON = Comparison(
    name="regularization",
    title="Rules that choose the strength of a penalty",
    task=(
        "Ridge regression on measurements of patients, of tumors and on images of digits; 26 "
        "strengths from none to overwhelming. A rule sees the training samples alone, and the "
        "strength it chose is fitted to all of them. Strengths are chosen by squared error; scores "
        "are shares of right answers, for patients the explained share. The cost is counted in "
        "fits. Nested folds choose the strength that plain folds do and report another score."
    ),
    contender=("rule", RULES),
    # Nothing to tune: the grid is the same for all, and choosing from it is the contest.
    tuning=("strengths", (len(STRENGTHS),)),
    settings={"data": ("diabetes", "breast_cancer", "digits"), "samples": (25, 50, 100, 200)},
    target=NEAR,
    margin=NEAR,
    # Scores that two rules get from the same samples differ by up to 0.1 or so, seed by seed: their
    # mean difference has a standard error of 0.02, the distance that counts as near.
    seeds=30,
    paired=("data",),
    budget={"steps": max(FITS.values())},
    metrics=METRICS,
    measure=measure,
    components=(
        "suite.theory.ridge",
        "suite.theory.hold_out",
        "suite.theory.k_fold_indices",
    ),
    limits=(
        "One kind of model and of penalty, and samples that are independent. Classes are fitted as "
        "numbers, by squared error. Features are scaled on all rows that are not for the test, "
        "without their targets. Each size has the same test rows, and the training sets of one "
        "seed contain one another."
    ),
)
