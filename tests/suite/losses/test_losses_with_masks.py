"""What every loss takes over from `keras.losses.Loss`: masks, sample weights, compiled training."""

import keras
import numpy as np
import pytest
from backends import compiled, numpy

from suite import losses

BATCH, TIME, FEATURES, CLASSES = 6, 5, 2, 3
RNG = np.random.default_rng(0)
X = RNG.normal(0.7, 1.0, (BATCH, TIME, FEATURES)).astype("float32")
X[RNG.random((BATCH, TIME)) < 0.3] = 0  # what `Masking` hides
INTEGERS = RNG.integers(0, CLASSES, (BATCH, TIME))
ONE_HOT = np.eye(CLASSES, dtype="float32")[INTEGERS]


def labels(name):
    return INTEGERS if name.startswith("Sparse") else ONE_HOT


def masked_predictions():
    """Probabilities that carry the mask, as the last layer of a model makes them.

    The factor 1 hides from Keras's binary cross-entropy where they come from: on TensorFlow it
    would take the logits of the softmax for those of a sigmoid.
    """
    dense = keras.layers.Dense(CLASSES, lambda z: 1.0 * keras.ops.softmax(z))
    dense.build((None, FEATURES))
    dense.kernel.assign(np.float32([[0.5, -1.0, 0.3], [-0.2, 0.4, 1.1]]))
    return dense(keras.layers.Masking()(X))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight", None])
@pytest.mark.parametrize("name", losses.__all__)
def test_masks_and_weights_count_as_in_keras(name, reduction, weighted):
    weight = np.linspace(0.5, 2.0, BATCH * TIME, dtype="float32").reshape(BATCH, TIME)
    given = {"sample_weight": weight} if weighted else {}
    ours, theirs = (
        getattr(module, name)(reduction=reduction)(labels(name), masked_predictions(), **given)
        for module in (losses, keras.losses)
    )
    np.testing.assert_allclose(numpy(ours), numpy(theirs), rtol=1e-5)


@pytest.mark.parametrize("name", losses.__all__)
def test_what_is_masked_does_not_count(name):
    changed = labels(name).copy()
    changed[(X == 0).all(-1)] = 0
    assert not np.array_equal(changed, labels(name))
    loss = getattr(losses, name)()
    first, second = (float(loss(y, masked_predictions())) for y in (labels(name), changed))
    assert first == pytest.approx(second, rel=1e-6)
    without = keras.ops.convert_to_tensor(numpy(masked_predictions()))
    assert first != pytest.approx(float(loss(labels(name), without)), rel=1e-3)


@pytest.mark.parametrize("name", losses.__all__)
def test_a_weight_of_two_counts_twice(name):
    p = np.full((BATCH, CLASSES), 0.2, "float32") + 0.4 * ONE_HOT[:, 1]
    y, loss = labels(name)[:, 0], getattr(losses, name)(reduction="sum")
    twice = loss(y, p, sample_weight=np.float32([2, 1, 1, 1, 1, 1]))
    single = loss(y, p) + loss(y[:1], p[:1])
    assert float(twice) == pytest.approx(float(single), rel=1e-6)


@pytest.mark.parametrize("name", losses.__all__)
def test_compiled_as_eager(name):
    p = np.full((BATCH, CLASSES), 0.2, "float32") + 0.4 * ONE_HOT[:, 1]
    y, loss = labels(name)[:, 0], getattr(losses, name)()
    y = keras.ops.convert_to_tensor(y)
    one = numpy(compiled(loss)(y, keras.ops.convert_to_tensor(p)))
    np.testing.assert_allclose(one, numpy(loss(y, p)), rtol=1e-6)


@pytest.mark.parametrize("name", losses.__all__)
def test_the_config_makes_the_same_loss(name):
    loss = getattr(losses, name)(reduction="sum", name="mine")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
    assert (again.reduction, again.name) == ("sum", "mine")
