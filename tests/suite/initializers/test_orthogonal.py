"""In order: orthogonality, Keras at equal seeds, lengths through many layers, edges."""

import keras
import numpy as np
import pytest
from backends import numpy

from suite.initializers import GlorotNormal, Orthogonal

SHAPES = [(5, 5), (7, 4), (4, 7), (3, 2, 5, 4), (2, 1, 2, 9)]


def matrix(w):
    return numpy(w).reshape(-1, w.shape[-1])


@pytest.mark.parametrize("gain", [1.0, 1.7, -0.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_singular_value_is_the_gain(shape, gain):
    w = matrix(Orthogonal(gain, seed=3)(shape))
    rows, columns = w.shape
    product = w.T @ w if rows >= columns else w @ w.T
    np.testing.assert_allclose(product, gain**2 * np.eye(min(w.shape)), atol=1e-5)


@pytest.mark.parametrize("gain", [1.0, 1.7])
@pytest.mark.parametrize("shape", SHAPES)
def test_draws_equal_keras(shape, gain):
    ours = Orthogonal(gain, seed=11)(shape)
    theirs = keras.initializers.Orthogonal(gain, seed=11)(shape)
    np.testing.assert_array_equal(numpy(ours), numpy(theirs))


def mean_of_a_corner(draw):
    return np.mean([draw(seed)[0, 0] for seed in range(200)])


def qr_without_signs(seed):
    """A mutant: the signs of R are fixed by the algorithm, so Q alone is not uniform."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(5, 3)))
    return q


def test_the_entries_have_mean_zero():
    # One entry has variance 1/5; 4 standard errors of the mean of 200.
    bound = 4 * np.sqrt(1 / 5 / 200)
    assert abs(mean_of_a_corner(lambda seed: numpy(Orthogonal(seed=seed)((5, 3))))) < bound
    assert abs(mean_of_a_corner(qr_without_signs)) > bound


def test_a_thousand_steps_keep_the_length_where_equal_variances_do_not():
    x = np.random.default_rng(0).normal(size=16)
    ratios = {}
    for cls in (Orthogonal, GlorotNormal):
        w, y = numpy(cls(seed=4)((16, 16))).astype("float64"), x
        for _ in range(1000):
            y = w @ y
        ratios[cls] = np.linalg.norm(y) / np.linalg.norm(x)
    assert ratios[Orthogonal] == pytest.approx(1, abs=1e-3)  # 1000 times 1e-6 of float32
    assert not 0.1 < ratios[GlorotNormal] < 10


def test_an_integer_seed_repeats_and_a_generator_does_not():
    fixed = Orthogonal(seed=1)
    np.testing.assert_array_equal(numpy(fixed((3, 2))), numpy(fixed((3, 2))))
    moving = Orthogonal(seed=keras.random.SeedGenerator(1))
    assert not np.array_equal(numpy(moving((3, 2))), numpy(moving((3, 2))))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_rounded_from_float32(dtype):
    exact = Orthogonal(seed=1)((5, 3))
    rounded = Orthogonal(seed=1)((5, 3), dtype=dtype)
    assert keras.backend.standardize_dtype(rounded.dtype) == dtype
    np.testing.assert_array_equal(
        numpy(keras.ops.cast(rounded, "float32")),
        numpy(keras.ops.cast(keras.ops.cast(exact, dtype), "float32")),
    )


@pytest.mark.parametrize("shape", [(), (7,)])
def test_refuses_a_vector(shape):
    with pytest.raises(ValueError, match=r"shape must have two axes or more, received \("):
        Orthogonal()(shape)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gain": "relu"}, "gain must be a finite number, received 'relu'"),
        ({"seed": 0.5}, "seed must be an integer, received 0.5"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Orthogonal(**arguments)
