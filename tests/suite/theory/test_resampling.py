import numpy as np
import pytest
from sklearn.model_selection import KFold

from suite.theory import hold_out, k_fold_indices


@pytest.mark.parametrize(("samples", "folds"), [(17, 5), (10, 2), (7, 7)])
def test_the_folds_are_those_of_scikit_learn(samples, folds):
    ours, sklearn = k_fold_indices(samples, folds), KFold(folds).split(np.zeros(samples))
    for (training, held_out), (theirs, theirs_out) in zip(ours, sklearn, strict=True):
        np.testing.assert_array_equal(training, theirs)
        np.testing.assert_array_equal(held_out, theirs_out)


def test_shuffled_folds_partition_the_samples():
    folds = k_fold_indices(17, 5, seed=3)
    parts = np.concatenate([held_out for _, held_out in folds])
    np.testing.assert_array_equal(np.sort(parts), np.arange(17))
    assert sorted(len(held_out) for _, held_out in folds) == [3, 3, 3, 4, 4]
    for training, held_out in folds:
        assert not set(training) & set(held_out) and len(training) + len(held_out) == 17
    again = k_fold_indices(17, 5, seed=3)
    np.testing.assert_array_equal(again[2][1], folds[2][1])
    assert any((a[1] != b[1]).any() for a, b in zip(folds, k_fold_indices(17, 5), strict=True))


def test_hold_out_partitions_the_samples():
    training, held_out = hold_out(23, 0.3, seed=1)
    assert len(held_out) == 7  # 6.9
    np.testing.assert_array_equal(np.sort(np.append(training, held_out)), np.arange(23))
    assert not np.array_equal(hold_out(23, 0.3, seed=2)[1], held_out)
    assert [len(part) for part in hold_out(2, 0.01, seed=0)] == [1, 1]


def test_bad_arguments():
    with pytest.raises(ValueError, match="folds must lie between 2 and 5 samples, received 6"):
        k_fold_indices(5, 6)
    with pytest.raises(ValueError, match="folds must lie between 2 and 5 samples, received 1"):
        k_fold_indices(5, 1)
    with pytest.raises(ValueError, match=r"fraction must lie in \(0, 1\), received 1"):
        hold_out(5, 1, seed=0)
    with pytest.raises(ValueError, match="samples must be at least 2, received 1"):
        hold_out(1, 0.5, seed=0)
