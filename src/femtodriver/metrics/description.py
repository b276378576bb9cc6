"""What a compiled program tells about itself: layers, source map, memory. Read with suspicion, it comes from a file.

It is the value of the key ``femtodriver`` of ``metadata.yaml``. Execution never looks at it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from femtodriver.errors import ProgramError

SCHEMA = 1
STORED_KINDS = ("weights", "indices", "activations", "state", "tables", "instructions", "constants")


@dataclass(frozen=True)
class Layer:
    """One layer in program order; ``stored`` has bytes by kind where the compiler tells them."""

    name: str
    op: str
    source: str
    core: int | None
    stored: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CoreMemory:
    """Memory of one core that the program uses: bytes by kind, and words per memory."""

    stored: Mapping[str, int]
    dm_words: tuple[int, ...]
    tm_words: int
    im_words: int


@dataclass(frozen=True)
class Description:
    """Layers in program order, sorted instruction ranges ``(first, end, layer)`` per core, memory per core."""

    layers: tuple[Layer, ...]
    ranges: Mapping[int, tuple[tuple[int, int, int], ...]]
    memory: Mapping[int, CoreMemory]
    model: Mapping[str, object]
    options: Mapping[str, object]

    def layer_at(self, core: int, pc: int) -> int | None:
        """Index of the layer that the instruction at ``pc`` belongs to, or None."""
        ranges = self.ranges.get(core, ())
        place = bisect_right(ranges, pc, key=lambda entry: entry[0]) - 1
        if place < 0 or pc >= ranges[place][1]:
            return None
        return ranges[place][2]


def read_description(table: object) -> Description:
    """The description in the dict ``table``. Raises ProgramError where it does not have the documented form."""
    entries = _mapping("the description", table)
    if entries.get("schema") != SCHEMA:
        raise _wrong("schema", str(SCHEMA), entries.get("schema"))
    layers = tuple(
        _layer(f"layers[{place}]", item) for place, item in enumerate(_list("layers", entries.get("layers")))
    )
    source_map = _by_core("source_map", entries.get("source_map"))
    compiler = _mapping("compiler", entries.get("compiler", {}))
    memory = _by_core("memory", entries.get("memory"))
    return Description(
        layers=layers,
        ranges={core: _ranges(f"source_map[{core}]", rows, len(layers)) for core, rows in source_map.items()},
        memory={core: _memory(f"memory[{core}]", item) for core, item in memory.items()},
        model=_mapping("model", entries.get("model", {})),
        options=_mapping("compiler.options", compiler.get("options", {})),
    )


def _wrong(where: str, wanted: str, value: object) -> ProgramError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return ProgramError(f"metadata.yaml: femtodriver: {where}: must be {wanted}, not {shown}. Compile the model again.")


def _mapping(where: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(where, "a mapping", value)
    return value


def _list(where: str, value: object) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise _wrong(where, "a list", value)
    return value


def _count(where: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _wrong(where, "a whole number that is not negative", value)
    return value


def _counts(where: str, value: object, keys: Sequence[str]) -> dict[str, int]:
    entries = _mapping(where, value)
    return {key: _count(f"{where}.{key}", entries[key]) for key in keys if key in entries}


def _by_core(where: str, value: object) -> dict[int, Any]:
    # JSON turns integer keys into text; both forms are welcome.
    result: dict[int, Any] = {}
    for key, item in _mapping(where, value).items():
        number = int(key) if isinstance(key, str) and key.isdecimal() and len(key) < 10 else key
        result[_count(f"{where} core", number)] = item
    return result


def _layer(where: str, value: object) -> Layer:
    entries = _mapping(where, value)
    core = entries.get("core")
    return Layer(
        name=str(entries.get("name", "")),
        op=str(entries.get("op", "")),
        source=str(entries.get("source", "")),
        core=None if core is None else _count(f"{where}.core", core),
        stored=_counts(f"{where}.bytes", entries.get("bytes", {}), STORED_KINDS),
    )


def _ranges(where: str, rows: object, layers: int) -> tuple[tuple[int, int, int], ...]:
    found = []
    for row in _list(where, rows):
        if not isinstance(row, (list, tuple)) or len(row) != 3:
            raise _wrong(where, "a list of [first, end, layer]", row)
        first, end, layer = (_count(where, number) for number in row)
        if layer >= layers:
            raise _wrong(where, f"a list whose layers are below {layers}", row)
        if first < end:
            found.append((first, end, layer))
    found.sort()
    for before, after in pairwise(found):
        if after[0] < before[1]:
            raise _wrong(where, f"a list of ranges that do not overlap {list(before)}", list(after))
    return tuple(found)


def _memory(where: str, value: object) -> CoreMemory:
    entries = _mapping(where, value)
    words = _list(f"{where}.dm_used_words_per_bank", entries.get("dm_used_words_per_bank"))
    return CoreMemory(
        stored=_counts(where, entries, STORED_KINDS),
        dm_words=tuple(_count(f"{where}.dm_used_words_per_bank", word) for word in words),
        tm_words=_count(f"{where}.tm_used_words", entries.get("tm_used_words")),
        im_words=_count(f"{where}.im_used_words", entries.get("im_used_words")),
    )
