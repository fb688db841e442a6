"""Euler's method: follow the tangent."""

from suite.ode.runge_kutta import RungeKutta


class Euler(RungeKutta):
    """Order 1, one stage.

        z_new = z + h f(z, t)

    With `L` steps over a unit of time it is a residual network of `L` blocks that share their
    weights, each scaled by `1/L`. Not accurate: halving the error takes twice the steps.

    Reference:
        Euler 1768, "Institutiones calculi integralis"; as the limit of residual networks:
        Chen et al. 2018, "Neural Ordinary Differential Equations".
    """

    order = 1
    a = ((),)
    b = (1,)
    c = (0,)
