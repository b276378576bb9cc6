"""Why a run of the loop has stopped: the numbers of ``Status`` in ``records.hpp``."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """All but the first two are faults, or may be."""

    DONE = 0
    DECODE = 1
    FAULT_ROW = 2
    NO_INSTRUCTION = 3
    ADDRESS = 4
    ORDER = 5
    NO_MESSAGE = 6
    MESSAGE_LENGTH = 7
    NO_THREAD = 8
    NO_CORE = 9
    INSTRUCTIONS = 10
    ELEMENTS = 11
    WORDS = 12
    ROUTER = 13
    FRAME_END = 14
