"""The Dormand-Prince pair: two results from the same stages, whose distance is the error."""

from suite.ode.runge_kutta import RungeKutta


class DormandPrince5(RungeKutta):
    """Order 5 with an embedded result of order 4, seven stages.

    The last stage is the slope at the result, hence the first stage of the next step: six
    evaluations of the field for each accepted step. The result of order 5 is carried on (local
    extrapolation), so the estimate is the error of the one that is thrown away.

    This is `method="RK45"` of `scipy.integrate.solve_ivp`. Not Fehlberg's pair of the same
    orders, and without an interpolant between the steps.

    Reference:
        Dormand & Prince 1980, "A family of embedded Runge-Kutta formulae"; coefficients as in
        Hairer, Norsett & Wanner 1993, table II.5.2.
    """

    order = 5
    order_embedded = 4
    a = (
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    )
    b = (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0)
    b_embedded = (
        5179 / 57600,
        0,
        7571 / 16695,
        393 / 640,
        -92097 / 339200,
        187 / 2100,
        1 / 40,
    )
    c = (0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1)
