"""Ordinary differential equations: explicit solvers with a declared order, and the adjoint.

Lecture section "LSTM and its variants", claim C69.
"""

from suite.ode.adjoint import solve_with_adjoint
from suite.ode.dormand_prince import DormandPrince5
from suite.ode.euler import Euler
from suite.ode.integrate import SOLVERS, solve
from suite.ode.midpoint import Midpoint
from suite.ode.rk4 import RK4
from suite.ode.runge_kutta import RungeKutta

__all__ = [
    "RK4",
    "SOLVERS",
    "DormandPrince5",
    "Euler",
    "Midpoint",
    "RungeKutta",
    "solve",
    "solve_with_adjoint",
]
