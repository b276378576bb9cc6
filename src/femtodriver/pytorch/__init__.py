"""PyTorch modules as models: converted, quantized and traced by fmot. docs/pytorch.md says what users see of it.

``convert_model``        the way in, for a file of Python and for a module in memory
``module_reference``     FILE.py:NAME, read; how a module in memory is known without torch
``calibration``          the user's arrays, read and checked; ``module_inputs`` makes tensors of them
``conversion_process``   our side of the process that runs a user's file; ``conversion_child`` is the other side
``convert_module``       the conversion itself, the same for both, with ``quantization_quality``: how good the result is
``stumbling_blocks``     what is looked for before fmot is asked: ``forward_source`` parses the user's classes,
                         ``forward_rules`` looks at their source, ``tracing_advice`` says what to use instead
``converter_failures``   what is told of any other error; ``foreign_code`` catches it

torch is loaded here, and in ``femtocrux``, which hands a graph to the vendor's client; nowhere else.
"""
