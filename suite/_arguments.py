"""Argument checks that constructors share, so that every class refuses bad input in one way.

Each check returns the value in the type the class stores, or raises a `ValueError` of one line
with the argument's name and the value it received.
"""

import math
from numbers import Integral, Real


def _refuse(name, expectation, value):
    raise ValueError(f"{name} must {expectation}, received {value!r}")


def integer(name: str, value) -> int:
    """Any whole number; `True` and `2.0` are not."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        _refuse(name, "be an integer", value)
    return int(value)


def optional_integer(name: str, value) -> int | None:
    """A whole number, or `None`: a seed."""
    return None if value is None else integer(name, value)


def positive_integer(name: str, value) -> int:
    """A count of at least one: `units`, `features`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        _refuse(name, "be a positive integer", value)
    return int(value)


def positive_integers(name: str, values) -> tuple[int, ...]:
    """A sequence of counts: the sizes of hidden layers, one a layer."""
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        _refuse(name, "be a sequence of positive integers", values)
    return tuple(positive_integer(name, value) for value in values)


def _is_finite(value):
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def positive(name: str, value, expectation: str = "be positive") -> float:
    """A finite number above zero."""
    if not _is_finite(value) or value <= 0:
        _refuse(name, expectation, value)
    return float(value)


def not_negative(name: str, value) -> float:
    """A finite number, zero or above."""
    if not _is_finite(value) or value < 0:
        _refuse(name, "be zero or positive", value)
    return float(value)


def finite(name: str, value) -> float:
    """A finite number of either sign."""
    if not _is_finite(value):
        _refuse(name, "be a finite number", value)
    return float(value)


def decay(name: str, value) -> float:
    """The weight of the past in a moving average; at 1 the average would never move."""
    if not _is_finite(value) or not 0 <= value < 1:
        _refuse(name, "lie in [0, 1)", value)
    return float(value)


def share(name: str, value) -> float:
    """A number from 0 to 1, both included."""
    if not _is_finite(value) or not 0 <= value <= 1:
        _refuse(name, "be a float between [0, 1]", value)  # Keras's words: callers match them
    return float(value)


def flag(name: str, value) -> bool:
    """`True` or `False`, not something that merely has a truth value."""
    if not isinstance(value, bool):
        _refuse(name, "be True or False", value)
    return value


def choice(name: str, value, allowed) -> str:
    """One of a few names."""
    if value not in tuple(allowed):  # a list is no key of a dictionary, but can be compared
        # Keras's words first: callers match them.
        _refuse(f"Invalid `{name}` argument: it", f"be one of {', '.join(allowed)}", value)
    return value


def axes(name: str, value) -> list[int] | None:
    """`None`, or a sequence of axis numbers."""
    if value is None:
        return None
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        _refuse(name, "be None or a list of integers", value)
    return [integer(name, axis) for axis in value]


def layer(name: str, value):
    """A layer or a model."""
    import keras  # here, so that what needs NumPy alone does not wait for it

    if not isinstance(value, keras.layers.Layer):
        _refuse(name, "be a layer or model", value)
    return value


def learning_rate(value):
    """A number, or what Keras accepts in its place: a schedule, its config, a callable."""
    if isinstance(value, dict) or callable(value):
        return value
    return not_negative("learning_rate", value)
