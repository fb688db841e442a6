"""`import suite`, and nothing else, makes a saved model loadable in a fresh process."""

import subprocess
import sys

import numpy as np

import suite

LOAD = """
import sys, suite, keras
model = keras.models.load_model(sys.argv[1])
print(type(model).__module__, type(model.optimizer).__module__, type(model.loss).__module__)
"""


# Keras 3.15 writes its variables through h5py, which asks NumPy 2 for what they do not offer.
def test_a_model_of_the_library_loads_elsewhere(tmp_path):
    model = suite.models.MultilayerPerceptron((5,), 3, suite.activations.relu, seed=1)
    model.compile(
        suite.optimizers.Adam(), suite.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    model.fit(np.ones((6, 4)), np.zeros(6), verbose=0)
    model.save(tmp_path / "model.keras")
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path / "model.keras")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        "suite.models.multilayer_perceptron",
        "suite.optimizers.adam",
        "suite.losses.sparse_categorical_crossentropy",
    ]


def test_every_subpackage_is_there():
    for name in suite.__all__:
        assert getattr(suite, name).__name__ == f"suite.{name}"
