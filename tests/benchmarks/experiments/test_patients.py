"""The table of patients against scikit-learn's."""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler

from benchmarks.experiments.learning_theory._patients import patients, standardized


def test_rows_are_those_of_scikit_learn_in_another_order():
    x, y = load_diabetes(return_X_y=True, scaled=False)
    wanted = StandardScaler().fit_transform(np.column_stack([x, y]))
    found = np.column_stack(patients())
    assert found.shape == (442, 11)
    wanted, found = (table[np.lexsort(np.round(table, 4).T)] for table in (wanted, found))
    np.testing.assert_allclose(found, wanted, atol=1e-5)  # inputs are stored in single precision


def test_columns_are_standardized_each_by_itself():
    x = standardized(np.array([[1.0, 10.0], [3.0, 50.0]]))
    np.testing.assert_allclose(x, [[-1, -1], [1, 1]])
