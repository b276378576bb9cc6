"""Networks in TFLite files: read safely, and checked. docs/tflite.md has the format, the limits and the attacks.

``read_model`` gives the records of a file; ``check_graphs`` says whether they mean something.
"""
