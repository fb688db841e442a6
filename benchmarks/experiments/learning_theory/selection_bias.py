"""The score that picked the winner flatters it: a third set, or nested folds, tells the truth.

Lecture section "Learning theory", claim C58. The slide trains on one part, scores on a held-out
part, picks the best architecture and calls that cross-validation. Two things are wrong or unsaid:

* This is hold-out validation. *Cross-validation* rotates the held-out part and averages, which
  makes the estimate of one model steadier.
* In both, the winner's score is the largest of K noisy numbers. For K classifiers that guess,
  on M samples, it is the largest of K binomial variables:

      E[best score] = (1 / M) sum_{m=1}^{M} (1 - F(m - 1)^K)

  with F the distribution function of Binomial(M, 1/2), while none of them is better than 1/2.
A third set repairs it, and so do *nested* folds, where the fold that scores does not choose.
"""

import math
from functools import cache

import numpy as np
from scipy import stats

from benchmarks.experiment import (
    Experiment,
    Histogram,
    Hypothesis,
    Measurements,
    Metric,
    Mutant,
)
from benchmarks.verdicts import Agreement, Ratio, every

HOLD_OUT, FOLDED, NESTED = SCHEMES = ("hold-out", "5-fold", "nested 5-fold")
CHOOSING = (HOLD_OUT, FOLDED)  # the score that chooses is the one reported
FOLDS = 5
SCORED = 100  # M, samples that a candidate is scored on
CANDIDATES = (1, 10, 100, 1000)
POINTS = 30  # few, as where the choice of an estimate matters
DEGREE = 3  # of the polynomial whose error is estimated: that of the truth


def best_of_coin_flips(candidates, samples=SCORED):
    """Expected largest share of heads among `candidates` fair coins, `samples` flips each."""
    below = stats.binom.cdf(np.arange(samples), samples, 0.5)
    return float((1 - below**candidates).sum() / samples)


