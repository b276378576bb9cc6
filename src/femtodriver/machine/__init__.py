"""The machine: runs a compiled program from its images, bit for bit, and counts.

From the outside in: ``machine`` (named arrays in and out, frame by frame), ``spu`` (cores, threads and the router),
``decode_rows`` (instruction words become the flat ``rows``), ``executors`` (which class runs the row of which
instruction; the classes are in ``execute_*``), ``core`` and ``memory`` (the state that they change). Another loop,
in another language, can start from the rows and the state, and must only fill in the same counts.
"""
