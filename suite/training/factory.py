"""Fresh copies of models and optimizers: the same architecture, initial weights from a stream."""

import contextlib
import random
from collections.abc import Callable, Iterator

import keras
import numpy as np

from suite.training.streams import integer


class ModelFactory:
    """Builds one model for each seed, from a template model or from a callable.

    A Keras initializer without a seed of its own asks Python's `random` for one. For the time of
    building, that generator is set from the stream *initial weights* and put back afterwards; so
    every model, functional or subclassed, is initialized anew and reproducibly. An initializer
    that was given a seed keeps it, and its weights are then equal in all runs.

    Args:
        model: a `keras.Model`, never changed, or a callable `seed -> keras.Model`.
        sample: some inputs, (n, ...), that build a model whose shapes are not known yet.
    """

    def __init__(self, model: keras.Model | Callable, sample: np.ndarray):
        if not isinstance(model, keras.Model) and not callable(model):
            raise ValueError(
                f"model: expected a keras.Model or a callable seed -> model, received {model!r}"
            )
        self.model = model
        self.sample = sample

    def __call__(self, seed: int, stream: np.random.SeedSequence) -> keras.Model:
        """A new, built model with initial weights from `stream`."""
        with _python_random(integer(stream)):
            model = self._new(seed)
            if not model.built:
                model(self.sample, **mode(model, training=False))
        return model

    def _new(self, seed: int) -> keras.Model:
        if not isinstance(self.model, keras.Model):
            model = self.model(seed)
            if not isinstance(model, keras.Model):
                raise ValueError(f"model: the callable returned {model!r}, not a keras.Model")
            return model
        if isinstance(self.model, keras.Sequential) or _is_functional(self.model):
            return keras.models.clone_model(self.model)
        try:
            return type(self.model).from_config(self.model.get_config())
        except (NotImplementedError, TypeError) as error:
            raise ValueError(
                f"model: {type(self.model).__name__} cannot be copied from its configuration "
                "(write get_config, or pass a callable seed -> model)"
            ) from error


def _is_functional(model: keras.Model) -> bool:
    """Built by `keras.Model(inputs, outputs)`, and not a subclass with a constructor of its own."""
    return type(model) is keras.Model or type(model).__name__ == "Functional"


@contextlib.contextmanager
def _python_random(seed: int) -> Iterator[None]:
    before = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(before)


def mode(model: keras.Model, training: bool) -> dict[str, bool]:
    """The argument `training` for a model whose `call` takes it; nothing for others, as in fit."""
    return {"training": training} if model._call_has_training_arg else {}


def seed_generators(model: keras.Model) -> list:
    """The seed generators of all layers (dropout, noise), in the model's order."""
    return [
        generator
        for layer in model._flatten_layers(include_self=True)
        for generator in layer._seed_generators
    ]


def restart_noise(model: keras.Model, stream: np.random.SeedSequence) -> None:
    """Sets every seed generator's state from `stream`."""
    generators = seed_generators(model)
    keys = stream.generate_state(max(len(generators), 1)) >> 1  # 31 bits: some dtypes are signed
    for generator, key in zip(generators, keys, strict=False):
        generator.state.assign(np.array([key, 0]))


def copy_optimizer(optimizer: keras.optimizers.Optimizer | Callable | str):
    """An optimizer with the same configuration and no state; the argument is not changed."""
    if isinstance(optimizer, str):
        return keras.optimizers.get(optimizer)
    if isinstance(optimizer, keras.optimizers.Optimizer):
        return type(optimizer).from_config(optimizer.get_config())
    made = optimizer() if callable(optimizer) else None
    if not isinstance(made, keras.optimizers.Optimizer):
        raise ValueError(
            f"optimizer: expected a Keras optimizer or a callable -> one, received {optimizer!r}"
        )
    return made
