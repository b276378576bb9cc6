"""Inspecting load sequences (``0PROG_A``/``0PROG_D``) and recordings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from femtodriver.errors import ProgramError
from femtodriver.inspection.findings import Findings
from femtodriver.program.bus.read_recordings import read_apb_files, read_recordings
from femtodriver.program.bus.recorded_program import check_beside
from femtodriver.program.bus.transactions import SPACES, Transaction, write_to
from femtodriver.program.bus.write_recordings import PROGRAM_RECORDING
from femtodriver.program.memory_map import (
    OPEN_SPU,
    POWER_REGISTERS,
    POWER_VALUES,
    SYSTEM_REGISTERS,
    head_tail_register,
    power_register,
)

_COMMANDS = {value: name for name, value in POWER_VALUES.items()}
_SYSTEM = {address: name for name, address in SYSTEM_REGISTERS.items()}
_QUEUES = {head_tail_register(core): f"core {core} HEAD_TAIL_REG" for core in range(OPEN_SPU.cores)}


def inspect_apb(findings: Findings, pairs: Mapping[str, tuple[bytes, bytes]]) -> None:
    """Pairs of address and data files by name: bursts, key index and salt, what is wrong with their order."""
    summaries: list[dict[str, Any]] = []
    bursts: list[dict[str, Any]] = []
    for name, (addresses, words) in pairs.items():
        with findings.collecting():
            # Lines do not say where a burst ends; neighbours of different banks and registers are none.
            records = [piece for record in read_apb_files(addresses, words, name) for piece in _pieces(record)]
            summaries.append({"name": name, **_settings(records), "bus_words": sum(r.length for r in records)})
            bursts += [{"recording": name, **_burst(record)} for record in records]
            _check_order(findings, name, records)
            if name == PROGRAM_RECORDING:
                place = Path(findings.where)
                check_beside(records, place if place.is_dir() else place.parent)
    findings.encrypted = not any(row["queue_lengths_written"] for row in summaries) if summaries else None
    findings.sections["load_sequences"] = summaries
    findings.sections["bursts"] = bursts


def inspect_recording(findings: Findings) -> None:
    """Recordings by name: transactions and words per space, what is wrong with what is sent to memories."""
    recordings: Mapping[str, Sequence[Transaction]] = {}
    with findings.collecting():
        recordings = read_recordings(findings.where)
    rows = []
    for name, records in recordings.items():
        counts = Counter(record.msgtype for record in records)
        rows.append(
            {
                "name": name,
                "transactions": len(records),
                "writes": sum(record.direction == "w" for record in records),
                "reads": sum(record.direction == "r" for record in records),
                **{space: counts[space] for space in SPACES},
                "bus_words": sum(record.length for record in records),
            }
        )
        apb = [record for record in records if record.msgtype == "apb" and record.direction == "w"]
        for record in apb:
            _check_burst(findings, name, record)
        _check_order(findings, name, [piece for record in apb for piece in _pieces(record)])
    findings.sections["recordings"] = rows


def _settings(records: Sequence[Transaction]) -> dict[str, Any]:
    """Key index and salt, as the registers get them."""
    written: dict[int, int] = {}
    for record in records:
        for number, value in enumerate(record.vals):
            written[record.start_addr + 4 * number] = value
    salts = [written.get(SYSTEM_REGISTERS[f"SPI_ENCRYPTION_SALT_{part}"], 0) for part in range(4)]
    return {
        "key_index": written.get(SYSTEM_REGISTERS["SPI_ENCRYPTION_KEY_IDX"]),
        "salt": f"{sum(value << 16 * part for part, value in enumerate(salts)):#018x}",
        "queue_lengths_written": any(address in written for address in _QUEUES),
    }


def _burst(record: Transaction) -> dict[str, Any]:
    single = record.vals[0] if record.length == 1 else None
    return {
        "start": record.start_addr,
        "bus_words": record.length,
        "place": _place(record.start_addr) or "outside the memory map",
        "value": None
        if single is None
        else _COMMANDS.get(single, f"{single:#x}")
        if _power(record)
        else f"{single:#x}",
    }


def _place(address: int) -> str:
    """Register or bank at an address; "" where there is none."""
    named = _SYSTEM.get(address) or _QUEUES.get(address) or _QUEUES.get(address - 4)
    if named is not None:
        return named
    core, index = divmod(address - power_register(0, "DM0"), 4 * len(POWER_REGISTERS))
    if 0 <= core < OPEN_SPU.cores and index % 4 == 0:
        return f"core {core} {POWER_REGISTERS[index // 4]}"
    try:
        core, bank, offset = OPEN_SPU.locate(address)
    except ProgramError:
        return ""
    return f"core {core} {bank.name}" + (f" word {offset / 8:g}" if offset else "")


def _power(record: Transaction) -> bool:
    return "_CONF" in _place(record.start_addr)


def _pieces(record: Transaction) -> Iterator[Transaction]:
    """The burst cut at the ends of banks; registers one by one."""
    at = 0
    while at < record.length:
        count = min(_room(record.start_addr + 4 * at), record.length - at)
        yield write_to("apb", record.start_addr + 4 * at, record.vals[at : at + count], record.comment)
        at += count


def _room(address: int) -> int:
    """32-bit words from an address to the end of its bank; 1 where there is none."""
    try:
        _, bank, offset = OPEN_SPU.locate(address)
    except ProgramError:
        return 1
    return max(1, (bank.size - offset) // 4)


def _check_order(findings: Findings, name: str, records: Sequence[Transaction]) -> None:
    """Addresses outside the map, banks that are written before they are on."""
    on: set[str] = set()
    for record in records:
        place = _place(record.start_addr)
        if not place:
            findings.error(f"{name}: the address {record.start_addr:#010x} must lie in the memory map.")
        elif "_CONF" in place:
            (on.add if _COMMANDS.get(record.vals[-1]) == "ON" else on.discard)(place.replace("_CONF", ""))
        elif _switched(record.start_addr) and " ".join(place.split()[:3]) not in on:
            findings.error(f"{name}: {place} must be on before it is written.")


def _switched(address: int) -> bool:
    try:
        return OPEN_SPU.locate(address)[1].switched
    except ProgramError:
        return False  # a register


def _check_burst(findings: Findings, name: str, record: Transaction) -> None:
    try:
        core, bank, offset = OPEN_SPU.locate(record.start_addr)
    except ProgramError:
        return  # a register
    if offset + 4 * record.length > bank.size:
        findings.error(f"{name}: {bank.name} of core {core}: a burst must end inside its bank.")
    if offset % 8 or record.length % 2:
        findings.error(f"{name}: {bank.name} of core {core}: a burst must be of whole 64-bit words.")
