"""Headings of the options in the help text, in its order."""

INPUT = "input"
RUNNING = "running and comparing"
RESULTS = "what a run writes"
FIGURES = "conditions of the figures"
INSIGHT = "profile and quantization report"
BOARDS = "boards, for the runner hw"
COMPILING = "compiling and writing"
CONVERTING = "converting a PyTorch module"
KEYS = "encryption"
VENDOR = "the vendor's compiler"
# Options that stand first in their group.
LEADING = ("input_file", "profile", "hw_config")
GROUPS = (INPUT, RUNNING, RESULTS, FIGURES, INSIGHT, BOARDS, COMPILING, CONVERTING, KEYS, VENDOR)
