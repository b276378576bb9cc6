"""Reads recordings back for replay, from plain YAML or from a pair of ``0PROG_A``/``0PROG_D`` files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from femtodriver.errors import ProgramError
from femtodriver.files.file_access import read_file
from femtodriver.files.plain_yaml import load_yaml
from femtodriver.program.bus.transactions import Transaction

MAX_RECORDING = 64 << 20
_KEYS = ("msgtype", "direction", "comment", "start_addr", "end_addr", "length", "vals")
_LINES = re.compile(rb"(?:[0-9a-fA-F]{8}\r?\n)*")


def read_recordings(source: str | os.PathLike[str] | bytes) -> dict[str, tuple[Transaction, ...]]:
    """Recordings of a plain YAML file (path or bytes): name -> transactions, in the order of the file.

    Raises ProgramError for anything else, hex YAML included: it cannot be replayed.
    """
    where = "recording" if isinstance(source, bytes) else os.fspath(source)
    data = source if isinstance(source, bytes) else read_file(source, MAX_RECORDING)
    top = load_yaml(data, where, max_bytes=MAX_RECORDING)
    if not isinstance(top, dict) or not all(isinstance(name, str) for name in top):
        raise ProgramError(f"{where}: a recording file must be a mapping of recording names.")
    return {name: tuple(_records(records, f"{where}: {name}")) for name, records in top.items()}


def writes_only(records: Iterable[Transaction]) -> tuple[Transaction, ...]:
    """The writes among the transactions, in order: what a replay sends."""
    return tuple(record for record in records if record.direction == "w")


def read_apb_files(addresses: bytes, words: bytes, where: str = "0PROG") -> tuple[Transaction, ...]:
    """Transactions (apb writes) of the contents of ``0PROG_A`` and ``0PROG_D``; neighbours become one burst.

    Raises ProgramError when a line is not 8 hex digits or the files have different numbers of lines.
    """
    starts = _hex_lines(addresses, f"{where}_A")
    values = _hex_lines(words, f"{where}_D")
    if len(starts) != len(values):
        raise ProgramError(f"{where}_D: must have {len(starts)} lines, as {where}_A has, not {len(values)}.")
    bursts: list[tuple[int, list[int]]] = []
    for address, value in zip(starts, values, strict=True):
        if bursts and address == bursts[-1][0] + 4 * len(bursts[-1][1]):
            bursts[-1][1].append(value)
        else:
            bursts.append((address, [value]))
    return tuple(
        Transaction("apb", "w", None, start, start + 4 * len(vals), len(vals), tuple(vals)) for start, vals in bursts
    )


def _hex_lines(data: bytes, where: str) -> list[int]:
    if data and not data.endswith(b"\n"):
        data += b"\n"
    if not _LINES.fullmatch(data):
        raise ProgramError(f"{where}: every line must be 8 hexadecimal digits.")
    return [int(line, 16) for line in data.split()]


def _records(records: object, where: str) -> list[Transaction]:
    if not isinstance(records, list):
        raise ProgramError(f"{where}: must be a list of transactions, not {type(records).__name__}.")
    return [_record(record, f"{where}[{index}]") for index, record in enumerate(records)]


def _record(record: object, where: str) -> Transaction:
    if not isinstance(record, dict) or set(record) != set(_KEYS):
        raise ProgramError(f"{where}: a transaction must have exactly the keys {', '.join(_KEYS)}.")
    comment, vals = record["comment"], record["vals"]
    if comment is not None and not isinstance(comment, str):
        raise ProgramError(f"{where}: comment must be text or null.")
    if not isinstance(vals, list) or not all(type(value) is int for value in vals):
        raise ProgramError(f"{where}: vals must be a list of numbers; only plain YAML can be replayed, not hex.")
    start, end, length = (_integer(record, key, where) for key in ("start_addr", "end_addr", "length"))
    try:
        return Transaction(str(record["msgtype"]), str(record["direction"]), comment, start, end, length, tuple(vals))
    except ProgramError as error:
        raise ProgramError(str(error).replace("transaction", where, 1)) from None


def _integer(record: dict[Any, Any], key: str, where: str) -> int:
    value = record[key]
    if type(value) is not int:
        raise ProgramError(f"{where}: {key} must be a number; only plain YAML can be replayed, not hex.")
    return value
