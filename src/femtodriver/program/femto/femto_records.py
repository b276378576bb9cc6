"""What a ``.femto`` container says, as frozen records, and the enumerations of its two layouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from femtodriver.errors import ProgramError, UsageError
from femtodriver.program.femto.binary_reader import Order
from femtodriver.program.memory_map import OPEN_SPU, SPU001, SPU150, Geometry
from femtodriver.program.metadata import NOT_ENCRYPTED

LAYOUTS = ("A", "B-packed", "B-aligned")
DEFAULT_LAYOUT = "B-aligned"
CHUNK = 256
FORMAT_VERSION = 0x0100
MAX_FILE = 32 << 20

VECTOR_KINDS: Mapping[int, str] = {0: "input", 1: "output", 2: "parameter"}
VECTOR_CODES: Mapping[str, int] = {name: code for code, name in VECTOR_KINDS.items()}

# 32 is an extension of the open SPU.
VECTOR_BITS = (8, 16, 32)

CORE_OFF, CORE_ON = 0, 1
BANK_OFF, BANK_FSM = 0, 5

PART_SPU001, PART_UNKNOWN = 1, 255
PART_NAMES: Mapping[int, str] = {1: "SPU001", 2: "SPU150", 3: "SPU150_TC1", 4: "SPU150_MP", 255: "unknown"}
# A part of more than two cores is none of the vendor's: it is stored as unknown, with the map of the SPU-001.
_GEOMETRIES: Mapping[int, Geometry] = {1: SPU001, 2: SPU150, 3: SPU150, 4: SPU150, 255: OPEN_SPU}

_TYPES_A: Mapping[str, int] = {"WWD": 10, "GSC": 20, "SLU": 30, "AINR": 40}
_TYPES_B: Mapping[str, int] = {"KWS": 1, "WWD": 1, "GSC": 1, "SLU": 2, "AINR": 3, "CLARA": 3}
_NAMES_A: Mapping[int, str] = {0: "unknown", **{code: name for name, code in _TYPES_A.items()}}
_NAMES_B: Mapping[int, str] = {0: "none", 1: "KWS", 2: "SLU", 3: "AINR", 10: "custom", 0xFFFF: "invalid"}
_CUSTOM_A, _CUSTOM_B = 0, 10


@dataclass(frozen=True)
class FemtoHeader:
    """How the file is written: layout and padding profile, byte order flag (1 = little endian), who wrote it.

    ``producer`` is text; Layout A stores "major.minor" only. The checksum has no algorithm and is written as 0.
    """

    layout: str = DEFAULT_LAYOUT
    producer: str = "open-femtodriver"
    byte_order: int = 1
    format_version: int = FORMAT_VERSION
    checksum: int = 0

    @property
    def order(self) -> Order:
        """Byte order as ``struct`` and numpy write it."""
        return "<" if self.byte_order == 1 else ">"


@dataclass(frozen=True)
class FemtoVector:
    """One input, output or parameter vector.

    Lengths count elements of ``bits`` bits (see docs/femto.md for files that count int16 units); ``parameter`` is the
    entry PC of an input or the mailbox id of an output.
    """

    id: int
    kind: str
    core: int
    bits: int
    usable: int
    padded: int
    parameter: int

    def __post_init__(self) -> None:
        if self.kind not in VECTOR_CODES:
            raise UsageError(f"vector {self.id}: kind must be one of {', '.join(VECTOR_CODES)}, not {self.kind!r}.")
        if self.bits not in VECTOR_BITS:
            raise UsageError(f"vector {self.id}: bits must be 8, 16 or 32, not {self.bits!r}.")


@dataclass(frozen=True)
class FemtoSequence:
    """Vectors that belong to one step: ids of inputs and of outputs."""

    id: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class FemtoModel:
    """The network: ``type_code`` as stored (its meaning depends on the layout), name, version, vectors, sequences.

    ``audio_channels`` and ``audio_rate_khz`` exist in Layout A only, ``user_data`` and ``reference`` in Layout B only.
    """

    type_code: int = _CUSTOM_B
    name: str = "generic_model"
    version: str = "1.0.0"
    vectors: tuple[FemtoVector, ...] = ()
    sequences: tuple[FemtoSequence, ...] = ()
    user_data: bytes = b""
    reference: bytes = b""
    audio_channels: int = 1
    audio_rate_khz: int = 16


@dataclass(frozen=True)
class FemtoCore:
    """A core and its status as stored (1 on, 0 off)."""

    core_id: int
    status: int = CORE_ON


@dataclass(frozen=True)
class FemtoSpu:
    """The part: number, key index (32 = not encrypted), recommended clock in MHz, cores."""

    part: int = PART_SPU001
    key_index: int = NOT_ENCRYPTED
    clock_mhz: int = 100
    cores: tuple[FemtoCore, ...] = field(default=(FemtoCore(0, CORE_OFF), FemtoCore(1, CORE_OFF)))

    @property
    def geometry(self) -> Geometry:
        """Memory map of the part; ProgramError for an unknown part number."""
        return part_geometry(self.part, "spu")

    @property
    def used_cores(self) -> tuple[int, ...]:
        """Numbers of the cores that are not off."""
        return tuple(core.core_id for core in self.cores if core.status != CORE_OFF)


@dataclass(frozen=True)
class ParsedFile:
    """Records of a file, the place of its pages, and the banks that its descriptors call off: (core, bank name)."""

    header: FemtoHeader
    model: FemtoModel
    spu: FemtoSpu
    pages_at: int
    page_count: int
    banks_off: frozenset[tuple[int, str]]


def part_geometry(part: int, where: str) -> Geometry:
    """Memory map of a part number; ProgramError for an unknown one."""
    if part not in _GEOMETRIES:
        raise ProgramError(f"{where}: the part number must be one of {sorted(_GEOMETRIES)}, not {part}.")
    return _GEOMETRIES[part]


def check_layout(layout: str) -> str:
    """The layout itself; UsageError when there is no such layout."""
    if layout not in LAYOUTS:
        raise UsageError(f"layout: must be one of {', '.join(LAYOUTS)}, not {layout!r}.")
    return layout


def model_type_code(text: str, layout: str) -> int:
    """Stored number of a model type (any case); text that the layout does not know means unknown or custom."""
    if check_layout(layout) == "A":
        return _TYPES_A.get(text.upper(), _CUSTOM_A)
    return _TYPES_B.get(text.upper(), _CUSTOM_B)


def model_type_name(code: int, layout: str) -> str:
    """Text of a stored model type."""
    if check_layout(layout) == "A":
        return _NAMES_A.get(code, "unknown")
    return _NAMES_B.get(code, "custom")


def version_code(text: str) -> int:
    """ "major.minor..." as the 16-bit number of Layout A; 0x0100 when the text does not start like that."""
    parts = text.split(".")[:2]
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) <= 3]
    if len(numbers) == 2 and max(numbers) <= 0xFF:
        return numbers[0] << 8 | numbers[1]
    return FORMAT_VERSION


def version_text(code: int) -> str:
    """The 16-bit version of Layout A as "major.minor"."""
    return f"{code >> 8}.{code & 0xFF}"
