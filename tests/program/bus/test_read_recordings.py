"""Recordings read back for replay, and what damaged ones are told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import ProgramError
from femtodriver.program.bus.load_sequence import load_sequence
from femtodriver.program.bus.read_recordings import read_apb_files, read_recordings
from femtodriver.program.bus.transactions import Transaction, read_from, write_to
from femtodriver.program.bus.write_recordings import apb_files, recording_yaml, write_io_records
from tests.program.program_samples import rich_program

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


_COMMENTS = (
    st.none() | st.text(max_size=12) | st.sampled_from(["on", "yes", "null", "~", "1", "a: b", "- x", "#", " x", ""])
)


_WORDS = st.lists(st.integers(0, (1 << 32) - 1), max_size=5)


_RECORDS = st.one_of(
    st.builds(
        write_to, st.sampled_from(["apb", "spu_top", "axis", "host"]), st.integers(0, 1 << 28), _WORDS, _COMMENTS
    ),
    st.builds(read_from, st.sampled_from(["apb", "axis"]), st.integers(0, 1 << 28), st.integers(0, 9), _COMMENTS),
)


@pytest.mark.slow
@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=6) | st.just("0PROG"), st.lists(_RECORDS, max_size=4), max_size=3))
def test_yaml_and_replay_are_inverse(recordings: dict[str, list[Transaction]]) -> None:
    text = recording_yaml(recordings)
    assert text.isascii()
    read = read_recordings(text.encode())
    assert read == {name: tuple(records) for name, records in recordings.items()}
    assert list(read) == list(recordings)
    if max(text, default="") < "\ud800":
        assert yaml.safe_load(text).keys() == recordings.keys()
        assert yaml.safe_load(recording_yaml(recordings, hexadecimal=True)).keys() == recordings.keys()


def test_a_program_survives_its_files(tmp_path: Path) -> None:
    sequence = load_sequence(rich_program())
    paths = write_io_records(tmp_path / "io_records", {"0PROG": sequence, "RHS": ()})
    names = [str(path.relative_to(tmp_path / "io_records")) for path in paths]
    assert names == ["setup.yaml", "setup_hex.yaml", "setup_hex.txt", "apb_records/0PROG_A", "apb_records/0PROG_D"]
    assert sorted(entry.name for entry in (tmp_path / "io_records" / "apb_records").iterdir()) == ["0PROG_A", "0PROG_D"]
    read = read_recordings(tmp_path / "io_records" / "setup.yaml")
    assert read == {"0PROG": sequence, "RHS": ()}
    addresses, data = (path.read_bytes() for path in paths[3:])
    assert apb_files(read_apb_files(addresses, data)) == (addresses.decode(), data.decode())
    assert addresses.endswith(b"\n")


RECORD = SAMPLE_YAML.split("\n\n")[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "recording: a recording file must be a mapping of recording names"),
        ("1: []", "must be a mapping of recording names"),
        ("x: 5", "recording: x: must be a list of transactions, not int"),
        ("x: [5]", r"recording: x\[0\]: a transaction must have exactly the keys msgtype, direction"),
        (RECORD.replace("apb", "abp"), r"0PROG\[0\]: msgtype must be one of apb, axis, spu_top, host, not 'abp'"),
        (RECORD.replace("direction: w", "direction: x"), r"0PROG\[0\]: direction must be w or r, not 'x'"),
        (RECORD.replace("length: 1", "length: 2"), r"0PROG\[0\]: end_addr must be 60, not 56"),
        (RECORD.replace("end_addr: 56", "end_addr: 57"), r"0PROG\[0\]: end_addr must be 56, not 57"),
        (RECORD.replace("20632", "20632\n  - 1"), r"0PROG\[0\]: vals must hold 1 words, as length says, not 2"),
        (RECORD.replace("20632", "-1"), r"0PROG\[0\]: vals must be in 0\.\.\.2\^32-1"),
        (RECORD.replace("20632", "4294967296"), r"0PROG\[0\]: vals must be in 0\.\.\.2\^32-1"),
        (RECORD.replace("20632", "'0x1'"), r"0PROG\[0\]: vals must be a list of numbers; only plain YAML"),
        (RECORD.replace("52", "'0x34'"), r"0PROG\[0\]: start_addr must be a number; only plain YAML can be replayed"),
        (RECORD.replace("52", "-4").replace("56", "0"), r"0PROG\[0\]: addresses and length must be in"),
        (RECORD.replace("core 0 mem DM_CONF0 to CD", "5"), r"0PROG\[0\]: comment must be text or null"),
        (RECORD + "\n" + RECORD, "the key '0PROG' must appear once"),
        ("x: [", "recording: must be YAML"),
    ],
)
def test_damaged_recordings_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ProgramError, match=sentence):
        read_recordings(text.encode())


@pytest.mark.parametrize(
    ("addresses", "data", "sentence"),
    [
        (b"0000000g\n", b"", "0PROG_A: every line must be 8 hexadecimal digits"),
        (b"00000000\n", b"0\n", "0PROG_D: every line must be 8 hexadecimal digits"),
        (b"00000000\n", b"", "0PROG_D: must have 1 lines, as 0PROG_A has, not 0"),
        (b"fffffffc\n00000000\n", b"00000000\n00000000\n", None),
        (b"ffffffff\n", b"00000000\n", "transaction: addresses and length must be in"),
    ],
)
def test_program_files_are_checked(addresses: bytes, data: bytes, sentence: str | None) -> None:
    if sentence is None:
        assert len(read_apb_files(addresses, data)) == 2
        return
    with pytest.raises(ProgramError, match=sentence):
        read_apb_files(addresses, data)
