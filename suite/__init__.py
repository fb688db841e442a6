"""Layers, initializers, losses, optimizers and training programs for "Deep Learning Basics".

Everything here works in any Keras 3 project. `import suite` registers every class, so that
`keras.models.load_model` finds them.
"""

from suite import (
    activations,
    autodiff,
    datasets,
    initializers,
    layers,
    losses,
    models,
    ode,
    optimizers,
    theory,
    training,
)

__all__ = [
    "activations",
    "autodiff",
    "datasets",
    "initializers",
    "layers",
    "losses",
    "models",
    "ode",
    "optimizers",
    "theory",
    "training",
]
