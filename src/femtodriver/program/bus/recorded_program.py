"""Reads a recorded program, and checks it against the one that lies beside it in its model's folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from femtodriver.errors import ProgramError
from femtodriver.files.file_access import read_file
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.read_recordings import MAX_RECORDING, read_apb_files, read_recordings, writes_only
from femtodriver.program.bus.transactions import Transaction
from femtodriver.program.bus.write_recordings import PROGRAM_RECORDING
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import is_described
from femtodriver.program.femto.femtofile import SUFFIX
from femtodriver.program.femto.user_data import with_user_data
from femtodriver.program.images import METADATA_FILE
from femtodriver.program.memory_map import SYSTEM_REGISTERS

# What these hold depends on who wrote the recording, and for which board.
_FREE = frozenset(address for name, address in SYSTEM_REGISTERS.items() if "ENCRYPTION" in name)
Written = tuple[int, int]
"""Address and word."""


def read_program(path: str | os.PathLike[str]) -> tuple[Transaction, ...]:
    """The writes that load a program: of a folder with ``0PROG_A`` and ``0PROG_D`` (that of a model, or ``io_records``,
    or ``apb_records`` in it), or of the recording ``0PROG`` in a plain YAML file.

    Raises ProgramError where there is no such program, and for one that differs from the images or the ``.femto``
    beside it, see ``check_beside``.
    """
    place = Path(path)
    if place.suffix.lower() in (".yaml", ".yml"):
        recordings = read_recordings(place)
        if PROGRAM_RECORDING not in recordings:
            raise ProgramError(f"{place}: must have the recording {PROGRAM_RECORDING}, not {', '.join(recordings)}.")
        return _checked(writes_only(recordings[PROGRAM_RECORDING]), place.parent)
    for folder in (place, place / "apb_records", place / "io_records" / "apb_records"):
        if (folder / f"{PROGRAM_RECORDING}_A").is_file():
            addresses, words = (read_file(folder / f"{PROGRAM_RECORDING}_{half}", MAX_RECORDING) for half in "AD")
            return _checked(read_apb_files(addresses, words, str(folder / PROGRAM_RECORDING)), folder)
    raise ProgramError(f"{place}: must be a folder with {PROGRAM_RECORDING}_A and {PROGRAM_RECORDING}_D, or a .yaml.")


def check_beside(records: Sequence[Transaction], place: Path) -> None:
    """ProgramError that names the first word in which the apb writes differ from those of the program beside them.

    ``place`` is the folder ``io_records``, or ``apb_records`` in it. Nothing is checked where neither the images nor
    the ``.femto`` of a program of ours are there.
    """
    place = place.resolve()
    have, faults = _written(records), []
    for program, other in _programs_beside(place.parent if place.name == "apb_records" else place):
        pairs = enumerate(zip_longest(have, _written(load_sequence(program))))
        fault = next(((number, here, there) for number, (here, there) in pairs if here != there), None)
        if fault is None:
            return
        number, here, there = fault
        faults.append(f"{place}: write {number} must be {_shown(there)}, as in {other}, not {_shown(here)}.")
    if faults:
        raise ProgramError(f"{faults[0]} One of them has changed; write the model's folder again.")


def _checked(records: tuple[Transaction, ...], place: Path) -> tuple[Transaction, ...]:
    check_beside(records, place)
    return records


def _programs_beside(folder: Path) -> Iterator[tuple[CompiledData, Path]]:
    """The programs of ours in the folder and its neighbours that are whole."""
    if folder.name != "io_records":
        return
    metas = [path.parent for path in sorted(folder.parent.glob(f"meta_from_*/{METADATA_FILE}"))]
    for path in (*metas, *sorted(folder.glob("*.femto"))):
        with contextlib.suppress(ProgramError):
            data = _read(path)
            if is_described(data.metadata):
                yield data, path


def _read(path: Path) -> CompiledData:
    if path.suffix != SUFFIX:
        return CompiledData.read_from_files(path)
    return with_user_data(CompiledData.read_from_femtofile(path), str(path))


def _written(records: Sequence[Transaction]) -> list[Written]:
    return [
        (record.start_addr + 4 * at, word)
        for record in records
        if record.msgtype == "apb" and record.direction == "w"
        for at, word in enumerate(record.vals)
        if record.start_addr + 4 * at not in _FREE
    ]


def _shown(written: Written | None) -> str:
    return "none" if written is None else f"{written[1]:08x} to {written[0]:08x}"
