"""Every property of every activation is measured, and every single change of one is noticed.

The measurement uses closed forms in float64, which `test_activations.py` holds against the
functions and their automatic derivatives.
"""

from dataclasses import fields, replace

import numpy as np
import pytest
import scipy.optimize
from backends import gradients
from closed_forms import FUNCTIONS, SLOPES

from suite import activations
from suite.activations.properties import PROPERTIES, Interval, Kink, Properties

GRID = np.arange(-15_000, 15_001) / 1000  # holds 0; sigmoid(15) still differs from 1
FAR = 350.0  # cosh(350)^2 is still finite, and every slope has reached its limit
INFINITE = 50.0  # what is larger at FAR has no bound there
ATTRIBUTES = [field.name for field in fields(Properties)]


def highest(f):
    """The least upper bound of `f`, and whether `f` attains it."""
    top = GRID[np.argmax(f(GRID))]
    refined = scipy.optimize.minimize_scalar(
        lambda x: -f(x), bounds=(top - 2e-3, top + 2e-3), options={"xatol": 1e-12}
    )
    inside, limit = float(max(f(top), -refined.fun)), float(max(f(-FAR), f(FAR)))
    if limit > INFINITE:
        return np.inf, False
    return max(inside, limit), inside >= limit


def interval(f):
    upper, upper_closed = highest(f)
    minus_lower, lower_closed = highest(lambda x: -f(x))
    return Interval(-minus_lower, upper, lower_closed, upper_closed)


def kinks(slope):
    """Where the slope changes by more in 0.001 than a second derivative of at most 2 allows."""
    between = (GRID[:-1] + GRID[1:]) / 2
    (jumps,) = np.nonzero(np.abs(np.diff(slope(between))) > 0.002)
    return tuple(
        Kink(GRID[i + 1], float(slope(GRID[i + 1] - 1e-9)), float(slope(GRID[i + 1] + 1e-9)))
        for i in jumps
    )


def center(f, limits):
    # About any center the two limits of the slope would be equal.
    if limits[0] != limits[1] or not np.allclose(f(GRID) + f(-GRID), 2 * f(0.0), atol=1e-12):
        return None
    return 0.0, float(f(0.0))


def minimum(f, slope):
    if slope(GRID).min() >= 0:
        return None
    x = scipy.optimize.brentq(slope, -1.4, 0, xtol=1e-15)  # both slopes are negative at -1.4
    return x, float(f(x))


def moment(f, power):
    """E f(z)^power by Gauss-Legendre on unit intervals, so that no kink lies inside of one."""
    nodes, weights = np.polynomial.legendre.leggauss(30)
    z = np.arange(-12, 12)[:, None] + (nodes + 1) / 2
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.sum(weights / 2 * density * f(z) ** power))


def measured(name):
    f, slope = FUNCTIONS[name], SLOPES[name]
    limits = float(np.round(slope(-FAR), 12)), float(np.round(slope(FAR), 12))
    return Properties(
        range=interval(f),
        slopes=interval(slope),
        slope_limits=limits,
        mean=moment(f, 1),
        second_moment=moment(f, 2),
        center=center(f, limits),
        kinks=kinks(slope),
        minimum=minimum(f, slope),
    )


def numbers(value):
    """A property as a flat list of numbers, with `None` as an empty one."""
    if value is None:
        return []
    if isinstance(value, (int, float)):
        return [float(value)]
    parts = value if isinstance(value, tuple) else vars(value).values()
    return [number for part in parts for number in numbers(part)]


def wrong(claimed, found):
    """Names of the properties that differ by more than rounding."""
    return [
        name
        for name in ATTRIBUTES
        if len(numbers(getattr(claimed, name))) != len(numbers(getattr(found, name)))
        or not np.allclose(
            numbers(getattr(claimed, name)), numbers(getattr(found, name)), rtol=1e-12, atol=1e-12
        )
    ]


MEASURED = {name: measured(name) for name in PROPERTIES}


