"""Outputs and gradients of Spektral's own layers, which need legacy Keras, hence another process.

The default environment has no `tf_keras`; `tox -e spektral` has.
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

pytest.importorskip("tf_keras", reason="Spektral's layers need legacy Keras: tox -e spektral")

LEGACY = pathlib.Path(__file__).with_name("legacy_layers.py")
CASES = {
    "gcn": ("GCNConv", {"channels": 4, "activation": "tanh"}),
    "gat": ("GATConv", {"channels": 4, "attn_heads": 2, "dropout_rate": 0.0}),
    "gat_mean": (
        "GATConv",
        {"channels": 4, "attn_heads": 3, "concat_heads": False, "dropout_rate": 0.0},
    ),
    "gat_bare": ("GATConv", {"channels": 4, "add_self_loops": False, "dropout_rate": 0.0}),
    "gin": ("GINConv", {"channels": 4, "mlp_hidden": [5], "activation": "tanh"}),
    "gin_fixed": ("GINConv", {"channels": 4, "epsilon": 0.3, "mlp_batchnorm": False}),
    "gin_mean": ("GINConv", {"channels": 4, "aggregate": "mean"}),
}


@pytest.fixture(scope="module")
def spektral(tmp_path_factory):
    path = tmp_path_factory.mktemp("spektral") / "cases.npz"
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("KERAS_BACKEND", None)
    done = subprocess.run(
        [sys.executable, str(LEGACY), str(path), json.dumps(CASES)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return dict(np.load(path))


@pytest.mark.parametrize("disjoint", [False, True])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix])
@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients_are_spektrals(spektral, name, form, disjoint):
    from backends import layer_gradients, scalar

    import suite.layers

    case = {
        key.rsplit("/", 1)[1]: value
        for key, value in spektral.items()
        if key.startswith(f"{name}/{disjoint}/")
    }
    cls, arguments = CASES[name]
    layer, inputs = getattr(suite.layers, cls)(**arguments), [case["x"], form(case["a"])]
    layer(inputs)
    for weights, prefix in ((layer.trainable_weights, "w"), (layer.non_trainable_weights, "fixed")):
        for n, weight in enumerate(weights):
            weight.assign(case[f"{prefix}{n}"])
    graphs = np.array([0] * 4 + [1] * 2 + [2] * 5)
    pool = suite.layers.GlobalSumPool()
    read = (lambda y: pool([y, graphs])) if disjoint else (lambda y: y)
    y, (dx, *dw) = layer_gradients(layer, inputs, lambda y: scalar(read(y)))
    np.testing.assert_allclose(np.asarray(read(y)), case["y"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dx, case["dx"], rtol=1e-3, atol=1e-4)
    for n, slope in enumerate(dw):
        np.testing.assert_allclose(slope, case[f"dw{n}"], rtol=1e-3, atol=1e-4)
