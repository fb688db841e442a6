"""The classical Runge-Kutta method."""

from suite.ode.runge_kutta import RungeKutta


class RK4(RungeKutta):
    """Order 4, four stages.

        k_1 = f(z, t)                        k_2 = f(z + h/2 k_1, t + h/2)
        k_3 = f(z + h/2 k_2, t + h/2)        k_4 = f(z + h k_3, t + h)
        z_new = z + h (k_1 + 2 k_2 + 2 k_3 + k_4) / 6

    It has no estimate of its error, so the number of steps is yours to choose.

    Reference:
        Kutta 1901, "Beitrag zur naeherungsweisen Integration totaler Differentialgleichungen".
    """

    order = 4
    a = ((), (1 / 2,), (0, 1 / 2), (0, 0, 1))
    b = (1 / 6, 1 / 3, 1 / 3, 1 / 6)
    c = (0, 1 / 2, 1 / 2, 1)
