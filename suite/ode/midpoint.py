"""The midpoint method: a tangent taken half a step ahead."""

from suite.ode.runge_kutta import RungeKutta


class Midpoint(RungeKutta):
    """Order 2, two stages.

        k_1 = f(z, t)       k_2 = f(z + h/2 k_1, t + h/2)       z_new = z + h k_2

    Not the implicit midpoint rule, which would conserve quadratic invariants.

    Reference:
        Runge 1895, "Ueber die numerische Aufloesung von Differentialgleichungen".
    """

    order = 2
    a = ((), (1 / 2,))
    b = (0, 1)
    c = (0, 1 / 2)
