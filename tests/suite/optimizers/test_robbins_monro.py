import keras
import numpy as np
import pytest
from backends import numpy

from suite.optimizers import SGD, RobbinsMonro


def test_the_first_steps_by_hand():
    steps = np.arange(4)
    np.testing.assert_allclose(
        numpy(RobbinsMonro(0.6)(steps)), [0.6, 0.3, 0.2, 0.15], rtol=1e-6
    )  # float32
    half = RobbinsMonro(0.6, power=0.5, offset=3.0)
    np.testing.assert_allclose(numpy(half(steps[:2])), [0.3, 0.6 / np.sqrt(5)], rtol=1e-6)
    np.testing.assert_array_equal(numpy(RobbinsMonro(0.5, power=0.0)(steps)), 0.5)


def test_sgd_with_rate_one_over_t_is_the_running_mean():
    """w - (w - x) / t averages the x; every step counts, so an off-by-one in t would show."""
    samples = np.random.default_rng(0).normal(3.0, 2.0, (37, 2)).astype("float32")
    w, optimizer = keras.Variable(np.ones(2, "float32")), SGD(RobbinsMonro(c=1.0))
    for x in samples:
        optimizer.apply([w.value - x], [w])
    np.testing.assert_allclose(numpy(w), samples.mean(axis=0), rtol=1e-5)  # float32, 37 steps


@pytest.mark.parametrize(
    ("power", "satisfied"), [(0.0, False), (0.5, False), (0.51, True), (1.0, True), (1.01, False)]
)
def test_the_conditions(power, satisfied):
    schedule = RobbinsMonro(0.7, power)
    assert schedule.satisfies_conditions is satisfied
    # A series of c / t^p converges if and only if its dyadic blocks shrink by a factor, 2^(1 - p).
    rates = numpy(schedule(np.arange(2**14 - 1))).astype("float64")
    blocks = [r[2**13 - 1 :].sum() / r[2**12 - 1 : 2**13 - 1].sum() for r in (rates, rates**2)]
    converges = [block < 0.999 for block in blocks]
    assert (not converges[0] and converges[1]) == satisfied


@pytest.mark.parametrize(
    ("c", "power", "slope", "tolerance"),
    [
        # Claim C32, curvature mu = 1: c / t needs c > 1/2, below it the exponent is 2 c.
        (0.1, 1.0, -0.2, 0.005),
        (0.25, 1.0, -0.5, 0.005),
        (1.0, 1.0, -1.0, 0.005),
        (2.0, 1.0, -1.0, 0.005),
        (1.0, 0.75, -0.75, 0.02),
        (1.0, 0.5, -0.5, 0.01),  # violates the conditions, and converges
        (1.0, 0.0, 0.0, 1e-9),  # constant: stays at its noise
        (0.5, 2.0, 0.0, 1e-4),  # sum of the rates is finite: stops on the way
    ],
)
def test_speed_of_the_mean_squared_error(c, power, slope, tolerance):
    """E w^2 on w^2 / 2 with unit gradient noise, by its exact recursion; slope over a decade."""
    rates = numpy(RobbinsMonro(c, power)(np.arange(100_000))).astype("float64")
    m, at = 1.0, {}
    for t, rate in enumerate(rates, 1):
        m = (1 - rate) ** 2 * m + rate**2
        if t in (10_000, 100_000):
            at[t] = m
    assert np.log10(at[100_000] / at[10_000]) == pytest.approx(slope, abs=tolerance)


def test_is_saved_with_its_optimizer():
    optimizer = SGD(RobbinsMonro(0.3, 0.6, 2.0))
    again = SGD.from_config(optimizer.get_config())._learning_rate
    assert again.get_config() == {"c": 0.3, "power": 0.6, "offset": 2.0}


def test_a_model_trains_with_it():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(SGD(RobbinsMonro(0.1, 0.75)), "mse")
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    losses = model.fit(x, x[:, :1], epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"c": 0.0}, "c must be positive, received 0.0"),
        ({"c": 1.0, "power": -0.5}, "power must be zero or positive, received -0.5"),
        ({"c": 1.0, "power": float("inf")}, "power must be zero or positive, received inf"),
        ({"c": 1.0, "offset": -1}, "offset must be zero or positive, received -1"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        RobbinsMonro(**arguments)
