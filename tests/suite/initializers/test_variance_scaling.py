"""In order: fans by hand, equality with Keras at equal seeds, the variance law, edges."""

import keras
import numpy as np
import pytest
import scipy.stats
from backends import numpy

from suite import initializers
from suite.initializers.variance_scaling import TRUNCATED_STANDARD_DEVIATION, fans

NAMES = [
    name
    for name in initializers.__all__
    if issubclass(getattr(initializers, name), initializers.VarianceScaling)
    and name != "VarianceScaling"
]
SHAPES = [(), (7,), (7, 4), (3, 5, 7, 4)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((), (1, 1)), ((7,), (7, 7)), ((7, 4), (7, 4)), ((3, 5, 7, 4), (3 * 5 * 7, 3 * 5 * 4))],
)
def test_fans_by_hand(shape, expected):
    assert fans(shape) == expected


def test_fans_of_named_axes():
    assert fans((7, 2, 5), input_axes=[0], output_axes=[1, 2]) == (7, 10)


def test_the_constant_is_the_deviation_of_a_truncated_normal():
    assert scipy.stats.truncnorm(-2, 2).std() == pytest.approx(
        TRUNCATED_STANDARD_DEVIATION, rel=1e-12
    )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_draws_equal_keras(name, shape):
    ours = getattr(initializers, name)(seed=11)(shape)
    theirs = getattr(keras.initializers, name)(seed=11)(shape)
    np.testing.assert_array_equal(numpy(ours), numpy(theirs))


@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform"])
@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg"])
def test_every_form_draws_as_keras(mode, distribution):
    arguments = {"scale": 1.7, "mode": mode, "distribution": distribution, "seed": 5}
    ours = initializers.VarianceScaling(**arguments)((7, 4))
    theirs = keras.initializers.VarianceScaling(**arguments)((7, 4))
    np.testing.assert_array_equal(numpy(ours), numpy(theirs))


def wrong_scale_for_leaky(fan_in, slope):
    """A mutant: (1 + a)^2 in place of 1 + a^2."""
    return 2 / ((1 + slope) ** 2 * fan_in)


@pytest.mark.parametrize("name", ["HeNormal", "HeUniform"])
@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_the_variance_of_he_with_a_leaky_slope(name, slope):
    shape = (300, 200)
    w = numpy(getattr(initializers, name)(seed=3, negative_slope=slope)(shape))
    theory = 2 / ((1 + slope**2) * 300)
    # The variance of 60,000 draws has a relative error below sqrt(2 / 60000) = 0.6 %; 4 of them.
    assert w.var() == pytest.approx(theory, rel=0.024)
    if slope:
        assert w.var() != pytest.approx(wrong_scale_for_leaky(300, slope), rel=0.024)


def test_a_relu_layer_keeps_the_second_moment_under_he():
    fan_in = 400
    x = np.random.default_rng(1).normal(size=(500, fan_in))
    w = numpy(initializers.HeNormal(seed=2)((fan_in, 300)))
    second_moment = np.mean(np.maximum(x @ w, 0) ** 2)
    # The kernel's own relative variance error is below sqrt(2 / 120000) = 0.4 %, the columns'
    # sqrt(2 / 300) = 8 % is averaged over 500 inputs of norm error sqrt(2 / 400) / sqrt(500).
    assert second_moment == pytest.approx(1.0, rel=0.03)


def test_an_integer_seed_repeats_and_a_generator_does_not():
    fixed = initializers.GlorotNormal(seed=1)
    np.testing.assert_array_equal(numpy(fixed((3, 2))), numpy(fixed((3, 2))))
    moving = initializers.GlorotNormal(seed=keras.random.SeedGenerator(1))
    assert not np.array_equal(numpy(moving((3, 2))), numpy(moving((3, 2))))


def test_no_seed_follows_the_global_one_and_a_clone_draws_anew():
    keras.utils.set_random_seed(4)
    first = initializers.HeNormal()
    keras.utils.set_random_seed(4)
    np.testing.assert_array_equal(numpy(first((3, 2))), numpy(initializers.HeNormal()((3, 2))))
    clone = initializers.HeNormal.from_config(first.get_config())
    assert not np.array_equal(numpy(first((3, 2))), numpy(clone((3, 2))))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0}, "`scale` must be positive float, received 0"),
        ({"mode": "fan"}, "Invalid `mode` argument: .*, received 'fan'"),
        ({"distribution": "cauchy"}, "Invalid `distribution` argument: .*, received 'cauchy'"),
        ({"seed": 1.5}, "seed must be an integer, received 1.5"),
        ({"input_axes": 0}, "input_axes must be None or a list of integers, received 0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        initializers.VarianceScaling(**arguments)
