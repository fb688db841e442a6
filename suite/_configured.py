"""What every class of the library does in the same way, so that its file can hold its idea alone.

A constructor stores each argument under the argument's own name (as scikit-learn does too), so
one `get_config` can read them back. The three arguments that Keras has for each weight, how it
starts, its penalty, its projection, are taken and used here as well.
"""

import inspect

import keras

from suite import _activation_names as activation_names
from suite._left_out import LEFT_OUT

STORED_BY_KERAS = ("name", "dtype", "trainable")


def library_class(cls):
    """The class itself, or the class of the library that a user's class extends."""
    return next(base for base in cls.__mro__ if base.__module__.split(".")[0] == "suite")


def arguments(cls):
    """Names of the constructor's arguments, without what Keras's `Layer` stores by itself.

    For a user's subclass, those of the class that it extends: its own ones go into a `get_config`
    of its own, as with Keras's classes.
    """
    parameters = list(inspect.signature(library_class(cls).__init__).parameters.values())
    return [
        parameter.name
        for parameter in parameters[1:]  # without `self`
        if parameter.kind is not parameter.VAR_KEYWORD and parameter.name not in STORED_BY_KERAS
    ]


def serialize(value):
    """What goes into a config: plain data, and Keras's dictionaries for its objects."""
    if isinstance(value, (list, tuple)):
        return type(value)(serialize(item) for item in value)
    if inspect.isfunction(value):
        return activation_names.serialize(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return keras.saving.serialize_keras_object(value)


def deserialize(value):
    """The inverse of `serialize`, for objects; names stay names."""
    if isinstance(value, dict) and {"class_name", "config"} <= value.keys():
        return keras.saving.deserialize_keras_object(value)
    if isinstance(value, (list, tuple)):
        return type(value)(deserialize(item) for item in value)
    return value


class Configured:
    """Mix-in for layers and models, in front of Keras's class.

    An argument of Keras's class that the library leaves out is accepted at the value that means
    "not used" and refused at any other, with the reason.
    """

    def __init__(self, **kwargs):
        left_out = LEFT_OUT.get(library_class(type(self)).__name__, {})
        for name, (unused, reason) in left_out.items():
            value = kwargs.pop(name, unused[0])
            if value not in unused:
                raise ValueError(f"{name} is left out ({reason}), received {value!r}")
        super().__init__(**kwargs)

    def _weight_arguments(self, role, initializer, regularizer=None, constraint=None):
        """Stores `kernel_initializer`, `kernel_regularizer`, `kernel_constraint` for a `role`."""
        setattr(self, f"{role}_initializer", keras.initializers.get(initializer))
        setattr(self, f"{role}_regularizer", keras.regularizers.get(regularizer))
        setattr(self, f"{role}_constraint", keras.constraints.get(constraint))

    def _weight(self, role, shape, **more):
        """The weight of that name, made with those arguments."""
        return self.add_weight(
            name=role,
            shape=shape,
            initializer=getattr(self, f"{role}_initializer"),
            regularizer=getattr(self, f"{role}_regularizer"),
            constraint=getattr(self, f"{role}_constraint"),
            **more,
        )

    def get_config(self):
        """The constructor's arguments, as data."""
        return super().get_config() | {
            name: serialize(getattr(self, name)) for name in arguments(type(self))
        }

    @classmethod
    def from_config(cls, config):
        """A new instance from `get_config`'s data."""
        own = set(arguments(cls))
        config = {k: deserialize(v) if k in own else v for k, v in config.items()}
        return super().from_config(config)
