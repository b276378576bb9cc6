"""Traffic with a board as files: YAML, hex YAML, hex text, ``0PROG_A``/``0PROG_D``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from femtodriver.errors import UsageError
from femtodriver.files.file_access import make_directory, write_file
from femtodriver.program.bus.transactions import Transaction

PROGRAM_RECORDING = "0PROG"
_HEX = "0x{:08x}".format
_PLAIN = re.compile(r"0PROG|[A-Za-z_](?:[A-Za-z0-9_ .()/+-]*[A-Za-z0-9_)])?")
# Words that YAML 1.1 or 1.2 readers take for something else than text.
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})


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
