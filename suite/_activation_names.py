"""How a layer stores its activation: by a name that leads back to the very same function.

`keras.activations.serialize` writes `"relu"` for any function of that name, so a layer with
`suite.activations.relu` would come back with Keras's. Registered functions are therefore stored
under their full name, `"dl_basics>relu"`.
"""

import keras


def get(identifier):
    """The function for a name, a config, a callable, or `None` (identity)."""
    if isinstance(identifier, str):
        registered = keras.saving.get_registered_object(identifier)
        if registered is not None:
            return registered
    return keras.activations.get(identifier)


def serialize(activation):
    """The inverse of `get`."""
    name = keras.saving.get_registered_name(activation)
    if keras.saving.get_registered_object(name) is activation:
        return name
    return keras.activations.serialize(activation)