def test_every_elementwise_activation_has_its_entry_and_softmax_has_none():
    functions = {name for name in activations.__all__ if callable(getattr(activations, name))}
    assert set(PROPERTIES) == functions - {"softmax"}


@pytest.mark.parametrize("name", PROPERTIES)
def test_equals_what_is_measured(name):
    assert wrong(PROPERTIES[name], MEASURED[name]) == []


def nudged(number):
    return number + 1e-6 if np.isfinite(number) else 0.0


def mutants(p):
    """Each property changed by itself: (its name, the changed properties)."""
    for name in ("range", "slopes"):
        whole = getattr(p, name)
        for end in ("lower", "upper"):
            yield name, replace(p, **{name: replace(whole, **{end: nudged(getattr(whole, end))})})
            closed = {f"{end}_closed": not getattr(whole, f"{end}_closed")}
            yield name, replace(p, **{name: replace(whole, **closed)})
    below, above = p.slope_limits
    yield "slope_limits", replace(p, slope_limits=(nudged(below), above))
    yield "slope_limits", replace(p, slope_limits=(below, nudged(above)))
    yield "mean", replace(p, mean=nudged(p.mean))
    yield "second_moment", replace(p, second_moment=nudged(p.second_moment))
    yield "center", replace(p, center=None if p.center else (0.0, 0.0))
    yield "center", replace(p, center=(0.0, 0.1))
    yield "minimum", replace(p, minimum=None if p.minimum else (0.0, 0.0))
    yield "kinks", replace(p, kinks=() if p.kinks else (Kink(0.0, 0.0, 1.0),))
    for kink in p.kinks:
        # What a difference on a grid shows across a kink: half the jump.
        half = Kink(kink.position, kink.slope_below, (kink.slope_below + kink.slope_above) / 2)
        yield "kinks", replace(p, kinks=(half,))
        yield "kinks", replace(p, kinks=(replace(kink, position=nudged(kink.position)),))


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_change_of_one_property_is_noticed(name):
    for changed, mutant in mutants(PROPERTIES[name]):
        assert wrong(mutant, MEASURED[name]) == [changed]


@pytest.mark.parametrize(("name", "jump"), [("relu", 1.0), ("leaky_relu", 0.8)])
def test_the_slope_jumps_at_the_kink_where_a_grid_difference_shows_half(name, jump):
    (kink,) = PROPERTIES[name].kinks
    assert kink.jump == pytest.approx(jump)
    f, h = getattr(activations, name), 1e-3
    _, (slopes,) = gradients(lambda x: f(x)[0] + f(x)[1], np.float32([-h, h]))
    assert slopes[1] - slopes[0] == pytest.approx(jump, rel=1e-6)
    grid = np.gradient(FUNCTIONS[name](np.array([-h, 0, h])), h)
    assert grid[1] - grid[0] == pytest.approx(jump / 2)


def test_what_follows_from_the_properties():
    rows = {name: (p.saturates, p.symmetry, p.monotone) for name, p in PROPERTIES.items()}
    assert rows == {
        "sigmoid": ("both", "point", True),
        "tanh": ("both", "odd", True),
        "relu": ("below", "none", True),
        "leaky_relu": ("none", "none", True),
        "elu": ("below", "none", True),
        "softplus": ("below", "none", True),
        "silu": ("below", "none", False),
        "gelu": ("below", "none", False),
    }


def test_the_gain_of_relu_is_that_of_he():
    assert 1 / PROPERTIES["relu"].second_moment == 2
    assert 1 / PROPERTIES["leaky_relu"].second_moment == pytest.approx(2 / (1 + 0.2**2))


@pytest.mark.parametrize(
    ("name", "text"), [("tanh", "(-1, 1)"), ("relu", "[0, inf)"), ("silu", "[-0.2785, inf)")]
)
def test_a_range_is_printed_in_the_usual_notation(name, text):
    assert str(PROPERTIES[name].range) == text
