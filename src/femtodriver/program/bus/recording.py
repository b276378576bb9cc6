"""Traffic with a board as records, and the files that hold it: YAML, hex YAML, hex text, ``0PROG_A``/``0PROG_D``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import make_directory, write_file

SPACES = ("apb", "axis", "spu_top", "host")
PROGRAM_RECORDING = "0PROG"
_U32 = 1 << 32
_HEX = "0x{:08x}".format
_PLAIN = re.compile(r"0PROG|[A-Za-z_](?:[A-Za-z0-9_ .()/+-]*[A-Za-z0-9_)])?")
# Words that YAML 1.1 or 1.2 readers take for something else than text.
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})


@dataclass(frozen=True)
class Transaction:
    """One transfer. ``end_addr`` is exclusive (equal to the start for axis, start + 1 for host); addresses in bytes.

    ``length`` counts 32-bit words; ``vals`` holds the words written or received. ``vals`` of a read whose
    answer is not known is empty.
    """

    msgtype: str
    direction: str
    comment: str | None
    start_addr: int
    end_addr: int
    length: int
    vals: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_transaction(self, "transaction")


def write_to(msgtype: str, start: int, vals: npt.ArrayLike, comment: str | None = None) -> Transaction:
    """A write of 32-bit words; the end address follows from the space."""
    words = tuple(np.asarray(vals, dtype=np.uint64).ravel().tolist())
    return Transaction(msgtype, "w", comment, start, end_address(msgtype, start, len(words)), len(words), words)


def read_from(msgtype: str, start: int, length: int, comment: str | None = None) -> Transaction:
    """A read of ``length`` 32-bit words whose answer is not known yet."""
    return Transaction(msgtype, "r", comment, start, end_address(msgtype, start, length), length)


def end_address(msgtype: str, start: int, length: int) -> int:
    """Exclusive end address of a transfer of ``length`` 32-bit words."""
    if msgtype == "axis":
        return start
    return start + 1 if msgtype == "host" else start + 4 * length


def check_transaction(record: Transaction, where: str) -> None:
    """ProgramError when a field is out of range or the fields contradict each other."""
    if record.msgtype not in SPACES:
        raise ProgramError(f"{where}: msgtype must be one of {', '.join(SPACES)}, not {record.msgtype!r}.")
    if record.direction not in ("w", "r"):
        raise ProgramError(f"{where}: direction must be w or r, not {record.direction!r}.")
    if record.start_addr < 0 or not 0 <= record.end_addr <= _U32 or not 0 <= record.length < _U32:
        raise ProgramError(f"{where}: addresses and length must be in 0...2^32-1.")
    wanted = end_address(record.msgtype, record.start_addr, record.length)
    if record.end_addr != wanted:
        raise ProgramError(f"{where}: end_addr must be {wanted}, not {record.end_addr}.")
    if len(record.vals) != record.length and (record.vals or record.direction == "w"):
        raise ProgramError(f"{where}: vals must hold {record.length} words, as length says, not {len(record.vals)}.")
    if record.vals and not 0 <= min(record.vals) <= max(record.vals) < _U32:
        raise ProgramError(f"{where}: vals must be in 0...2^32-1.")


def apb_files(records: Iterable[Transaction]) -> tuple[str, str]:
    """Address and data text of every apb write: one 32-bit word per line, 8 hex digits, lines in step."""
    addresses: list[str] = []
    words: list[str] = []
    for record in records:
        if record.msgtype == "apb" and record.direction == "w":
            addresses += [f"{address:08x}\n" for address in range(record.start_addr, record.end_addr, 4)]
            words += [f"{value:08x}\n" for value in record.vals]
    return "".join(addresses), "".join(words)


def recording_yaml(recordings: Mapping[str, Sequence[Transaction]], hexadecimal: bool = False) -> str:
    """Recordings as YAML: name -> list of transactions, a blank line between names.

    ``hexadecimal``: addresses and values as quoted hex text (such a file cannot be replayed).
    """
    parts = []
    for name, records in recordings.items():
        items = "".join(_yaml_record(record, hexadecimal) for record in records)
        parts.append(f"{_text(name)}:\n{items}" if items else f"{_text(name)}: []\n")
    return "\n".join(parts) or "{}\n"


def _yaml_record(record: Transaction, hexadecimal: bool) -> str:
    number = _quoted_hex if hexadecimal else str
    values = "".join([f"  - {number(value)}\n" for value in record.vals])
    return (
        f"- msgtype: {record.msgtype}\n  direction: {record.direction}\n"
        f"  comment: {'null' if record.comment is None else _text(record.comment)}\n"
        f"  start_addr: {number(record.start_addr)}\n  end_addr: {number(record.end_addr)}\n"
        f"  length: {record.length}\n"
    ) + (f"  vals:\n{values}" if values else "  vals: []\n")


def _quoted_hex(value: int) -> str:
    return f"'0x{value:08x}'"


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if " " <= char <= "~":
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def recording_hex_text(recordings: Mapping[str, Sequence[Transaction]]) -> str:
    """Recordings as flat text: ``key value`` lines, then one ``vals 0x... #0x...`` (word, its address) per word."""
    return "".join(_hex_record(record) for records in recordings.values() for record in records)


def _hex_record(record: Transaction) -> str:
    comment = "None" if record.comment is None else " ".join(record.comment.splitlines())
    values = "".join(
        [f"vals 0x{value:08x} #0x{record.start_addr + 4 * i:08x}\n" for i, value in enumerate(record.vals)]
    )
    return (
        f"msgtype {record.msgtype}\ndirection {record.direction}\ncomment {comment}\n"
        f"start_addr {_HEX(record.start_addr)}\nend_addr {_HEX(record.end_addr)}\nlength {record.length}\n{values}"
    )


def write_io_records(
    directory: str | Path, recordings: Mapping[str, Sequence[Transaction]], stem: str = "setup"
) -> tuple[Path, ...]:
    """Writes ``<stem>.yaml``, ``<stem>_hex.yaml``, ``<stem>_hex.txt``, ``apb_records/<name>_A|_D``; returns the paths.

    A recording without apb writes gets no ``apb_records`` files. Every file holds its own recording only.
    Raises UsageError for a name that is not a plain file name, ProgramError when a file cannot be written.
    """
    folder = Path(directory)
    files = {
        folder / f"{stem}.yaml": recording_yaml(recordings),
        folder / f"{stem}_hex.yaml": recording_yaml(recordings, hexadecimal=True),
        folder / f"{stem}_hex.txt": recording_hex_text(recordings),
    }
    for name, records in recordings.items():
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
            raise UsageError(f"recording: a name must be letters, digits, _ and -, not {name!r}.")
        addresses, words = apb_files(records)
        if addresses:
            files[folder / "apb_records" / f"{name}_A"] = addresses
            files[folder / "apb_records" / f"{name}_D"] = words
    make_directory(folder / "apb_records")
    for path, text in files.items():
        write_file(path, text.encode("ascii", errors="backslashreplace"))
    return tuple(files)
