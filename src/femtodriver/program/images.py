"""Memory images as hex text, one word per line, and the names of the files that hold them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import Words
from femtodriver.errors import ProgramError

MEMORIES = ("DM", "TM", "SB", "RQ", "PB", "IM")
"""The memories of a core, in the order in which programs are loaded."""

Memories = dict[int, dict[str, list[Words]]]
"""{core: {memory: [words of each bit group]}}."""

METADATA_FILE = "metadata.yaml"
MAX_CORES = 16
MAX_BITGROUPS = 8

_STEMS = {
    "DM": "data_mem",
    "TM": "table_mem",
    "SB": "sboard",
    "RQ": "rqueue",
    "PB": "progbuf",
    "IM": "instr_mem",
}
_DIGITS = {"DM": 16, "TM": 4, "SB": 3, "RQ": 16, "PB": 4, "IM": 16}
_MEMORY_OF_STEM = {stem: memory for memory, stem in _STEMS.items()}
_LONG_NAME = re.compile(
    r"test_core_([0-9]{1,3})_(data_mem|table_mem|sboard|rqueue|progbuf|instr_mem)"
    r"(?:_bitgroup([0-9]{1,2}))?_initial_py_hex\.txt"
)
_SHORT_NAME = re.compile(r"c([0-9]{1,3})_(DM|TM|SB|RQ|PB|IM)(?:_bitgroup([0-9]{1,2}))?_hex\.txt")
_LENGTH_NAME = re.compile(r"test_core_([0-9]{1,3})_rqueue_len_initial\.txt|c([0-9]{1,3})_rqueue_len\.txt")
_CANONICAL = re.compile(rb"(?:[0-9a-fA-F]{1,16}\n)*")
_WORD = re.compile(rb"[0-9a-fA-F]+")


@dataclass(frozen=True)
class ImageName:
    """What a file name says: core, memory and bit group (0 when the image is not split)."""

    core: int
    memory: str
    bitgroup: int


def parse_image_name(name: str) -> ImageName | None:
    """Meaning of a memory image's file name (both vendor generations), or None for any other name."""
    long = _LONG_NAME.fullmatch(name)
    if long:
        return ImageName(int(long.group(1)), _MEMORY_OF_STEM[long.group(2)], int(long.group(3) or 0))
    short = _SHORT_NAME.fullmatch(name)
    if short:
        return ImageName(int(short.group(1)), short.group(2), int(short.group(3) or 0))
    return None


def parse_queue_length_name(name: str) -> int | None:
    """Core of a ready-queue length file, or None for any other name."""
    found = _LENGTH_NAME.fullmatch(name)
    return int(found.group(1) or found.group(2)) if found else None


def image_name(core: int, memory: str, bitgroup: int | None = None) -> str:
    """File name of an image; ``bitgroup`` None when the memory is not split."""
    group = "" if bitgroup is None else f"_bitgroup{bitgroup}"
    return f"test_core_{core}_{_STEMS[memory]}{group}_initial_py_hex.txt"


def queue_length_name(core: int) -> str:
    """File name of the ready-queue length."""
    return f"test_core_{core}_rqueue_len_initial.txt"


def write_hex(words: npt.ArrayLike, memory: str = "DM") -> bytes:
    """Words as lower-case hex, one per line, zero-padded to the memory's usual width, ``\\n`` after every line."""
    values = np.asarray(words, dtype=np.uint64)
    digits = _DIGITS[memory]
    if digits < 16:
        return "".join([f"{value:0{digits}x}\n" for value in values.tolist()]).encode("ascii")
    text = np.frombuffer(values.astype(">u8").tobytes().hex().encode("ascii"), np.uint8).reshape(-1, 16)
    newlines = np.full((len(values), 1), ord("\n"), np.uint8)
    return np.hstack([text, newlines]).tobytes()


def read_hex(data: bytes, where: str = "hex image") -> Words:
    """Words of a hex text (empty text: no words), shape (n,), uint64.

    Raises ProgramError for a line that is not one hex number below 2^64.
    """
    if data and not data.endswith(b"\n"):
        data += b"\n"
    if _CANONICAL.fullmatch(data):
        return _convert(data.split())
    tokens = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        token = line.strip(b" \t\r")
        if token:
            tokens.append(_checked(token, f"{where}: line {number}"))
    return _convert(tokens)


def _checked(token: bytes, where: str) -> bytes:
    if not _WORD.fullmatch(token):
        raise ProgramError(f"{where}: must be one hexadecimal number, not {_shown(token)}.")
    if len(token.lstrip(b"0")) > 16:
        raise ProgramError(f"{where}: a word must be below 2^64, not {_shown(token)}.")
    return token


def _shown(token: bytes) -> str:
    text = token.decode("latin-1")
    return repr(text if len(text) <= 24 else text[:24] + "...")


def _convert(tokens: Sequence[bytes]) -> Words:
    if tokens and min(map(len, tokens)) == max(map(len, tokens)) == 16:
        return np.frombuffer(bytes.fromhex(b"".join(tokens).decode("ascii")), ">u8").astype(np.uint64)
    return np.array([int(token, 16) for token in tokens], dtype=np.uint64)


def read_queue_length(data: bytes, where: str) -> int:
    """Decimal number of a ready-queue length file; ProgramError for anything else."""
    text = data.strip()
    if not re.fullmatch(rb"[0-9]{1,6}", text):
        raise ProgramError(f"{where}: must be one decimal number, not {_shown(text)}.")
    return int(text)
