"""``inspect_file`` on load sequences, recordings and networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from femtodriver.inspection import inspect_file, report_json, report_text
from femtodriver.inspection.findings import Report
from tests.inspection.inspection_samples import KEYRING, SPOTTER, compiled


def errors(report: Report) -> list[str]:
    return [problem.text for problem in report.problems if problem.severity == "error"]


def document(path: Path) -> dict[str, Any]:
    return dict(json.loads(report_json(inspect_file(path))))


@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("place", ["apb_records/0PROG_A", "apb_records/0PROG_D", "apb_records", "."])
def test_a_load_sequence(tmp_path: Path, encrypted: bool, place: str) -> None:
    records = compiled(tmp_path, SPOTTER, KEYRING if encrypted else None)["records"]
    found = document(records / place)
    assert (found["kind"], found["encrypted"], found["sound"], found["problems"]) == ("apb", encrypted, True, [])
    (row,) = found["load_sequences"]
    assert (row["key_index"], row["queue_lengths_written"]) == (2 if encrypted else 0, not encrypted)
    assert row["bus_words"] == len((records / "apb_records/0PROG_A").read_text().splitlines())
    places = [burst["place"] for burst in found["bursts"]]
    assert places[:2] == ["SPI_ENCRYPTION_KEY_IDX", "SPI_ENCRYPTION_SALT_0"]
    assert "core 0 IM" in places
    assert [burst["value"] for burst in found["bursts"] if burst["place"] == "core 0 IM_CONF"] == ["CD", "ON"]


def test_a_load_sequence_that_differs_from_the_program_beside_it_is_told(tmp_path: Path) -> None:
    records = compiled(tmp_path)["records"]
    path = records / "apb_records" / "0PROG_D"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-6], "00000007", *lines[-5:]]) + "\n")
    (text,) = errors(inspect_file(records))
    assert "00000007 to 00" in text
    assert "One of them has changed" in text


def pair(tmp_path: Path, lines: str) -> Report:
    rows = [line.split() for line in lines.strip().splitlines()]
    for letter, column in (("A", 0), ("D", 1)):
        (tmp_path / f"0PROG_{letter}").write_text("".join(f"{row[column]}\n" for row in rows))
    return inspect_file(tmp_path / "0PROG_A")


def test_banks_that_touch_are_told_apart(tmp_path: Path) -> None:
    lines = "00000034 00005098\n00000034 00011098\n00000038 00005098\n00000038 00011098\n"
    lines += "".join(f"{0x100000 + 4 * at:08x} 00000001\n" for at in range(16384 + 2))
    report = pair(tmp_path, lines)
    assert report.sound
    assert [(row["place"], row["bus_words"]) for row in report.sections["bursts"]][-2:] == [  # type: ignore[index]
        ("core 0 DM0", 16384),
        ("core 0 DM1", 2),
    ]


def test_what_is_wrong_with_a_load_sequence(tmp_path: Path) -> None:
    lines = "00000048 00005098\n00100000 00000001\n00100004 00000001\n0000fffc 00000003\n001f0000 00000001\n"
    assert errors(pair(tmp_path, lines)) == [
        "0PROG: core 0 DM0 must be on before it is written.",
        "0PROG: the address 0x0000fffc must lie in the memory map.",
        "0PROG: core 0 IM must be on before it is written.",
    ]
    (tmp_path / "0PROG_D").write_text("00000001\n")
    assert errors(inspect_file(tmp_path / "0PROG_A")) == ["0PROG_D: must have 5 lines, as 0PROG_A has, not 1."]
    (tmp_path / "0PROG_D").unlink()
    assert "0PROG_D: the file must exist" in errors(inspect_file(tmp_path / "0PROG_A"))[0]


def test_recordings(tmp_path: Path) -> None:
    records = compiled(tmp_path)["records"]
    found = document(records / "setup.yaml")
    assert (found["kind"], found["sound"]) == ("recording", True)
    (row,) = found["recordings"]
    assert row["name"] == "0PROG"
    assert row["transactions"] == row["writes"] == row["apb"] + row["spu_top"] + row["host"]
    assert errors(inspect_file(records / "setup_hex.yaml"))[0].startswith("0PROG[0]: vals must be a list of numbers")
    text = (records / "setup.yaml").read_text()
    (tmp_path / "off.yaml").write_text(text.replace("  - 69784", "  - 4248"))  # ON becomes OFF
    assert "0PROG: core 0 DM0 must be on before it is written." in errors(inspect_file(tmp_path / "off.yaml"))


def test_a_burst_that_leaves_its_bank_in_a_recording(tmp_path: Path) -> None:
    text = "x:\n- {msgtype: apb, direction: w, comment: null, start_addr: 0x1c01fc, end_addr: 0x1c0204, length: 2, "
    (tmp_path / "r.yaml").write_text(text + "vals: [1, 2]}\n")
    found = errors(inspect_file(tmp_path / "r.yaml"))
    assert found[:2] == [
        "x: SB of core 0: a burst must end inside its bank.",
        "x: SB of core 0: a burst must be of whole 64-bit words.",
    ]
    assert "x: the address 0x001c0200 must lie in the memory map." in found


def test_networks(tmp_path: Path) -> None:
    found = document(SPOTTER)
    assert (found["kind"], found["sound"], found["encrypted"], found["origin"]) == ("network", True, None, None)
    assert found["network"]["parameters"] == 12053
    assert sum(row["nodes"] for row in found["operators"]) == found["network"]["nodes"] == 34
    assert found["inputs"] == [{"name": "features", "dtype": "fqint16", "shape": [32], "quanta": -15.0}]
    cut = tmp_path / "cut.pt"
    cut.write_bytes(SPOTTER.read_bytes()[:5000])
    report = inspect_file(cut)
    assert len(errors(report)) == 1
    assert report.size == 5000
    assert report_text(report).startswith(str(cut))
    assert not inspect_file(tmp_path / "gone.pt").sound
