"""In order: by hand, scikit-learn and Keras, the theory of the starting point, edges."""

import keras
import numpy as np
import pytest
import scipy.special
import sklearn.linear_model
from backends import BACKEND, WIDEST, compiled, numpy, value_and_gradients

import suite
from suite.models import LogisticRegression, MultilayerPerceptron, SoftmaxRegression

SAMPLES, FEATURES, CLASSES = 60, 4, 3
RNG = np.random.default_rng(0)
X = RNG.normal(0.5, 1.0, (SAMPLES, FEATURES)).astype("float32")
LABELS = RNG.integers(0, CLASSES, SAMPLES)


def test_logistic_regression_starts_undecided():
    assert np.all(LogisticRegression(FEATURES)(X) == 0)  # logits
    assert np.all(LogisticRegression(FEATURES, output_activation="sigmoid")(X) == 0.5)


def descend(model, loss, y, steps, penalty):
    """Plain gradient descent on mean loss + penalty / 2 * |kernel|^2, compiled."""
    if not model.built:
        model.build((None, FEATURES))
    weights = model.trainable_variables

    def value(kernel, bias):
        with keras.StatelessScope([(weights[0], kernel), (weights[1], bias)]):
            return loss(y, model(X)) + penalty / 2 * keras.ops.sum(kernel**2)

    def step(kernel, bias):
        _, slopes = value_and_gradients(value)(kernel, bias)
        return [w - 0.5 * slope for w, slope in zip((kernel, bias), slopes, strict=True)]

    step = compiled(step)
    found = [keras.ops.convert_to_tensor(numpy(w)) for w in weights]
    for _ in range(steps):
        found = step(*found)
    return [numpy(w) for w in found]


def test_logistic_regression_finds_the_optimum_of_scikit_learn():
    y = (LABELS == 0).astype("float32")
    penalty = 0.1
    kernel, bias = descend(
        LogisticRegression(FEATURES, dtype=WIDEST),
        suite.losses.BinaryCrossentropy(from_logits=True, dtype=WIDEST),
        y,
        2000,
        penalty,
    )
    # scikit-learn minimizes the sum of losses times C plus |w|^2 / 2.
    reference = sklearn.linear_model.LogisticRegression(C=1 / (penalty * SAMPLES), tol=1e-10)
    reference.fit(X.astype("float64"), y)
    np.testing.assert_allclose(kernel[:, 0], reference.coef_[0], rtol=1e-4)  # its own tolerance
    np.testing.assert_allclose(bias, reference.intercept_, rtol=1e-4)


def test_softmax_regression_finds_the_optimum_of_scikit_learn():
    penalty = 0.1
    kernel, bias = descend(
        SoftmaxRegression(FEATURES, CLASSES, dtype=WIDEST),
        suite.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=WIDEST),
        LABELS,
        2000,
        penalty,
    )
    reference = sklearn.linear_model.LogisticRegression(C=1 / (penalty * SAMPLES), tol=1e-10)
    reference.fit(X.astype("float64"), LABELS)
    ours = scipy.special.softmax(X @ kernel + bias, -1)
    np.testing.assert_allclose(ours, reference.predict_proba(X.astype("float64")), rtol=1e-4)


@pytest.mark.parametrize("batch_normalization", [False, True])
def test_multilayer_perceptron_trains_as_the_same_layers_of_keras(batch_normalization):
    ours = MultilayerPerceptron((7, 5), CLASSES, "tanh", batch_normalization)
    stack = [keras.Input((FEATURES,))]
    for units in (7, 5):
        stack.append(keras.layers.Dense(units, use_bias=not batch_normalization))
        if batch_normalization:
            stack.append(keras.layers.BatchNormalization())
        stack.append(keras.layers.Activation("tanh"))
    theirs = keras.Sequential([*stack, keras.layers.Dense(CLASSES)])
    ours.build((None, FEATURES))
    theirs.set_weights(ours.get_weights())
    for model in (ours, theirs):
        model.compile(
            keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        )
        model.fit(X, LABELS, epochs=3, batch_size=20, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)  # float32, 9 steps
    np.testing.assert_allclose(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), atol=1e-5)


def test_layers_of_equal_shape_start_differently_and_seeds_repeat():
    def kernels(seed, initializer="he_normal"):
        model = MultilayerPerceptron((6, 6, 6), kernel_initializer=initializer, seed=seed)
        model.build((None, 6))
        return [w.numpy() for w in model.trainable_weights if w.name == "kernel"]

    first, again, other = kernels(3), kernels(3), kernels(4)
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], first[1])
    own_seed = kernels(None, suite.initializers.HeNormal(seed=3))
    np.testing.assert_array_equal(own_seed[0], first[0])
    unseeded = kernels(None)
    assert not np.array_equal(unseeded[0], unseeded[1])


def test_a_clone_has_the_same_shape_and_weights_of_its_own():
    model = MultilayerPerceptron((7,), 2, seed=1)
    model.build((None, FEATURES))
    clone = keras.models.clone_model(model)
    clone.build((None, FEATURES))
    assert [w.shape for w in clone.weights] == [w.shape for w in model.weights]
    clone.set_weights([w + 1 for w in model.get_weights()])
    assert not np.allclose(clone(X), model(X))


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the compiled loop is TensorFlow's")
def test_stacked_weights_run_through_stateless_call():
    """What the compiled loop does to train several seeds side by side."""
    model = MultilayerPerceptron((7,), 2, batch_normalization=True, seed=1)
    model.build((None, FEATURES))
    import tensorflow as tf

    weights = [w.value for w in model.trainable_variables]
    others = [w.value for w in model.non_trainable_variables]
    stacked = [tf.stack([w, 2 * w, 3 * w]) for w in weights]
    together = tf.vectorized_map(
        lambda w: model.stateless_call(w, others, X, training=True)[0], stacked
    )
    for index in range(3):
        alone, _ = model.stateless_call([w[index] for w in stacked], others, X, training=True)
        np.testing.assert_allclose(together[index], alone, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LogisticRegression(0), "features must be a positive integer, received 0"),
        (lambda: SoftmaxRegression(3, 1.5), "outputs must be a positive integer, received 1.5"),
        (lambda: MultilayerPerceptron(64), "units must be a sequence .*, received 64"),
        (lambda: MultilayerPerceptron((64, 0)), "units must be a positive integer, received 0"),
        (lambda: MultilayerPerceptron(seed="a"), "seed must be an integer, received 'a'"),
        (lambda: MultilayerPerceptron(activation="rellu"), "rellu"),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
