"""Optimizers of the lecture. All work element by element, so also on stacked weights of many seeds.

(Clipping by norm is the exception: a norm is taken over the whole stack. So is `Newton`, which
solves for all weights together.)
"""

from suite.optimizers.adam import Adam
from suite.optimizers.amsgrad import AMSGrad
from suite.optimizers.momentum import Momentum
from suite.optimizers.newton import Newton
from suite.optimizers.rmsprop import RMSprop
from suite.optimizers.robbins_monro import RobbinsMonro
from suite.optimizers.sgd import SGD

__all__ = ["AMSGrad", "Adam", "Momentum", "Newton", "RMSprop", "RobbinsMonro", "SGD"]
