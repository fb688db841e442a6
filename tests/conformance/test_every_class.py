"""What every public class and function of the library promises, checked on all of them.

Nothing is listed here by hand: the names come from the packages' `__all__`, what a class needs to
be built from `REQUIRED` by the name of the argument, and the shapes of inputs and outputs from
the `Shapes` section of its docstring. A new layer is checked as soon as it is exported.
"""

import inspect
import re

import keras
import numpy as np
import pytest
from backends import BACKEND, WIDEST, compiled, layer_function, numpy, scalar, value_and_gradients

import suite

# Arguments without a default, by name. A new class needs an entry only for a new name.
REQUIRED = {"units": 4, "filters": 4, "outputs": 4, "features": 3, "kernel_size": 2, "c": 0.5}
REQUIRED |= {"channels": 4, "pool_size": 2, "time_span": 20, "depth": 7}
# Layers inside layers, made anew for each, with the dtype of the outer one.
REQUIRED |= {
    "branch": lambda **dtype: keras.layers.Dense(3, "tanh", **dtype),
    "branches": lambda **dtype: [
        keras.layers.Dense(4, "tanh", **dtype),
        keras.layers.Dense(2, **dtype),
    ],
    "field": lambda **dtype: keras.layers.Dense(3, "tanh", **dtype),
    "layer": lambda **dtype: keras.layers.SimpleRNN(4, **dtype),
}
# Defaults that draw random numbers, which differ between a program and its compiled form.
NOT_RANDOM = {"dropout_rate": 0.0}
# Sizes of the axes that docstrings name; pairwise distinct, so that a swapped axis shows.
SIZES = {"batch": 6, "...": 5, "time": 5, "height": 7, "width": 8, "channels": 2, "features": 3}
SIZES |= {"classes": 4, "outputs": 10, "nodes": 9, "1": 1, "4": 4}
POLICIES = ["float32", "mixed_float16", "mixed_bfloat16"]
DTYPES = ["float16", "bfloat16", "float32"]
if WIDEST == "float64":
    POLICIES.append("float64")
    DTYPES.append("float64")
# Relative to numbers of size one: a few units in the last place of the dtype of the arithmetic.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12, "mixed_float16": 2e-2, "mixed_bfloat16": 1e-1}


def public(module, kind=inspect.isclass):
    return [
        pytest.param(getattr(module, name), id=name)
        for name in module.__all__
        if kind(getattr(module, name))
    ]


LAYERS = public(suite.layers)
MODELS = public(suite.models)
INITIALIZERS = public(suite.initializers)
LOSSES = public(suite.losses)
OPTIMIZERS = public(
    suite.optimizers, lambda c: inspect.isclass(c) and issubclass(c, keras.optimizers.Optimizer)
)
SCHEDULES = public(
    suite.optimizers, lambda c: inspect.isclass(c) and not issubclass(c, keras.optimizers.Optimizer)
)
ACTIVATIONS = public(suite.activations, callable)
CLASSES = LAYERS + MODELS + INITIALIZERS + LOSSES + OPTIMIZERS + SCHEDULES
# A cell is one time step, with states beside its input; its recurrent layer runs it here.
NETWORKS = [case for case in LAYERS + MODELS if not case.id.endswith("Cell")]


def parameters(cls):
    return {
        name: parameter
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    }


def make(cls, **arguments):
    dtype = {name: value for name, value in arguments.items() if name == "dtype"}
    required = {
        name: REQUIRED[name](**dtype) if callable(REQUIRED[name]) else REQUIRED[name]
        for name, parameter in parameters(cls).items()
        if parameter.default is parameter.empty and name not in arguments
    }
    fixed = {name: value for name, value in NOT_RANDOM.items() if name in parameters(cls)}
    return cls(**required | fixed | arguments)


def documented_shape(cls, label):
    """The axes' names after `label` in the docstring, e.g. ["batch", "...", "features"]."""
    text = " ".join(inspect.getdoc(cls).split("Shapes:")[1].split())
    found = re.search(rf"{label} `\(([^)]*)\)`", text)
    if found is None and re.search(rf"{label} the same", text):
        return None
    assert found, f"the docstring of {cls.__name__} has no shape of its {label}"
    return [axis.strip() for axis in found[1].split(",") if axis.strip()]


