"""Speed of the graph layers next to Spektral's, which need legacy Keras, hence another process.

    python -m benchmarks.speed.graph_peer [--rounds 4]     needs `tf_keras`: tox -e spektral

The processes take turns. Each compiles a layer's forward pass and its training step (outputs,
gradients of all weights) with `tf.function`, ours also with XLA, which does not know Spektral's
sparse products. Milliseconds: the median of the calls in a round, then the best of the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

FEATURES, CALLS, WARM_UP = 32, 40, 5
SIZES = ((500, 4), (2000, 10))  # nodes, neighbors of each
LAYERS = {
    "GCNConv": {"channels": 32},
    "GATConv": {"channels": 8, "attn_heads": 4, "dropout_rate": 0.0},
    "GINConv": {"channels": 32, "mlp_hidden": [32], "mlp_batchnorm": False},
}


def measure(side):
    """Milliseconds by `(layer, nodes, pass, how it was compiled)`, in this process."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import numpy as np
    import tensorflow as tf

    if side == "ours":
        import suite.layers as layers
    else:
        from spektral import layers

    found = {}
    for nodes, neighbors in SIZES:
        rng = np.random.default_rng(0)
        sources = np.stack([rng.permutation(nodes)[:neighbors] for _ in range(nodes)])
        indices = np.stack([np.repeat(np.arange(nodes), neighbors), np.sort(sources).ravel()], 1)
        ones = np.ones(len(indices), "float32")
        a = tf.sparse.reorder(tf.SparseTensor(indices, ones, (nodes, nodes)))
        x = tf.constant(rng.normal(size=(nodes, FEATURES)).astype("float32"))
        for name, arguments in LAYERS.items():
            layer = getattr(layers, name)(**arguments)
            layer([x, a])
            weights = [w.value if side == "ours" else w for w in layer.trainable_weights]

            def forward(x, a, layer=layer):
                return layer([x, a])

            def training(x, a, layer=layer, weights=weights):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(layer([x, a])))
                return tape.gradient(loss, weights)

            for label, function in (("forward", forward), ("training", training)):
                for jit in (False, True) if side == "ours" else (False,):
                    program = tf.function(function, jit_compile=jit)
                    times = [_milliseconds(program, x, a) for _ in range(WARM_UP + CALLS)]
                    key = f"{name} {nodes} {label} {'XLA' if jit else 'graph'}"
                    found[key] = statistics.median(times[WARM_UP:])
    return found


def _milliseconds(program, *inputs):
    start = time.perf_counter()
    out = program(*inputs)
    for tensor in out if isinstance(out, list) else [out]:
        tensor.numpy()  # the result is fetched before the clock stops
    return 1e3 * (time.perf_counter() - start)


def main():
    """Prints one line for each layer, size and pass."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--side", choices=("ours", "spektral"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(measure(options.side)))
        return
    rounds = {"ours": [], "spektral": []}
    for _ in range(options.rounds):
        for side, results in rounds.items():
            environment = {**os.environ, "TF_USE_LEGACY_KERAS": str(int(side == "spektral"))}
            command = [sys.executable, "-m", "benchmarks.speed.graph_peer", "--side", side]
            done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
            results.append(json.loads(done.stdout.splitlines()[-1]))
    best = {
        side: {key: min(result[key] for result in results) for key in results[0]}
        for side, results in rounds.items()
    }
    print(f"{'':24} {'Spektral':>9} {'ours':>9} {'ours, XLA':>9}   ms; ratio to Spektral")
    for key, reference in best["spektral"].items():
        graph = best["ours"][key]
        xla = best["ours"][key.replace("graph", "XLA")]
        print(
            f"{key.removesuffix(' graph'):24} {reference:9.3f} {graph:9.3f} {xla:9.3f}"
            f"   {graph / reference:.2f} {xla / reference:.2f}"
        )


if __name__ == "__main__":
    main()
