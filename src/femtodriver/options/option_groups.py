"""Headings of the options in the help text, in its order."""

RUNNING = "running"
BOARDS = "boards, for the runner hw"
COMPILING = "compiling and writing"
NOT_YET = "not in this version (refused with an explanation)"
GROUPS = (RUNNING, BOARDS, COMPILING, NOT_YET)
