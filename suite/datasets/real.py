"""Real data as arrays: prepared once as TFRecord files, read from there, split by a seed."""

import contextlib
import difflib
import hashlib
import io
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

# What the largest stored value is, for images; None for a table of measurements. The names stand
# here and not with the builders so that a list of them does not cost an import of TensorFlow.
_WHITE = {"breast_cancer": None, "diabetes": None, "digits": 16, "mnist_5000": 255, "wine": None}
NAMES = tuple(_WHITE)


@dataclass(frozen=True)
class Split:
    """A data set cut into three parts. Inputs are float32, labels int64.

    Where the label is a measurement (diabetes), it is float64, in the units of the source.

    Rows are in random order, so the first n rows of `x_train` are a random smaller training set.

    Attributes:
        name: of the data set.
        x_train: shape `(samples, ...)`.
        y_train: classes 0, 1, ..., shape `(samples,)`.
        x_validation: to choose between models.
        y_validation: its labels.
        x_test: for the final figure, once.
        y_test: its labels.
        classes: how many there are; 0 where the label is a measurement.
        hash: SHA-256 of the whole data set as stored, before scaling and splitting.
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    classes: int
    hash: str


def load_arrays(
    name: str,
    *,
    seed: int = 0,
    validation: float = 0.2,
    test: float = 0.2,
    standardize: bool = True,
    flatten: bool = True,
    data_dir: str | os.PathLike | None = None,
) -> Split:
    """Read a data set and cut it into training, validation and test parts.

    The parts are stratified: every class has the same share in each, up to one sample. Where the
    label is a measurement, they are plain random parts. The first
    call on a machine prepares the data set, which takes seconds; nothing is downloaded.

    Args:
        name: one of `NAMES`.
        seed: of the shuffling; the same seed gives the same parts.
        validation: share of the samples, in [0, 1).
        test: share of the samples, in [0, 1); `validation + test` must stay below 1.
        standardize: of a table, shift and scale each feature to mean 0 and variance 1 *on the
            training part*. Images are not standardized: their pixels are scaled to [0, 1].
        flatten: return images as rows of pixels, `(samples, height * width)`, instead of
            `(samples, height, width, 1)`.
        data_dir: where prepared data is kept; by default `$DL_BASICS_DATA`, and if that is not
            set, `~/.cache/dl_basics/tfds`.

    Raises:
        ValueError: an unknown name, or shares that leave nothing to train on.
    """
    _check_name(name)
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise ValueError(
            "validation and test must lie in [0, 1) and leave a part to train on, "
            f"received {validation} and {test}"
        )
    x, y, content = _read(name, _directory(data_dir))
    rows = _stratified(y, (validation, test), seed)
    inputs = _scaled(x, rows["train"], _WHITE[name], standardize, flatten)
    arrays: dict[str, np.ndarray] = {}
    for part, index in rows.items():
        arrays |= {f"x_{part}": inputs[index], f"y_{part}": y[index]}
    classes = int(y.max()) + 1 if _has_classes(y) else 0
    return Split(name=name, classes=classes, hash=content, **arrays)


def prepare(name: str, data_dir: str | os.PathLike | None = None):
    """The data set's TFDS builder, its files written if they were not there yet.

    Safe when several processes do it at once, and when one is killed: each writes into a
    directory of its own, which is renamed when it is complete. Who comes second finds the result
    in place and throws its own away.

    Args:
        name: one of `NAMES`.
        data_dir: as in `load_arrays`.
    """
    _check_name(name)
    import tensorflow_datasets as tfds

    from suite.datasets.builders import BUILDERS

    directory = _directory(data_dir)
    builder = BUILDERS[name](data_dir=directory)
    if builder.is_prepared():
        return builder
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".preparing-", dir=directory) as own:
        ours = BUILDERS[name](data_dir=own)
        # TFDS prints "Downloading ..." and progress bars, although nothing is downloaded.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            ours.download_and_prepare(
                file_format="tfrecord",
                # Else TFDS may look for a copy in its cloud; offline that takes minutes to fail.
                download_config=tfds.download.DownloadConfig(try_download_gcs=False),
            )
        target = Path(builder.data_dir)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(ours.data_dir, target)
        except OSError:  # the target exists: complete, or left half-written by something else
            if not BUILDERS[name](data_dir=directory).is_prepared():
                os.rename(target, Path(own, "half-written"))
                os.rename(ours.data_dir, target)
    return BUILDERS[name](data_dir=directory)


def _directory(data_dir):
    """The directory of all prepared data sets."""
    chosen = data_dir or os.environ.get("DL_BASICS_DATA") or "~/.cache/dl_basics/tfds"
    return Path(chosen).expanduser().absolute()


@cache
def _read(name, directory):
    """All samples as `(inputs, labels, hash)`, in the order of the source. Arrays are read-only."""
    import tensorflow_datasets as tfds

    builder = prepare(name, directory)
    x, y = tfds.as_numpy(builder.as_dataset(split="train", batch_size=-1, as_supervised=True))
    x.flags.writeable = y.flags.writeable = False  # the cache hands the same arrays to everyone
    digest = hashlib.sha256()
    for array in (x, y):
        # dtype and shape too: the same bytes may mean different data
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return x, y, digest.hexdigest()


def _scaled(x, training, white, standardize, flatten):
    """All inputs as float32, on the scale that `load_arrays` describes."""
    if white is not None:
        images = x.astype("float32") / white
        return images.reshape(len(images), -1) if flatten else images
    if standardize:
        known = x[training]  # without a look at the other parts
        sd = known.std(axis=0)
        x = (x - known.mean(axis=0)) / np.where(sd == 0, 1, sd)  # a constant feature becomes zero
    return x.astype("float32")


def _stratified(y, shares, seed):
    """Rows of the training, validation and test parts, each class cut in the same proportion."""
    rng = np.random.default_rng(seed)
    y = y if _has_classes(y) else np.zeros(len(y), int)
    validation, test = shares
    parts: dict[str, list] = {"train": [], "validation": [], "test": []}
    for label in np.unique(y):
        rows = rng.permutation(np.flatnonzero(y == label))
        first, second = round(validation * len(rows)), round((validation + test) * len(rows))
        parts["validation"].append(rows[:first])
        parts["test"].append(rows[first:second])
        parts["train"].append(rows[second:])
    return {part: rng.permutation(np.concatenate(rows)) for part, rows in parts.items()}


def _has_classes(y):
    return np.issubdtype(y.dtype, np.integer)


def _check_name(name):
    if name not in NAMES:
        near = difflib.get_close_matches(str(name), NAMES, n=3, cutoff=0.4) or NAMES
        raise ValueError(f"name must be a known data set, received {name!r}; near: {list(near)}")
