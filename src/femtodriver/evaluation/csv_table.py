"""Tables of paths (.csv): the columns that are wanted, row by row."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from femtodriver.errors import InputError
from femtodriver.files.file_access import AnyPath, read_file, shown_path
from femtodriver.safe_text import quote

PATH = "path"
MOST_BYTES = 256 << 20


@dataclass(frozen=True)
class TableRow:
    """``line``: in the file, from 1. ``place``: the path from the root of the file system on. ``values``: by column."""

    line: int
    place: str
    values: Mapping[str, str]


def read_table(table: AnyPath, columns: Sequence[str]) -> list[TableRow]:
    """The rows of a table, whose first line names its columns. Others than ``columns`` are not looked at.

    Paths of the column ``path`` start in the folder of the table. Raises InputError for a table that cannot be read,
    lacks a column, or has a path twice or an empty value.
    """
    where = shown_path(table)
    content = read_file(table, MOST_BYTES, InputError)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{where}: must be text in UTF-8.") from None
    rows: list[TableRow] = []
    lines: dict[str, int] = {}
    for row in _rows(text, columns, where, os.path.dirname(os.fspath(table))):
        if row.place in lines:
            raise InputError(
                f"{where}: line {row.line}: must name each path once, but {quote(row.values[PATH])} stands in line "
                f"{lines[row.place]} already."
            )
        lines[row.place] = row.line
        rows.append(row)
    return rows


def _rows(text: str, columns: Sequence[str], where: str, folder: str) -> Iterator[TableRow]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        places = _places(next(reader, []), columns, where)
        for cells in reader:
            if not cells:  # an empty line
                continue
            values = {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()}
            for name, value in values.items():
                if not value:
                    raise InputError(f"{where}: line {reader.line_num}: must have a {name}, not nothing.")
            yield TableRow(reader.line_num, os.path.abspath(os.path.join(folder, values[PATH])), values)
    except csv.Error as error:
        raise InputError(f"{where}: line {reader.line_num}: must be a line of a table: {error}.") from None


def _places(header: Sequence[str], columns: Sequence[str], where: str) -> dict[str, int]:
    names = [name.strip() for name in header]
    wanted = ",".join(columns)
    if any(names.count(name) != 1 for name in columns):
        raise InputError(f"{where}: the first line must name the columns ({wanted}), not be {quote(','.join(header))}.")
    return {name: names.index(name) for name in columns}