def coins(rng, *shape):
    """Fair bits. Whole bytes are drawn and cut, since a cell needs up to half a billion."""
    size = math.prod(shape)
    return np.unpackbits(np.frombuffer(rng.bytes(-(-size // 8)), np.uint8), count=size).reshape(
        shape
    )


@cache  # the same however many candidates there are
def held_out_parts(scheme, seed):
    """Indices of the parts that are scored, `SCORED` samples in all, and how many samples exist.

    Hold-out sets a fifth of 500 samples aside; five-fold rotation, nested or not, scores each of
    100 once.
    """
    from suite.theory.resampling import hold_out, k_fold_indices

    if scheme == HOLD_OUT:
        samples = FOLDS * SCORED
        return [hold_out(samples, 1 / FOLDS, seed)[1]], samples
    return [part for _, part in k_fold_indices(SCORED, FOLDS, seed)], SCORED


def winner(candidates, scheme, seed):
    """Score of the best of K guessing classifiers, and its score on labels drawn afterwards.

    A classifier is a table of predictions, one a sample, that no label had a part in. Nothing
    is fitted, so the training parts stay unused.
    """
    rng = np.random.default_rng([seed, candidates, SCHEMES.index(scheme)])
    parts, samples = held_out_parts(scheme, seed)
    labels, predictions = coins(rng, samples), coins(rng, candidates, samples)
    fresh = coins(rng, samples)
    right = predictions == labels
    scores = np.array([right[:, part].mean(axis=1) for part in parts])  # (parts, candidates)
    if scheme == NESTED:  # the other folds choose, this one scores the choice
        chosen = [np.delete(scores, i, axis=0).mean(axis=0).argmax() for i in range(len(parts))]
        score = np.mean([scores[i, k] for i, k in enumerate(chosen)])
        on_fresh = np.mean(
            [
                (predictions[k, part] == fresh[part]).mean()
                for k, part in zip(chosen, parts, strict=True)
            ]
        )
        return score, on_fresh
    best = scores.mean(axis=0).argmax()
    scored = np.concatenate(parts)  # as many as before, so that both scores spread alike
    return scores.mean(axis=0)[best], (predictions[best, scored] == fresh[scored]).mean()


@cache  # the same however many candidates there are
def estimates(scheme, seeds):
    """Those of all seeds, hold-out or 5-fold."""
    return np.array([estimate(scheme, seed) for seed in seeds])


def estimate(scheme, seed):
    """Estimated squared error of a cubic fit to 30 noisy points."""
    from suite.datasets import cubic
    from suite.theory.resampling import hold_out, k_fold_indices

    x, y = cubic(POINTS, seed=seed)
    stream = [seed, 1]  # `seed` alone draws the points: a split must know nothing of them
    if scheme == HOLD_OUT:
        splits = [hold_out(POINTS, 1 / FOLDS, stream)]
    else:
        splits = k_fold_indices(POINTS, FOLDS, stream)
    powers = np.vander(x, DEGREE + 1)
    errors = []
    for training, held_out in splits:
        w = np.linalg.lstsq(powers[training], y[training], rcond=None)[0]
        errors.append(np.mean((powers[held_out] @ w - y[held_out]) ** 2))
    return np.mean(errors)


def measure(cell, seeds):
    """The winner's score, the same on fresh samples, and the estimate for one model."""
    best, fresh = np.array([winner(cell.candidates, cell.scheme, int(s)) for s in seeds]).T
    return Measurements(
        metrics={
            "winner_score": best,
            "winner_theory": np.full(len(seeds), best_of_coin_flips(cell.candidates)),
            "hoeffding": np.full(
                len(seeds), 0.5 + math.sqrt(math.log(cell.candidates) / (2 * SCORED))
            ),
            "fresh_score": fresh,
            "chance": np.full(len(seeds), 0.5),
            # One model leaves nothing to choose: nested folds are folds.
            "estimate": estimates(
                FOLDED if cell.scheme == NESTED else cell.scheme, tuple(int(s) for s in seeds)
            ),
        }
    )


EXPERIMENT = Experiment(
    claim="C58",
    lens="generalization",
    hypotheses=(
        Hypothesis(
            "C58.stated",
            "The validation score of the architecture that was picked measures how well it "
            "generalizes.",
            Agreement("winner_score", expected="chance", where={"scheme": CHOOSING}),
            kind="as stated",
            formula=r"\mathbb{E}\left[\max_k s_k\right] = \max_k \mathbb{E}[s_k]",
        ),
        Hypothesis(
            "C58.winners_curse",
            "The winner's score is the largest of K binomial variables, far above what the "
            "winner is worth, and rotating the folds does not change that.",
            every(
                *(
                    Agreement(
                        "winner_score",
                        "winner_theory",
                        "chance",
                        where={"candidates": k, "scheme": CHOOSING},
                    )
                    for k in CANDIDATES[1:]
                )
            ),
            formula=r"\mathbb{E}\left[\max_k s_k\right] = "
            r"\frac{1}{M} \sum_{m=1}^{M} \left(1 - F(m - 1)^K\right)",
            mutants=(
                Mutant("no selection bias", {"expected": "chance"}),
                Mutant("Hoeffding's bound taken for the value", {"expected": "hoeffding"}),
            ),
        ),  # fmt: skip
        Hypothesis(
            "C58.third_set",
            "On labels that took no part in the selection, the winner's score is unbiased.",
            Agreement("fresh_score", expected="chance"),
            mutants=(Mutant("the score that picked it", {"metric": "winner_score"}),),
        ),
        Hypothesis(
            "C58.nested",
            "Nested cross-validation, where other folds choose than the one that scores, reports "
            "an unbiased score without a third set.",
            Agreement("winner_score", expected="chance", where={"scheme": NESTED}),
            mutants=(Mutant("the folds that chose score too", {"where": {"scheme": FOLDED}}),),
        ),
        Hypothesis(
            "C58.rotation",
            "Cross-validation is not hold-out validation: averaging over five rotations gives an "
            "estimate with a smaller standard deviation.",
            Ratio(
                "estimate",
                "scheme",
                HOLD_OUT,
                FOLDED,
                of="sd",
                low=1.0,
                where={"candidates": CANDIDATES[0]},
            ),
            formula=r"\frac{\mathrm{sd}(\text{hold-out})}{\mathrm{sd}(5\text{-fold})} > 1",
            mutants=(Mutant("hold-out is the steadier", {"first": FOLDED, "second": HOLD_OUT}),),
        ),  # fmt: skip
    ),
    factors={"candidates": CANDIDATES, "scheme": SCHEMES},
    # Squared errors have heavy tails: over blocks of 1000 seeds the ratio of standard deviations
    # varies by 15 %. That tells it from 1, at an expected excess of 50 % or more, and not from the
    # √5 of five independent scores. The winner's law alone would need 64 seeds, to tell it from
    # Hoeffding's bound.
    seeds=1000,
    paired=("data",),
    metrics={
        "winner_score": Metric("validation score of the best of K guessing classifiers", "share"),
        "winner_theory": Metric("expected largest of K binomial shares", "share"),
        "hoeffding": Metric("bound on that expectation", "share"),
        "fresh_score": Metric("score of the winner on labels not used so far", "share"),
        "chance": Metric("expected score of each classifier", "share"),
        "estimate": Metric("estimated squared error of a cubic fit", "1", better="lower"),
    },
    figure=(
        Histogram(
            x="winner_score",
            by="candidates",
            where={"scheme": HOLD_OUT},
            x_label="validation score of the winner",
            title="The more candidates, the better the best guesser looks",
            slide=0.5,
        ),
        Histogram(
            x="estimate",
            by="scheme",
            where={"candidates": CANDIDATES[0], "scheme": CHOOSING},
            log="x",
            x_label="estimated squared error",
            title="Five rotations agree better with one another than single hold-outs",
        ),
    ),
    measure=measure,
    finding="The best of many guessing classifiers scores well above chance on the set that "
    "picked it and at chance on a fresh one; what the slide describes is hold-out validation, "
    "which spreads {rotation:.2f} times as much as five-fold cross-validation.",
    stated=r"\hat{k} = \arg\max_k s_k, \quad \text{reported: } s_{\hat{k}}",
    corrected=r"\mathbb{E}[s_{\hat{k}}] = \frac{1}{M} \sum_{m=1}^{M} "
    r"\left(1 - F(m - 1)^K\right) > \frac{1}{2}",
    figures=("F24",),
    components=("suite.theory.resampling.hold_out", "suite.theory.resampling.k_fold_indices"),
    limits="Guessing classifiers are the worst case: independent, and all equally good. Correlated "
    "candidates of different quality suffer less.",
)
