"""What ``metadata.yaml`` says, checked and typed. Keys that we do not know are left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from femtodriver.errors import ProgramError
from femtodriver.program.images import MAX_CORES
from femtodriver.program.memory_map import largest
from femtodriver.program.packing import elements_per_word

NOT_ENCRYPTED = 32
"""Key index of a program that is not encrypted."""

# QUAD is an extension of the open SPU; the vendor knows 8 and 16 bits only.
_BITS: dict[object, int] = {"STD": 8, "DBL": 16, "QUAD": 32, 8: 8, 16: 16, 32: 32}
PRECISION_NAMES = {8: "STD", 16: "DBL", 32: "QUAD"}

# Banks of a memory, and words of the largest one, in any part that the containers describe.
_DM_BANKS, _DM_BANK_WORDS = largest("DM")
_TM_BANKS, _TM_BANK_WORDS = largest("TM")
_IM_WORDS = largest("IM")[1]
_U16 = (1 << 16) - 1
_U32 = (1 << 32) - 1
_U64 = (1 << 64) - 1

BankSizes = Mapping[int, Mapping[int, int]]


@dataclass(frozen=True)
class InputRecord:
    """An input vector: ``words`` 64-bit words of ``bits``-bit elements, ``usable`` of which the network means."""

    name: str
    core: int
    pc_val: int
    words: int
    bits: int
    usable: int


@dataclass(frozen=True)
class OutputRecord:
    """An output vector; ``mailbox_id`` names it in replies."""

    name: str
    core: int
    mailbox_id: int
    words: int
    bits: int
    usable: int


@dataclass(frozen=True)
class ProgramInfo:
    """The part of the metadata that loading and running a program need.

    Bank sizes are {core: {bank: used words}}, in the order of the file; ``inst_counts`` has cores 0...N-1.
    ``encrypted`` is None when the metadata does not say; ``part`` is the number that a ``.femto`` file gave.
    """

    data_bank_sizes: BankSizes
    table_bank_sizes: BankSizes
    inst_counts: Mapping[int, int]
    inputs: tuple[InputRecord, ...]
    outputs: tuple[OutputRecord, ...]
    encrypted: bool | None = None
    key_index: int | None = None
    key_salt: int = 0
    part: int | None = None


def program_info(metadata: object, where: str = "metadata") -> ProgramInfo:
    """The checked metadata. Raises ProgramError that names the key for anything missing, mistyped or out of range."""
    top = _mapping(metadata, where)
    for key in ("data_bank_sizes", "table_bank_sizes", "inst_counts", "inputs", "outputs"):
        if key not in top:
            raise ProgramError(f"{where}: the key {key!r} is missing; the file must describe a compiled program.")
    counts = _inst_counts(top["inst_counts"], f"{where}: inst_counts")
    padding = _paddings(top, where)
    info = ProgramInfo(
        data_bank_sizes=_bank_sizes(top["data_bank_sizes"], _DM_BANKS, _DM_BANK_WORDS, f"{where}: data_bank_sizes"),
        table_bank_sizes=_bank_sizes(top["table_bank_sizes"], _TM_BANKS, _TM_BANK_WORDS, f"{where}: table_bank_sizes"),
        inst_counts=counts,
        inputs=tuple(_inputs(top["inputs"], len(counts), padding[0], f"{where}: inputs")),
        outputs=tuple(_outputs(top["outputs"], len(counts), padding[1], f"{where}: outputs")),
        encrypted=_encrypted(top, where),
        key_index=_optional(top, "encryption_key_index", NOT_ENCRYPTED, where),
        key_salt=_optional(top, "encryption_key_salt", _U64, where) or 0,
        part=_part(top, where),
    )
    _check_cores(info, where)
    return info


def _check_cores(info: ProgramInfo, where: str) -> None:
    for key in ("data_bank_sizes", "table_bank_sizes"):
        for core in getattr(info, key):
            if core not in info.inst_counts:
                raise ProgramError(f"{where}: {key}: core {core} must also be a key of inst_counts.")
    seen: dict[int, str] = {}
    for record in info.outputs:
        if record.mailbox_id in seen:
            raise ProgramError(
                f"{where}: outputs[{record.name!r}]: mailbox_id {record.mailbox_id} must differ from that of "
                f"{seen[record.mailbox_id]!r}."
            )
        seen[record.mailbox_id] = record.name


def _encrypted(top: Mapping[Any, Any], where: str) -> bool | None:
    value = top.get("encrypted")
    if value is None or isinstance(value, bool):
        return value
    raise ProgramError(f"{where}: encrypted must be true or false, not {value!r}.")


def _optional(top: Mapping[Any, Any], key: str, most: int, where: str) -> int | None:
    value = top.get(key)
    return None if value is None else _number(value, most, f"{where}: {key}")


def _part(top: Mapping[Any, Any], where: str) -> int | None:
    femto = top.get("femto")
    if not isinstance(femto, Mapping) or "part" not in femto:
        return None
    return _number(femto["part"], 255, f"{where}: femto: part")


def _mapping(value: object, where: str) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    raise ProgramError(f"{where}: must be a mapping, not {_brief(value)}.")


def _number(value: object, most: int, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProgramError(f"{where}: must be a whole number, not {_brief(value)}.")
    if not 0 <= value <= most:
        raise ProgramError(f"{where}: must be in 0...{most}, not {_brief(value)}.")
    return value


def _brief(value: object) -> str:
    if isinstance(value, (Mapping, list, tuple)):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    text = repr(value) if not isinstance(value, int) or abs(value) >> 128 == 0 else "a very long number"
    return text if len(text) <= 40 else text[:37] + "..."


def _inst_counts(value: object, where: str) -> dict[int, int]:
    table = _mapping(value, where)
    counts = {
        _number(core, MAX_CORES - 1, f"{where}: core"): _number(count, _IM_WORDS, f"{where}[{core}]")
        for core, count in table.items()
    }
    if not counts or sorted(counts) != list(range(len(counts))):
        raise ProgramError(f"{where}: the cores must be 0, 1, ... without gaps, not {sorted(counts)}.")
    return counts


def _bank_sizes(value: object, banks: int, most: int, where: str) -> dict[int, dict[int, int]]:
    sizes: dict[int, dict[int, int]] = {}
    for core, table in _mapping(value, where).items():
        here = f"{where}[{_number(core, MAX_CORES - 1, f'{where}: core')}]"
        sizes[core] = {
            _number(bank, banks - 1, f"{here}: bank"): _number(size, most, f"{here}[{bank}]")
            for bank, size in _mapping(table, here).items()
        }
    return sizes


def _paddings(top: Mapping[Any, Any], where: str) -> tuple[dict[str, int], dict[str, int]]:
    """Usable element counts of inputs and of outputs, as far as the metadata gives them."""
    keys = ("fqir_input_padding", "fqir_output_padding")
    given = [top.get(key) is not None for key in keys]
    if not any(given):
        return {}, {}
    if not all(given):
        raise ProgramError(f"{where}: {keys[0]} and {keys[1]} must both be present, or none of them.")
    first, second = (_padding(top[key], f"{where}: {key}") for key in keys)
    return first, second


def _padding(value: object, where: str) -> dict[str, int]:
    usable: dict[str, int] = {}
    for name, item in _mapping(value, where).items():
        here = f"{where}[{_brief(name)}]"
        record = _mapping(item, here)
        logical = _number(record.get("fqir"), _U32, f"{here}: fqir")
        padded = _number(record.get("fasmir"), _U32, f"{here}: fasmir")
        if logical > padded:
            raise ProgramError(f"{here}: fqir must be at most fasmir, {padded}, not {logical}.")
        usable[name] = logical
    return usable


def _inputs(value: object, cores: int, usable: Mapping[str, int], where: str) -> list[InputRecord]:
    records = []
    for name, item in _mapping(value, where).items():
        here, record = _record(name, item, where)
        core, words, bits, length = _common(name, record, cores, usable, here)
        records.append(InputRecord(name, core, _field(record, "pc_val", _U32, here), words, bits, length))
    return records


def _outputs(value: object, cores: int, usable: Mapping[str, int], where: str) -> list[OutputRecord]:
    records = []
    for name, item in _mapping(value, where).items():
        here, record = _record(name, item, where)
        core, words, bits, length = _common(name, record, cores, usable, here)
        records.append(OutputRecord(name, core, _field(record, "mailbox_id", _U32, here), words, bits, length))
    return records


def _record(name: object, item: object, where: str) -> tuple[str, Mapping[Any, Any]]:
    if not isinstance(name, str):
        raise ProgramError(f"{where}: a variable's name must be text, not {_brief(name)}.")
    here = f"{where}[{_brief(name)}]"
    return here, _mapping(item, here)


def _common(
    name: str, record: Mapping[Any, Any], cores: int, usable: Mapping[str, int], where: str
) -> tuple[int, int, int, int]:
    core = _field(record, "core", MAX_CORES - 1, where)
    if core >= cores:
        raise ProgramError(f"{where}: core must be one of the program's {cores} cores, not {core}.")
    words = _field(record, "len_64b_words", _U16, where)
    dtype = record.get("dtype")
    if not isinstance(dtype, str) or not dtype.startswith("V"):
        raise ProgramError(f"{where}: dtype must be text that starts with V (a vector), not {_brief(dtype)}.")
    bits = _precision(record.get("precision"), where)
    capacity = words * elements_per_word(bits)
    length = usable.get(name, capacity)
    if length > capacity:
        raise ProgramError(f"{where}: {words} words hold {capacity} elements of {bits} bits, not {length}.")
    return core, words, bits, length


def _precision(value: object, where: str) -> int:
    if isinstance(value, (str, int)) and not isinstance(value, bool) and value in _BITS:
        return _BITS[value]
    raise ProgramError(
        f"{where}: precision must be STD (8 bits), DBL (16 bits) or QUAD (32 bits), not {_brief(value)}."
    )


def _field(record: Mapping[Any, Any], key: str, most: int, where: str) -> int:
    if key not in record:
        raise ProgramError(f"{where}: the entry {key!r} is missing.")
    return _number(record[key], most, f"{where}: {key}")
