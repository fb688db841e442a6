"""What to look at when choosing an activation, as data: one entry a function, NumPy not needed.

Lecture section "Deep networks", claim C25: range, slope and saturation, symmetry, kinks; and the
two moments by which a layer changes the signal, which initialization makes up for (C38 to C42).
Softmax has no entry: its outputs depend on all inputs, so it has neither a slope nor a kink.
"""

import math
from dataclasses import dataclass

INFINITY = math.inf


@dataclass(frozen=True)
class Interval:
    """All numbers from `lower` to `upper`; an end belongs to it where it is closed."""

    lower: float
    upper: float
    lower_closed: bool = False
    upper_closed: bool = False

    def __str__(self):
        """In the usual notation, such as `[0, inf)`.

        Example:
            >>> str(Interval(0.0, math.inf, lower_closed=True))
            '[0, inf)'
        """
        left, right = "(["[self.lower_closed], ")]"[self.upper_closed]
        return f"{left}{self.lower:.4g}, {self.upper:.4g}{right}"


@dataclass(frozen=True)
class Kink:
    """A point where the slope jumps while the function itself does not."""

    position: float
    slope_below: float
    slope_above: float

    @property
    def jump(self):
        """By how much the slope grows there."""
        return self.slope_above - self.slope_below


@dataclass(frozen=True)
class Properties:
    """Properties of an activation `f` with its default arguments.

    Args:
        range: the values that `f` takes.
        slopes: the smallest interval that holds every slope of `f`. An end is closed where the
            slope takes that value at some finite point. At a kink both one-sided slopes count.
        slope_limits: the limits of the slope at minus and at plus infinity.
        center: the point `(x, f(x))` about which the graph is point-symmetric, or `None`. It is
            `(0, 0)` for an odd function.
        kinks: where the slope jumps.
        minimum: `(x, f(x))` at the bottom of the dip of a function that is not monotone, or
            `None`.
        mean: the mean of `f(z)` for a unit normal `z`.
        second_moment: the mean of `f(z)^2` for a unit normal `z`. Weights of variance
            `1 / (second_moment fan_in)` keep the pre-activations at variance one.

    Example:
        >>> PROPERTIES["relu"].saturates, PROPERTIES["relu"].kinks[0].jump
        ('below', 1.0)
        >>> str(PROPERTIES["sigmoid"].slopes)
        '(0, 0.25]'
    """

    range: Interval
    slopes: Interval
    slope_limits: tuple[float, float]
    mean: float
    second_moment: float
    center: tuple[float, float] | None = None
    kinks: tuple[Kink, ...] = ()
    minimum: tuple[float, float] | None = None

    @property
    def saturates(self):
        """Where the slope vanishes: `"below"`, `"above"`, `"both"` or `"none"`."""
        below, above = (limit == 0 for limit in self.slope_limits)
        return {(1, 1): "both", (1, 0): "below", (0, 1): "above", (0, 0): "none"}[below, above]

    @property
    def symmetry(self):
        """`"odd"`, `"point"` (about another point than the origin) or `"none"`."""
        if self.center is None:
            return "none"
        return "odd" if self.center == (0.0, 0.0) else "point"

    @property
    def monotone(self):
        """Whether a larger input never gives a smaller output."""
        return self.slopes.lower >= 0


def _cdf(x):
    return (1 + math.erf(x / math.sqrt(2))) / 2


def _pdf(x):
    return math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


NEGATIVE_SLOPE = 0.2  # the default of leaky_relu

# silu'(x) = 0 gives x = -(1 + w), where w exp(w) = exp(-1); the lowest value is then -w.
_SILU_W = 0.2784645427610738
# silu''(x) = 0 gives x tanh(x / 2) = 2, with the slope s + x s (1 - s), s = sigmoid(x), there.
_SILU_LARGEST_SLOPE = 1.0998393201288672
# gelu'(x) = cdf(x) + x pdf(x) = 0, solved numerically.
_GELU_MINIMUM = -0.7517915246935645
# gelu''(x) = (2 - x^2) pdf(x) = 0 gives x = sqrt(2).
_GELU_LARGEST_SLOPE = _cdf(math.sqrt(2)) + math.sqrt(2) * _pdf(math.sqrt(2))

# Moments without a closed form are adaptive quadratures, good to the last but one digit.
PROPERTIES = {
    "sigmoid": Properties(
        range=Interval(0, 1),
        slopes=Interval(0, 1 / 4, upper_closed=True),
        slope_limits=(0, 0),
        center=(0.0, 0.5),
        mean=1 / 2,
        second_moment=0.2933790358580929,
    ),
    "tanh": Properties(
        range=Interval(-1, 1),
        slopes=Interval(0, 1, upper_closed=True),
        slope_limits=(0, 0),
        center=(0.0, 0.0),
        mean=0.0,
        second_moment=0.3942944903978412,
    ),
    "relu": Properties(
        range=Interval(0, INFINITY, lower_closed=True),
        slopes=Interval(0, 1, True, True),
        slope_limits=(0, 1),
        kinks=(Kink(0.0, 0.0, 1.0),),
        mean=_pdf(0),
        second_moment=1 / 2,
    ),
    "leaky_relu": Properties(
        range=Interval(-INFINITY, INFINITY),
        slopes=Interval(NEGATIVE_SLOPE, 1, True, True),
        slope_limits=(NEGATIVE_SLOPE, 1),
        kinks=(Kink(0.0, NEGATIVE_SLOPE, 1.0),),
        mean=(1 - NEGATIVE_SLOPE) * _pdf(0),
        second_moment=(1 + NEGATIVE_SLOPE**2) / 2,
    ),
    "elu": Properties(
        range=Interval(-1, INFINITY),
        slopes=Interval(0, 1, upper_closed=True),
        slope_limits=(0, 1),
        # exp(z) times the unit normal's density is exp(1/2) times the density about 1.
        mean=_pdf(0) + math.exp(1 / 2) * _cdf(-1) - 1 / 2,
        second_moment=1 + math.exp(2) * _cdf(-2) - 2 * math.exp(1 / 2) * _cdf(-1),
    ),
    "softplus": Properties(
        range=Interval(0, INFINITY),
        slopes=Interval(0, 1),
        slope_limits=(0, 1),
        mean=0.8060591833474398,
        second_moment=0.9212459088593005,
    ),
    "silu": Properties(
        range=Interval(-_SILU_W, INFINITY, lower_closed=True),
        slopes=Interval(1 - _SILU_LARGEST_SLOPE, _SILU_LARGEST_SLOPE, True, True),
        slope_limits=(0, 1),
        minimum=(-(1 + _SILU_W), -_SILU_W),
        mean=0.2066209641419071,
        second_moment=0.3557755198173522,
    ),
    "gelu": Properties(
        range=Interval(_GELU_MINIMUM * _cdf(_GELU_MINIMUM), INFINITY, lower_closed=True),
        slopes=Interval(1 - _GELU_LARGEST_SLOPE, _GELU_LARGEST_SLOPE, True, True),
        slope_limits=(0, 1),
        minimum=(_GELU_MINIMUM, _GELU_MINIMUM * _cdf(_GELU_MINIMUM)),
        # Both by partial integration (Stein's identity, E z g(z) = E g'(z)).
        mean=1 / (2 * math.sqrt(math.pi)),
        second_moment=1 / 3 + 1 / (2 * math.pi * math.sqrt(3)),
    ),
}
