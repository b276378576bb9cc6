"""Networks in TFLite files, from bytes to a network of ours. docs/tflite.md has limits, attacks and figures.

Reading: ``tflite_format`` recognises a file, ``flatbuffer`` reads it without trust, ``read_model`` makes the frozen
``records`` of it; ``builtin_names`` names operators in messages.

Checking: ``check_graphs`` is the way in, ``operator_kinds`` has a row for each operator. ``operator_shapes``,
``value_rules`` and ``weight_rules`` are the rules for one operator (``checked_operator``), ``state_variables`` those
for the state that is kept from frame to frame.

Importing: ``import_network`` is the way in, ``operator_imports`` has a row for each operator, and
``network_in_making`` is the network as it grows. One file for each kind of operator: ``weighted_imports``,
``picture_imports`` (with ``picture_rows``, ``picture_strip`` and ``picture_windows``), ``arithmetic_imports``,
``mean_imports``, ``softmax_imports``, ``value_imports``, ``movement_imports``, ``state_imports``. ``rescaling`` turns
scales into the constants of ``rescale``.
"""