def sample(cls, dtype="float32", label="input"):
    shape = [SIZES[axis] for axis in documented_shape(cls, label)]
    # A mean away from zero, and away from kinks at zero.
    return np.random.default_rng(0).normal(0.7, 1.0, shape).astype(dtype)


def inputs(cls):
    """What the class is called with: an array, or a list `[x, adjacency]` for a layer on graphs."""
    x = sample(cls)
    if not re.search(r"Shapes:.*adjacency `\(", inspect.getdoc(cls), re.DOTALL):
        return x
    shape = [SIZES[axis] for axis in documented_shape(cls, "adjacency")]
    return [x, (np.random.default_rng(1).random(shape) < 0.4).astype("float32")]


def symbolic(x):
    return keras.tree.map_structure(lambda x: keras.Input(x.shape[1:]), x)


def shapes(x):
    return [array.shape for array in x] if isinstance(x, list) else x.shape


def equal_configs(a, b):
    assert keras.saving.serialize_keras_object(a) == keras.saving.serialize_keras_object(b)


# --- every class ---------------------------------------------------------------------------------


def test_something_was_discovered():
    for group in (LAYERS, MODELS, INITIALIZERS, LOSSES, OPTIMIZERS, ACTIVATIONS):
        assert group


@pytest.mark.parametrize("cls", CLASSES)
def test_config_round_trip(cls):
    instance = make(cls)
    again = cls.from_config(instance.get_config())
    assert type(again) is cls
    assert again.get_config() == instance.get_config()


@pytest.mark.parametrize("cls", CLASSES)
def test_the_config_holds_every_argument(cls):
    config = make(cls).get_config()
    for name in parameters(cls):
        if name != "dtype":  # which Keras's losses leave out
            assert name in config


@pytest.mark.parametrize("cls", CLASSES)
def test_keras_finds_the_class_by_its_registered_name(cls):
    name = keras.saving.get_registered_name(cls)
    assert name == f"dl_basics>{cls.__name__}"
    stored = keras.saving.serialize_keras_object(make(cls))
    assert type(keras.saving.deserialize_keras_object(stored)) is cls


@pytest.mark.parametrize("thing", CLASSES + ACTIVATIONS)
def test_docstring_has_its_sections(thing):
    text = inspect.getdoc(thing)
    sections = ["Args", "Raises", "Example", "Reference"]
    if issubclass_safely(thing, keras.layers.Layer) or thing in [p.values[0] for p in ACTIVATIONS]:
        sections.append("Shapes")
    for section in sections:
        assert re.search(rf"^{section}:$", text, re.MULTILINE), f"no section {section}"
    assert ">>>" in text.split("Example:")[1]


def issubclass_safely(thing, base):
    return inspect.isclass(thing) and issubclass(thing, base)


@pytest.mark.parametrize("thing", CLASSES + ACTIVATIONS)
def test_docstring_names_every_argument(thing):
    described = inspect.getdoc(thing).split("Args:")[1].split("Raises:")[0]
    for name in inspect.signature(thing).parameters:  # "kernel_initializer, bias_initializer: how"
        assert re.search(
            rf"^\s+([\w, ]+, )?(\*\*)?{name}(, [\w, ]+)?: ", described, re.MULTILINE
        ), name


@pytest.mark.parametrize("cls", CLASSES)
def test_nonsense_is_refused_with_the_value_in_the_message(cls):
    """Every argument but the free ones is given a string that no argument takes."""
    for name in parameters(cls):
        if name not in ("name", "dtype"):
            with pytest.raises(ValueError, match="no such thing"):
                make(cls, **{name: "no such thing"})


@pytest.mark.parametrize("cls", NETWORKS + OPTIMIZERS)
def test_an_unknown_argument_is_refused(cls):
    with pytest.raises(ValueError, match="no_such_argument"):
        make(cls, no_such_argument=1)


# --- layers and models ---------------------------------------------------------------------------


def network(cls):
    """The class as a model that can be saved."""
    instance = make(cls)
    if isinstance(instance, keras.Model):
        return instance
    x = symbolic(inputs(cls))
    return keras.Model(x, instance(x)) if isinstance(x, list) else keras.Sequential([x, instance])


@pytest.mark.parametrize("cls", NETWORKS)
def test_save_and_load(cls, tmp_path):
    x, model = inputs(cls), network(cls)
    y = model(x)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(x), y)


