"""Both directions of time: what comes later may explain what came before.

Lecture section "Sequences", claim C68. A wrapper for any recurrent layer, not a kind of LSTM. Its
outputs depend on the whole sequence, so it can label a sequence but not predict its next entry.
"""

import inspect

import keras
from keras import ops

MERGE = {
    "concat": lambda y, y_rev: ops.concatenate([y, y_rev], axis=-1),
    "sum": lambda y, y_rev: y + y_rev,
    "ave": lambda y, y_rev: (y + y_rev) / 2,
    "mul": lambda y, y_rev: y * y_rev,
    None: lambda y, y_rev: (y, y_rev),
}


def _copy(layer, direction, **changes):
    """A layer of the same configuration, with weights of its own."""
    config = keras.saving.serialize_keras_object(layer)
    prefix = f"{direction}_"
    config["config"] |= changes | {"name": prefix + layer.name.removeprefix(prefix)}
    copy = keras.saving.deserialize_keras_object(config)
    if hasattr(layer, "use_cudnn"):  # Keras leaves it out of the config
        copy.use_cudnn = layer.use_cudnn
    return copy


@keras.saving.register_keras_serializable(package="dl_basics")
class Bidirectional(keras.layers.Layer):
    """Two recurrent layers read the sequence from both ends, and their outputs are merged.

        y_t = merge(forward(x_1, ..., x_t), backward(x_T, ..., x_t))

    The backward layer puts out its last time step first; its outputs are reversed once more, so
    that both outputs of time `t` meet. Where the output is a single one, it is the forward output
    of the last time step with the backward output of the first: both have seen everything.

    Args:
        layer: a recurrent layer, of this library or of Keras. Its configuration is taken, not its
            weights.
        merge_mode: "concat", "sum", "mul", "ave", or `None`, which returns both outputs.
        weights: arrays to start from, those of the forward layer first; or `None`.
        backward_layer: the layer for the other direction, or `None` for one like `layer`.
        **kwargs: `name`, `dtype` and the rest of `keras.layers.Layer`.

    Shapes:
        input `(batch, time, features)`, output `(batch, 2 units)`; with `return_sequences` of the
        layer `(batch, time, 2 units)`; with another `merge_mode` `units` instead of `2 units`.
        `initial_state` is a list with the forward layer's states first; so are the states that
        `return_state` of the layer puts out after the output. A mask is `(batch, time)`; in a
        sequence, outputs of masked time steps are zero.

    Raises:
        ValueError: `layer` or `backward_layer` is not a recurrent layer, or they do not go in
            opposite directions, or differ in `stateful`, `return_sequences` or `return_state`;
            `merge_mode` is unknown.

    Example:
        >>> import numpy as np
        >>> layer = keras.layers.SimpleRNN(
        ...     1, None, kernel_initializer="ones", recurrent_initializer="ones",
        ...     return_sequences=True)
        >>> y = Bidirectional(layer)(np.array([[[1.0], [2.0], [3.0]]]))
        >>> keras.ops.convert_to_numpy(y).tolist()  # sums from the left, and from the right
        [[[1.0, 6.0], [3.0, 5.0], [6.0, 3.0]]]

    Reference:
        Schuster and Paliwal 1997, "Bidirectional recurrent neural networks"; Graves and
        Schmidhuber 2005 for the LSTM. Arguments as in `keras.layers.Bidirectional`.
    """

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        super().__init__(**kwargs)
        _check_recurrent("layer", layer)
        if backward_layer is not None:
            _check_recurrent("backward_layer", backward_layer)
        if merge_mode not in list(MERGE):  # a list has no hash
            raise ValueError(
                f"Invalid merge mode. merge_mode must be one of {list(MERGE)}, "
                f"received {merge_mode!r}"
            )
        if weights is not None and not isinstance(weights, (list, tuple)):
            raise ValueError(f"weights must be None or a list of arrays, received {weights!r}")
        self.merge_mode = merge_mode
        self._initial_weights = weights
        self.forward_layer = _copy(layer, "forward")
        self.backward_layer = backward_layer or _copy(layer, "backward", go_backwards=True)
        _check_pair(self.forward_layer, self.backward_layer)
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        for direction in (self.forward_layer, self.backward_layer):
            if hasattr(direction, "zero_output_for_mask"):
                # Otherwise the directions would repeat different time steps under the mask.
                direction.zero_output_for_mask = self.return_sequences
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def build(self, sequences_shape, initial_state_shape=None):
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer.build(sequences_shape)
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)

    def call(self, sequences, initial_state=None, mask=None, training=None):
        taken = inspect.signature(self.forward_layer.call).parameters
        given = {"mask": mask, "training": training}
        given = {name: value for name, value in given.items() if name in taken}
        state, state_rev = None, None
        if initial_state is not None:
            half = len(initial_state) // 2
            state, state_rev = initial_state[:half], initial_state[half:]

        y = self.forward_layer(sequences, initial_state=state, **given)
        y_rev = self.backward_layer(sequences, initial_state=state_rev, **given)

        states = ()
        if self.return_state:
            (y, *states), (y_rev, *states_rev) = y, y_rev
            states = (*states, *states_rev)
        if self.return_sequences:
            y_rev = ops.flip(y_rev, axis=1)
        y = ops.cast(y, self.compute_dtype)
        y_rev = ops.cast(y_rev, self.compute_dtype)
        output = MERGE[self.merge_mode](y, y_rev)
        if not self.return_state:
            return output
        return (*output, *states) if self.merge_mode is None else (output, *states)

    def compute_output_shape(self, sequences_shape, initial_state_shape=None):
        shape = self.forward_layer.compute_output_shape(sequences_shape)
        states = ()
        if self.return_state:
            shape, *states = shape
        if self.merge_mode == "concat":
            shape = (*shape[:-1], 2 * shape[-1])
        shapes = (shape, shape) if self.merge_mode is None else (shape,)
        shapes = (*shapes, *states, *states)
        return shapes if len(shapes) > 1 else shapes[0]

    def compute_mask(self, inputs, mask):
        """The input's mask, for a sequence; outputs and states beyond it have none."""
        mask = mask[0] if isinstance(mask, list) else mask
        mask = mask if self.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask

    @property
    def states(self):
        """The states of both directions between batches, of a stateful layer."""
        if self.forward_layer.states and self.backward_layer.states:
            return (*self.forward_layer.states, *self.backward_layer.states)
        return None

    def reset_state(self):
        """Starts again from zero states."""
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def get_config(self):
        return super().get_config() | {
            "layer": keras.saving.serialize_keras_object(self.forward_layer),
            "merge_mode": self.merge_mode,
            "weights": None,  # they are saved as weights
            "backward_layer": keras.saving.serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("layer", "backward_layer"):
            if config.get(name) is not None:
                config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)


PROPERTIES = ("go_backwards", "stateful", "return_sequences", "return_state")


def _check_recurrent(name, layer):
    known = isinstance(layer, keras.layers.Layer)
    if not known or not all(hasattr(layer, attribute) for attribute in PROPERTIES):
        # Keras's words first: callers match them.
        raise ValueError(
            f"Please initialize `Bidirectional` layer with a `keras.layers.Layer` instance: {name} "
            f"must be a recurrent layer, received {layer!r}"
        )


def _check_pair(forward, backward):
    for attribute in PROPERTIES:
        ahead, back = getattr(forward, attribute), getattr(backward, attribute)
        if (ahead == back) is (attribute == "go_backwards"):
            expected = "have different" if attribute == "go_backwards" else "have the same value of"
            raise ValueError(
                f"layer and backward_layer must {expected} `{attribute}`, "
                f"received {ahead} and {back}"
            )
