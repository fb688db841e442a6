"""One seed for a model, a different one for each of its layers.

The same integer in every layer would start layers of equal shape with equal weights.
"""

import re

import keras
import numpy as np

from suite import initializers

# "he_normal" means this library's HeNormal, as it means Keras's in a layer of Keras.
_BY_NAME = {
    re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): getattr(initializers, name)
    for name in initializers.__all__
}


def seeded(identifier, seed, count, stream=()):
    """`count` initializers of one kind, the seed of each derived from `seed`.

    Args:
        identifier: an initializer, its name, class or config.
        seed: an integer or `None`. With `None`, an initializer's own integer seed takes its
            place; if it has none either, the weights differ from run to run.
        count: how many layers there are.
        stream: a key for each kind of weight, so that those of a layer do not start alike.

    Raises:
        ValueError: the name is unknown.
    """
    initializer = keras.initializers.get(
        _BY_NAME.get(identifier, identifier) if isinstance(identifier, str) else identifier
    )
    config = initializer.get_config()
    if "seed" not in config:  # zeros, or a constant
        return [initializer] * count
    if seed is None:
        seed = config["seed"]
    if not isinstance(seed, int):  # None, or a generator, which never repeats itself
        return [initializer.__class__.from_config(config) for _ in range(count)]
    # SeedSequence is made for this: streams of neighboring seeds do not overlap.
    derived = np.random.SeedSequence(seed, spawn_key=stream).generate_state(count)
    return [initializer.__class__.from_config(config | {"seed": int(s) >> 1}) for s in derived]
