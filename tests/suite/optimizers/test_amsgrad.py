import keras
import numpy as np
import pytest
from backends import numpy

from suite.optimizers import Adam, AMSGrad, RobbinsMonro


def test_two_steps_by_hand():
    w, optimizer = keras.Variable([0.0]), AMSGrad(1.0, 0.5, 0.75, epsilon=0.0, debias=False)
    optimizer.apply([keras.ops.array([8.0])], [w])  # mu = 4, nu = 16
    assert numpy(w).tolist() == [-1.0]
    optimizer.apply([keras.ops.array([-2.0])], [w])  # mu = 1, nu = 13, the largest stays 16
    assert numpy(w).tolist() == [-1.25]


def test_is_the_amsgrad_of_keras():
    rng = np.random.default_rng(0)
    start, ours, theirs = rng.normal(1.0, 2.0, (3, 2)), AMSGrad(0.1), None
    theirs = keras.optimizers.Adam(0.1, amsgrad=True)
    v, w = keras.Variable(start, dtype="float32"), keras.Variable(start, dtype="float32")
    for scale in np.geomspace(10.0, 0.1, 20):  # falling, so that the maximum is not the last
        gradient = keras.ops.convert_to_tensor(rng.normal(0.3, scale, (3, 2)), "float32")
        ours.apply([gradient], [v])
        theirs.apply([gradient], [w])
    # Weights up to 4 have an ulp of 2.4e-7; 20 steps may each be off by one.
    np.testing.assert_allclose(numpy(v), numpy(w), rtol=0, atol=5e-6)
    assert len(ours.variables) == len(theirs.variables)


@pytest.mark.parametrize(("cls", "end"), [(Adam, 1.0), (AMSGrad, -1.0)])
def test_the_counter_example_of_reddi(cls, end):
    """Slopes 3, -1, -1, repeated, on [-1, 1]: the sum falls towards -1, and Adam goes to +1.

    Theorem 2 of the paper with C = 3: beta_1 = 0, beta_2 = 1 / (1 + C^2), rate c / sqrt(t).
    """
    w = keras.Variable([0.0])
    w.constraint = lambda value: keras.ops.clip(value, -1.0, 1.0)
    optimizer = cls(RobbinsMonro(0.5, power=0.5), 0.0, 0.1, epsilon=0.0, debias=False)
    slopes = [keras.ops.array([slope]) for slope in (3.0, -1.0, -1.0)]
    for t in range(900):
        optimizer.apply([slopes[t % 3]], [w])
    # A period ends with two steps of c / sqrt(900) / sqrt(0.9 * 9) = 0.006 away from -1.
    assert float(numpy(w)[0]) == pytest.approx(end, abs=0.013)


def test_refuses():
    with pytest.raises(ValueError, match=r"beta_2 must lie in \[0, 1\), received 1.0"):
        AMSGrad(beta_2=1.0)
    with pytest.raises(ValueError, match="epsilon must be zero or positive, received -1"):
        AMSGrad(epsilon=-1)