@pytest.mark.filterwarnings(
    "ignore:You are saving a model that has not yet been built"
)  # on purpose
@pytest.mark.parametrize("cls", NETWORKS)
def test_save_and_load_before_it_is_built(cls, tmp_path):
    instance = make(cls)
    if not isinstance(instance, keras.Model):
        instance = keras.Sequential([instance])
    instance.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again(inputs(cls)).shape == instance(inputs(cls)).shape


@pytest.mark.parametrize("cls", NETWORKS)
def test_the_shapes_are_the_documented_ones(cls):
    x, instance = inputs(cls), make(cls)
    y = instance(x)
    assert tuple(y.shape) == tuple(instance.compute_output_shape(shapes(x)))
    axes = documented_shape(cls, "output") or documented_shape(cls, "input")
    assert len(axes) == len(y.shape)
    for axis, size in zip(axes, y.shape, strict=True):
        expected = getattr(instance, axis, SIZES.get(axis)) if axis != "..." else SIZES["..."]
        assert expected is None or size == expected
    assert instance(symbolic(x)).shape == (None, *y.shape[1:])


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cls", NETWORKS)
def test_dtype_policies(cls, policy):
    instance = make(cls, dtype=policy)
    policy = keras.dtype_policies.get(policy)
    y = instance(inputs(cls), training=True) if takes_training(cls) else instance(inputs(cls))
    assert keras.backend.standardize_dtype(y.dtype) == policy.compute_dtype
    assert all(w.dtype == policy.variable_dtype for w in instance.weights)
    assert np.isfinite(np.asarray(y, "float64")).all()


def takes_training(cls):
    return "training" in inspect.signature(cls.call).parameters


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("cls", NETWORKS)
def test_eager_and_compiled_agree_and_gradients_are_finite(cls, policy):
    instance = make(cls, dtype=policy)
    mode = {"training": True} if takes_training(cls) else {}
    output, arrays = layer_function(instance, inputs(cls), None, **mode)
    tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
    y = numpy(output(*tensors))
    np.testing.assert_allclose(
        np.asarray(numpy(compiled(output)(*tensors)), "float64"),
        np.asarray(y, "float64"),
        rtol=0,
        atol=TOLERANCE[policy] * size(y),
    )
    step = value_and_gradients(lambda *tensors: scalar(output(*tensors)))
    _, eager = step(*tensors)
    _, together = compiled(step)(*tensors)
    for ours, reference in zip(map(numpy, together), map(numpy, eager), strict=True):
        # A sum over a batch of cancelling terms: rounding grows with the number of terms.
        bound = arrays[0].size * TOLERANCE[policy] * size(reference)
        assert np.isfinite(np.asarray(ours, "float64")).all()
        np.testing.assert_allclose(
            np.asarray(ours, "float64"), np.asarray(reference, "float64"), rtol=0, atol=bound
        )


def size(tensor):
    return max(1.0, np.abs(np.asarray(tensor, "float64")).max())


@pytest.mark.parametrize("cls", NETWORKS)
def test_a_training_step_reaches_every_weight(cls):
    x, model = inputs(cls), network(cls)
    if not model.trainable_weights:
        return  # pooling, for example, has nothing to learn
    model.compile("sgd", "mse")
    target = np.random.default_rng(1).normal(size=model(x).shape)
    before = [w.numpy() for w in model.trainable_weights]
    model.fit(x, target, epochs=2, verbose=0)
    for old, new in zip(before, model.trainable_weights, strict=True):
        assert not np.array_equal(old, new)


# --- initializers --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cls", INITIALIZERS)
def test_an_initializer_draws_what_is_asked(cls, dtype):
    w = make(cls)((7, 4), dtype=dtype)
    assert w.shape == (7, 4)
    assert keras.backend.standardize_dtype(w.dtype) == dtype
    assert np.isfinite(np.asarray(w, "float64")).all()


@pytest.mark.parametrize("cls", INITIALIZERS)
def test_an_initializer_draws_the_same_eagerly_and_compiled(cls):
    initializer = make(cls)
    eager, together = numpy(initializer((7, 4))), numpy(compiled(lambda: initializer((7, 4)))())
    if BACKEND == "tensorflow":
        # XLA has other algorithms for normal numbers, so only the size can be compared.
        assert np.abs(together).max() < 7
    else:
        np.testing.assert_allclose(together, eager, rtol=1e-6)


