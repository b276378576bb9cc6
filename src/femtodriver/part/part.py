"""A part (chip) as data: cores, memories, clock. One TOML file per part.

The compiler, the machine, the metrics and the virtual board all read the part from here.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path

from femtodriver.errors import UsageError
from femtodriver.files.file_access import read_file
from femtodriver.files.plain_toml import load_toml
from femtodriver.isa.limits import GROUP_SIZE, MAX_TABLE_BANKS, WORD_BITS
from femtodriver.part.part_limits import PART_LIMITS

MAX_BYTES = 1 << 16
FIGURE_KINDS = ("measured", "computed", "assumed")
"""Where a figure can come from."""


@dataclass(frozen=True)
class Part:
    """Sizes and rates of one part. Words of DM, IM, router and buffers are 64 bits, of TM 16 bits.

    ``router_words``: of messages between cores that wait for one core; ``input_buffer_words``, ``output_buffer_words``:
    of the inputs and of the outputs of one frame; headers count in all three. The link to the host has ``link_bits``
    data lines with a clock of ``link_hz``; ``link_kind`` and ``link_source`` say where those figures come from.
    """

    name: str
    cores: int
    dm_banks: int
    dm_bank_words: int
    tm_banks: int
    tm_bank_words: int
    im_words: int
    threads: int
    lanes: int
    acc_rows: int
    clock_hz: float
    voltage_v: float
    message_latency: int
    router_words: int
    input_buffer_words: int
    output_buffer_words: int
    link_bits: int
    link_hz: float
    link_kind: str
    link_source: str
    sha256: str = ""

    @property
    def dm_words(self) -> int:
        """64-bit words of data memory of one core."""
        return self.dm_banks * self.dm_bank_words

    @property
    def dm_bytes(self) -> int:
        """Bytes of data memory of one core."""
        return WORD_BITS // 8 * self.dm_words

    @property
    def link_word_s(self) -> float:
        """Seconds that the link to the host takes for one 64-bit word."""
        return WORD_BITS / self.link_bits / self.link_hz


def load_part(name_or_path: str | Path = "spu001") -> Part:
    """The part of that name (in any case) that the package ships, or a user's own TOML file (``*.toml``).

    Raises UsageError for an unknown name, an unreadable file, a missing or unknown entry, and a value that an
    instruction or a program file cannot express.
    """
    text = _read(name_or_path)
    table = load_toml(text, str(name_or_path), UsageError)
    return _part_from_table(str(name_or_path), table, hashlib.sha256(text).hexdigest())


def part_names() -> tuple[str, ...]:
    """Names of the parts that the package ships."""
    folder = resources.files("femtodriver.part") / "parts"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def _read(name_or_path: str | Path) -> bytes:
    name = str(name_or_path).lower()
    if name in part_names():
        return (resources.files("femtodriver.part") / "parts" / f"{name}.toml").read_bytes()
    path = Path(name_or_path)
    if path.suffix != ".toml":
        known = ", ".join(part_names())
        raise UsageError(f"hw-config: must be one of {known}, or a path to a .toml file, not {str(name_or_path)!r}.")
    return read_file(path, MAX_BYTES, UsageError)


def _part_from_table(where: str, table: dict[str, object], digest: str) -> Part:
    values: dict[str, object] = {}
    known = {entry.name: entry.type for entry in fields(Part) if entry.name != "sha256"}
    for key in table:
        if key not in known:
            raise UsageError(f"{where}: unknown entry {key!r}; the entries are {', '.join(known)}.")
    for key, kind in known.items():
        if key not in table:
            raise UsageError(f"{where}: entry {key!r} is missing; copy it from a shipped part file.")
        values[key] = _entry(where, key, kind, table[key])
    part = Part(**values, sha256=digest)  # type: ignore[arg-type]
    _check(where, part)
    return part


def _entry(where: str, key: str, kind: object, value: object) -> object:
    if kind == "str":
        if isinstance(value, str):
            return value
        raise UsageError(f"{where}: {key} must be text, not {value!r}.")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise UsageError(f"{where}: {key} must be a positive number, not {value!r}.")
    if kind == "int":
        if isinstance(value, int):
            return value
        raise UsageError(f"{where}: {key} must be a whole number, not {value!r}.")
    return float(value)


def _check(where: str, part: Part) -> None:
    for entry, limit in PART_LIMITS.items():
        value = getattr(part, entry)
        if value > limit.most:
            raise UsageError(f"{where}: {entry} must be at most {limit.most}, not {value}, because {limit.reason}.")
    if part.lanes != GROUP_SIZE:
        raise UsageError(
            f"{where}: lanes must be {GROUP_SIZE}, not {part.lanes}, because weights are stored in groups of that size."
        )
    if part.dm_banks % 2:
        raise UsageError(f"{where}: dm_banks must be even, not {part.dm_banks}, because banks work in pairs.")
    if part.link_kind not in FIGURE_KINDS:
        raise UsageError(f"{where}: link_kind must be one of {', '.join(FIGURE_KINDS)}, not {part.link_kind!r}.")
    if part.tm_banks != MAX_TABLE_BANKS:
        raise UsageError(
            f"{where}: tm_banks must be {MAX_TABLE_BANKS}, not {part.tm_banks}, because the compiler spreads the "
            "copies of a table over that many."
        )
