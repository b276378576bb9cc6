"""Recordings as files: YAML, hex YAML, hex text, address and data files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from femtodriver.errors import UsageError
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.read_recordings import read_recordings, writes_only
from femtodriver.program.bus.transactions import read_from, write_to
from femtodriver.program.bus.write_recordings import apb_files, recording_hex_text, recording_yaml, write_io_records
from tests.program.program_samples import golden_program

SAMPLE = {
    "0PROG": (write_to("apb", 0x34, [0x5098], "core 0 mem DM_CONF0 to CD"),),
    "RHS": (),
    "io_sequence": (write_to("axis", 0, [0, 3, 131071, 0]),),
}


SAMPLE_YAML = """\
0PROG:
- msgtype: apb
  direction: w
  comment: core 0 mem DM_CONF0 to CD
  start_addr: 52
  end_addr: 56
  length: 1
  vals:
  - 20632

RHS: []

io_sequence:
- msgtype: axis
  direction: w
  comment: null
  start_addr: 0
  end_addr: 0
  length: 4
  vals:
  - 0
  - 3
  - 131071
  - 0
"""


SAMPLE_HEX_TEXT = """\
msgtype apb
direction w
comment core 0 mem DM_CONF0 to CD
start_addr 0x00000034
end_addr 0x00000038
length 1
vals 0x00005098 #0x00000034
msgtype axis
direction w
comment None
start_addr 0x00000000
end_addr 0x00000000
length 4
vals 0x00000000 #0x00000000
vals 0x00000003 #0x00000004
vals 0x0001ffff #0x00000008
vals 0x00000000 #0x0000000c
"""


def test_the_record_of_the_specification() -> None:
    assert recording_yaml(SAMPLE) == SAMPLE_YAML
    assert recording_hex_text(SAMPLE) == SAMPLE_HEX_TEXT
    assert read_recordings(SAMPLE_YAML.encode()) == SAMPLE


def test_hex_yaml_has_quoted_hex_text() -> None:
    top = yaml.safe_load(recording_yaml(SAMPLE, hexadecimal=True))
    assert list(top) == list(SAMPLE)
    record = top["io_sequence"][0]
    assert list(record) == ["msgtype", "direction", "comment", "start_addr", "end_addr", "length", "vals"]
    assert record["vals"] == ["0x00000000", "0x00000003", "0x0001ffff", "0x00000000"]
    assert (record["start_addr"], record["length"]) == ("0x00000000", 4)


def test_files_of_several_recordings_do_not_accumulate(tmp_path: Path) -> None:
    write_io_records(tmp_path, {"0PROG": load_sequence(golden_program()), "RHS": (write_to("apb", 4, [3]),)}, "all")
    assert (tmp_path / "apb_records" / "RHS_A").read_text() == "00000004\n"
    assert (tmp_path / "apb_records" / "RHS_D").read_text() == "00000003\n"
    assert len((tmp_path / "apb_records" / "0PROG_A").read_text().splitlines()) == 15
    assert (tmp_path / "all.yaml").exists()


def test_only_apb_writes_go_into_program_files() -> None:
    records = [
        write_to("host", 0, [0]),
        write_to("apb", 0x10, [1, 2]),
        read_from("apb", 0x10, 2),
        write_to("axis", 0, [1]),
        write_to("spu_top", 8, [1]),
    ]
    assert apb_files(records) == ("00000010\n00000014\n", "00000001\n00000002\n")
    assert writes_only(records) == (records[0], records[1], records[3], records[4])


def test_bad_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"recording: a name must be letters, digits, _ and -, not '\.\./x'"):
        write_io_records(tmp_path, {"../x": ()})
    assert list(tmp_path.iterdir()) == []
