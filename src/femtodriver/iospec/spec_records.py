"""The records of an I/O specification: a variable, and a sequence of inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INPUT, OUTPUT = "input", "output"
SIMPLE, COMPLEX = "simple_sequence", "complex_sequence"
# The reference knows 8 and 16 bits. Networks for the open SPU may have any width up to this one.
MOST_PRECISION = 32
PLACES = ("length_64b_words", "mailbox_id", "core_id", "pc")
"""What only a compiler knows."""


@dataclass(frozen=True)
class SpecVariable:
    """An input or output: ``length`` elements of ``precision`` bits in a frame.

    ``padded_length``: elements with padding. ``scale`` and ``zero_pt``: an integer v stands for the real number
    (v - zero_pt) * scale. ``length_64b_words``: words of a message; ``mailbox_id`` names an output in messages,
    ``core_id`` and ``pc`` are where an input is received. None: not stated.
    """

    varname: str
    length: int
    precision: int
    padded_length: int | None = None
    scale: float | None = None
    zero_pt: int | None = None
    length_64b_words: int | None = None
    mailbox_id: int | None = None
    core_id: int | None = None
    pc: int | None = None
    comments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def padding(self) -> tuple[tuple[int], tuple[int | None]]:
        """Shape of a frame without padding, and with it."""
        return (self.length,), (self.padded_length,)


@dataclass(frozen=True)
class SpecSequence:
    """Which inputs together make which outputs, each with how many frames of it. ``kind``: SIMPLE means one of each."""

    kind: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    comments: Mapping[str, Any] = field(default_factory=dict)
