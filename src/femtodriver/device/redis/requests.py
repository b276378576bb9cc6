"""The requests of the redis protocol: lists of decimal numbers, ``req`` to the client side, ``reply`` back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from femtodriver.errors import DeviceError

REQUESTS, REPLIES = "req", "reply"
READ, WRITE = 0, 1
TARGETS: Mapping[str, int] = {"apb": 0, "axis": 1, "spu_top": 2, "host": 3}
TARGET_NAMES: Mapping[int, str] = {code: name for name, code in TARGETS.items()}
HEADER_ELEMENTS = 5
# Registers of the target "host".
HOST_WAIT, HOST_RESET, HOST_INTERRUPT = 0, 1, 2
_U32 = 1 << 32


@dataclass(frozen=True)
class Request:
    """The first five elements of a request; a write is followed by ``length`` words."""

    writes: bool
    target: str
    start: int
    end: int
    length: int


def header(writes: bool, target: str, start: int, end: int, length: int) -> list[int]:
    """The elements in front of the words."""
    return [WRITE if writes else READ, TARGETS[target], start, end, length]


def parse_header(elements: Sequence[str], most: int) -> Request:
    """The request of five elements. DeviceError for what is none, or for more than ``most`` words."""
    kind, target, start, end, length = numbers(elements, "request")
    if kind not in (READ, WRITE) or target not in TARGET_NAMES or not 1 <= length <= most:
        raise DeviceError(
            f"request: must be a read (0) or write (1) to a target 0...3 of 1...{most} words, "
            f"not {kind}, {target}, {length}."
        )
    return Request(kind == WRITE, TARGET_NAMES[target], start, end, length)


def numbers(elements: Sequence[str], where: str) -> list[int]:
    """The values of elements; DeviceError for one that is no unsigned 32-bit decimal number."""
    for text in elements:
        if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 12 and int(text) < _U32):
            raise DeviceError(f"{where}: expected decimal numbers below 2^32, got {text!r:.40}.")
    return [int(text) for text in elements]
