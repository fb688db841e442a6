"""Arguments of Keras's classes that the library leaves out on purpose.

For each class and argument: the values that mean "not used", which are accepted so that a class
can be swapped for Keras's, and the reason why every other value is refused. The documentation
prints this table, and a test compares it with Keras's signatures.
"""

_LORA = "low-rank adaptation of large models is no topic of the lecture"
_CUDNN = "it is a loop of the equations on every device; Keras's class has the fused kernel"
_IMPLEMENTATION = "Keras's older ways to order the same products; the numbers are the same"
_QUANTIZED = "weights of a few bits are no topic of the lecture"

LEFT_OUT = {
    "Dense": {
        "lora_rank": ((None,), _LORA),
        "lora_alpha": ((None,), _LORA),
        "quantization_config": ((None,), _QUANTIZED),
    },
    "BatchNormalization": {
        "renorm": ((False,), "batch renormalization is another algorithm"),
        "renorm_clipping": ((None,), "belongs to batch renormalization"),
        "renorm_momentum": ((0.99,), "belongs to batch renormalization"),
        "synchronized": ((False,), "statistics are those of one device"),
    },
    "Conv2D": {"lora_rank": ((None,), _LORA), "lora_alpha": ((None,), _LORA)},
    "LSTMCell": {"implementation": ((2, 1, 0), _IMPLEMENTATION)},
    "GRUCell": {"implementation": ((2, 1, 0), _IMPLEMENTATION)},
    "LSTM": {
        "use_cudnn": (("auto", False), _CUDNN),
        "implementation": ((2, 1, 0), _IMPLEMENTATION),
    },
    "GRU": {
        "use_cudnn": (("auto", False), _CUDNN),
        "implementation": ((2, 1, 0), _IMPLEMENTATION),
    },
}