@pytest.mark.parametrize("cls", INITIALIZERS)
def test_a_layer_of_keras_saves_an_initializer(cls, tmp_path):
    model = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, kernel_initializer=make(cls))]
    )
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert type(again.layers[0].kernel_initializer) is cls


# --- losses --------------------------------------------------------------------------------------


def labels_and_predictions(cls, dtype="float32"):
    documented = documented_shape(cls, "y_pred")  # or "the same" as y_true
    predictions = np.abs(sample(cls, label="y_pred" if documented else "y_true"))
    predictions /= 1 + predictions.sum(-1, keepdims=True)  # valid probabilities, and valid logits
    axes = documented_shape(cls, "y_true")
    # 0 and 1 are labels of every loss.
    labels = np.random.default_rng(1).integers(0, 2, [SIZES[axis] for axis in axes])
    return labels.astype(dtype), predictions.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cls", LOSSES)
def test_a_loss_is_finite_and_positive_in_every_dtype(cls, dtype):
    y, prediction = labels_and_predictions(cls)
    value = make(cls, dtype=dtype)(y, prediction)
    assert value.shape == ()
    assert keras.backend.standardize_dtype(value.dtype) == dtype
    assert float(value) > 0


@pytest.mark.parametrize("cls", LOSSES)
def test_a_loss_and_its_gradient_agree_eagerly_and_compiled(cls):
    loss = make(cls, dtype=WIDEST)
    y, prediction = map(keras.ops.convert_to_tensor, labels_and_predictions(cls, WIDEST))
    step = value_and_gradients(lambda prediction: loss(y, prediction))
    (value, (slope,)), (again, (compiled_slope,)) = step(prediction), compiled(step)(prediction)
    np.testing.assert_allclose(numpy(again), numpy(value), rtol=TOLERANCE[WIDEST])
    np.testing.assert_allclose(numpy(compiled_slope), numpy(slope), rtol=TOLERANCE[WIDEST])
    assert np.isfinite(numpy(slope)).all()


@pytest.mark.parametrize("cls", LOSSES)
def test_a_compiled_model_saves_a_loss(cls, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", make(cls))
    model.save(tmp_path / "model.keras")
    equal_configs(keras.models.load_model(tmp_path / "model.keras").loss, model.loss)


# --- optimizers ----------------------------------------------------------------------------------


def takes_the_loss(cls):
    """Whether the optimizer minimizes a function, instead of applying its gradient."""
    return hasattr(cls, "minimize")


@keras.saving.register_keras_serializable(package="tests")
class SequentialWithLoss(suite.training.NewtonStep, keras.Sequential):
    """A model that hands its loss to such an optimizer."""


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_an_optimizer_goes_downhill_in_every_dtype(cls, dtype):
    w = keras.Variable(np.array([[1.0, -2.0, 3.0]]), dtype=dtype)
    optimizer = make(cls, learning_rate=0.1)
    for _ in range(5):
        if takes_the_loss(cls):
            optimizer.minimize(lambda: keras.ops.sum(w**2) / 2, [w])
        else:
            optimizer.apply([w.value], [w])  # w is the gradient of |w|^2 / 2
    assert np.linalg.norm(w.numpy().astype("float64")) < np.sqrt(14)
    assert keras.backend.standardize_dtype(w.dtype) == dtype


@pytest.mark.parametrize("cls", OPTIMIZERS)
def test_a_compiled_model_saves_an_optimizer_and_its_state(cls, tmp_path):
    kind = SequentialWithLoss if takes_the_loss(cls) else keras.Sequential
    model = kind([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(make(cls), "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras").optimizer
    assert type(again) is cls
    for ours, reference in zip(again.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(ours, reference)


# --- activations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", ACTIVATIONS)
def test_an_activation_keeps_shape_and_dtype_and_has_finite_slopes(function, dtype):
    x = keras.ops.cast(np.linspace(-3, 4, 15).reshape(5, 3), dtype)
    step = value_and_gradients(lambda x: scalar(function(x)))
    for call, slopes in ((function, step), (compiled(function), compiled(step))):
        y = call(x)
        assert (tuple(y.shape), y.dtype) == (tuple(x.shape), x.dtype)
        assert np.isfinite(np.asarray(numpy(slopes(x)[1][0]), "float64")).all()


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_an_activation_is_registered(function):
    name = keras.saving.get_registered_name(function)
    assert name == f"dl_basics>{function.__name__}"
