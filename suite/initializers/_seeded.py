"""How every initializer takes its seed and stores it."""

import random

import keras

from suite import _arguments as check


class SeededInitializer(keras.initializers.Initializer):
    """An initializer that draws: an integer seed repeats its values, a generator moves on."""

    def __init__(self, seed=None):
        self._given_seed = seed  # None has to stay None in the config: a clone draws anew
        self.seed = self._usable_seed(seed)

    @staticmethod
    def _usable_seed(seed):
        if seed is None:
            return random.randint(1, int(1e9))  # the range from which Keras draws as well
        if isinstance(seed, dict):
            return keras.saving.deserialize_keras_object(seed)
        if isinstance(seed, keras.random.SeedGenerator):
            return seed
        return check.integer("seed", seed)

    def _seed_config(self):
        return {"seed": keras.saving.serialize_keras_object(self._given_seed)}
