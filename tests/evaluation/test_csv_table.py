"""Tables of paths: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from femtodriver.errors import InputError
from femtodriver.evaluation.csv_table import read_table


def test_columns_are_found_by_name_and_paths_start_beside_the_table(here: Path) -> None:
    Path("d").mkdir()
    Path("d/t.csv").write_bytes('\ufeffwho, label ,path\r\nx,yes,a.wav\r\n\r\nx,"n,o",sub/b.wav\r\n'.encode())
    rows = read_table("d/t.csv", ("path", "label"))
    assert [row.place for row in rows] == [str(here / "d" / "a.wav"), str(here / "d" / "sub" / "b.wav")]
    assert [row.values["label"] for row in rows] == ["yes", "n,o"]
    assert [row.line for row in rows] == [2, 4]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"file,label\na,b\n",
            r"^t\.csv: the first line must name the columns \(path,label\), not be \"file,label\"\.$",
        ),
        (b"path,label,label\n", r"^t\.csv: the first line must name the columns"),
        (b"", r"^t\.csv: the first line must name the columns"),
        (
            b"path,label\na,1\n./a,2\n",
            r'^t\.csv: line 3: must name each path once, but "\./a" stands in line 2 already\.$',
        ),
        (b"path,label\na\n", r"^t\.csv: line 2: must have a label, not nothing\.$"),
        (b"path,label\n,x\n", r"^t\.csv: line 2: must have a path, not nothing\.$"),
        (b'path,label\n"a,x\n', r"^t\.csv: line 2: must be a line of a table: "),
        (b"path,label\n\xff,x\n", r"^t\.csv: must be text in UTF-8\.$"),
    ],
)
def test_bad_tables_are_one_sentence(here: Path, content: bytes, sentence: str) -> None:
    Path("t.csv").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read_table("t.csv", ("path", "label"))
