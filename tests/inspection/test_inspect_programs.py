"""``inspect_file`` on containers, archives, folders, images: what it shows, and that it finds all problems."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from femtodriver import CompiledData, FemtoFile
from femtodriver.errors import ProgramError, UsageError
from femtodriver.inspection import inspect_file, report_json, report_text
from femtodriver.inspection.findings import Report
from femtodriver.program.archive import write_zip
from tests.inspection.inspection_samples import KEYRING, SPOTTER, compiled, foreign, foreign_femto


def problems(report: Report, severity: str = "error") -> list[str]:
    return [problem.text for problem in report.problems if problem.severity == severity]


def inspected(tmp_path: Path, name: str, content: bytes) -> Report:
    (tmp_path / name).write_bytes(content)
    return inspect_file(tmp_path / name)


@pytest.mark.parametrize("form", ["femto", "zip", "directory", "folder"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_programs_of_ours_in_every_form(tmp_path: Path, form: str, encrypted: bool) -> None:
    forms = compiled(tmp_path, SPOTTER, KEYRING if encrypted else None)
    report = inspect_file(forms[form])
    assert (report.kind, report.origin, report.encrypted) == (
        form.replace("folder", "directory"),
        "open-spu",
        encrypted,
    )
    assert report.sound
    document = json.loads(report_json(report))
    program = document["program"]
    assert (program["cores"], program["part"], program["model"]) == (2, "spu001", "model")
    assert program.get("key_index") == (2 if encrypted else None)
    assert (program["layers"] is None) is (form == "femto")
    entry = CompiledData.read_from_files(forms["directory"]).metadata["inputs"]["features"]["pc_val"]
    assert document["inputs"] == [{"name": "features", "core": 0, "pc": entry, "words": 8, "bits": 16, "elements": 32}]
    assert [row["name"] for row in document["outputs"]] == ["output.0"]
    words: Counter[str] = Counter()
    for row in document["banks"]:
        words[row["bank"]] += row["words"]
    assert words["IM"] == program["instruction_words"]
    assert sum(count for bank, count in words.items() if bank[:2] == "DM") == program["data_words"]
    assert words["SB"] > 0


@pytest.mark.parametrize("layout", ["A", "B-packed", "B-aligned"])
def test_foreign_containers(tmp_path: Path, layout: str) -> None:
    report = inspected(tmp_path, "clara.femto", foreign_femto(layout))
    assert (report.kind, report.origin, report.encrypted, report.problems) == ("femto", "foreign", True, ())
    document = json.loads(report_json(report))
    assert document["header"]["layout"] == layout
    assert document["header"]["pages"] == sum(row["pages"] for row in document["banks"]) == 11
    assert document["spu"] == {
        "part": 1,
        "part_name": "SPU001",
        "key_index": 0,
        "clock_mhz": 180,
        "cores_used": [0, 1],
        "cores_listed": [0, 1],
    }
    assert (document["model"]["name"], document["model"]["type"]) == ("clara", "AINR")
    assert [(row["kind"], row["parameter"]) for row in document["vectors"]] == [("input", 3), ("output", 1)]
    assert document["sequences"][0] == {"id": 0, "inputs": [0], "outputs": [1]}
    assert document["banks"][0] == {
        "core": 0,
        "bank": "DM0",
        "address": 0x100000,
        "words": 70,
        "capacity": 8192,
        "pages": 3,
    }


def test_foreign_archives_and_their_text(tmp_path: Path) -> None:
    report = inspected(tmp_path, "x.zip", foreign().to_zip_bytes())
    assert (report.origin, report.encrypted, report.sound) == ("foreign", None, True)
    text = report_text(report)
    assert "encrypted  not said" in text
    assert "\x1b" not in text
    assert '"a\\u001b[31m"' in text
    rows = text.split("\n\nbanks\n")[1].split("\n\n")[0].splitlines()
    assert rows[:3] == [
        "  core  bank     address  words  capacity",
        "     0  DM0   0x00100000     70      8192",
        "     0  DM1   0x00110000      3      8192",
    ]
    assert text.endswith("no problems found")


def set_bytes(at: int, value: bytes) -> Callable[[bytearray], None]:
    def change(content: bytearray) -> None:
        content[at : at + len(value)] = value

    return change


def test_several_contradictions_of_a_container_are_told_at_once(tmp_path: Path) -> None:
    content = bytearray(foreign_femto("B-aligned"))
    pages_at = int.from_bytes(content[90:94], "little")
    for at, value in ((86, b"\x01"), (pages_at, b"\x09"), (pages_at + 256, b"\x08")):
        content[at : at + 1] = value
    report = inspected(tmp_path, "x.femto", bytes(content))
    assert not report.sound
    found = problems(report)
    assert found == [
        "offset 0x62: the reference offset must be 3329, not 3328.",
        "offset 0x56: the page-area size must be 2816, not 2817.",
        "offset 0x200: the page id must be 0, not 9.",
        "offset 0x300: the page id must be 1, not 8.",
    ]
    assert len(report.sections["banks"]) == 8  # what can be read is shown all the same


def test_a_container_that_cannot_be_read_still_shows_header_and_pages(tmp_path: Path) -> None:
    content = bytearray(foreign_femto("A"))
    content[256 + 2 : 256 + 4] = b"\xff\xff"  # words of the first page
    report = inspected(tmp_path, "x.femto", bytes(content))
    assert problems(report) == ["offset 0x102: a page must hold 1...62 words, not 65535."]
    header, pages = report.sections["header"], report.sections["pages"]
    assert header["layout"] == "A"  # type: ignore[call-overload]
    assert len(pages) == 11
    assert pages[1]["bank"] == "DM0"  # type: ignore[index]
    assert pages[0]["halves"] == 65535  # type: ignore[index]


@pytest.mark.parametrize("size", [0, 3, 5, 16, 80, 255, 256, 300, 700])
def test_a_cut_container_is_told(tmp_path: Path, size: int) -> None:
    for layout in ("A", "B-packed"):
        report = inspected(tmp_path, "x.femto", foreign_femto(layout)[:size])
        assert not report.sound
        report_text(report)
        json.loads(report_json(report))


def test_all_problems_of_a_folder_are_told(tmp_path: Path) -> None:
    folder = compiled(tmp_path)["directory"]
    image = folder / "test_core_0_instr_mem_initial_py_hex.txt"
    lines = image.read_text().splitlines()
    image.write_text("\n".join(["xyz", *lines[1:3], "1" * 17, "", *lines[4:-1]]) + "\n")
    (folder / "test_core_0_data_mem_initial_py_hex.txt").write_text("")
    (folder / "test_core_0_rqueue_len_initial.txt").write_text("many\n")
    (folder / "c0_SB_hex.txt").write_text("1\n")
    (folder / "notes.bin").write_bytes(bytes(5))
    report = inspect_file(folder)
    assert problems(report) == [
        "test_core_0_instr_mem_initial_py_hex.txt: line 1: must be one hexadecimal number below 2^64, not 'xyz'.",
        "test_core_0_instr_mem_initial_py_hex.txt: line 4: must be one hexadecimal number below 2^64, not "
        "'11111111111111111'.",
        "test_core_0_sboard_initial_py_hex.txt: core 0's SB image must be there once.",
        "the IM image of core 0 must have at least 7 words, not 6.",
        "the DM image of core 0 must have at least 8196 words, not 0.",
        "program: the IM image of core 0 must have at least 7 words, not 6.",
        "test_core_0_rqueue_len_initial.txt: must be one decimal number, not 'many'.",
    ]
    assert report.sections["other_files"] == [{"file": "notes.bin", "bytes": 5}]


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        (None, "the file metadata.yaml is missing; this is not a compiled program."),
        (b"[", "metadata.yaml: must be YAML"),
        (b"[]", "metadata.yaml: must be a mapping."),
        (b"inst_counts: {0: 1}", "metadata: the key 'data_bank_sizes' is missing"),
    ],
)
def test_an_archive_without_sound_metadata_still_shows_its_images(
    tmp_path: Path, metadata: bytes | None, sentence: str
) -> None:
    files = {"c0_DM_hex.txt": b"1\n2\n", **({} if metadata is None else {"metadata.yaml": metadata})}
    report = inspected(tmp_path, "x.zip", write_zip(files))
    assert len(problems(report)) == 1
    assert problems(report)[0].startswith(sentence)
    assert report.sections["images"][0]["words"] == 2  # type: ignore[index]


def test_programs_that_contradict_themselves(tmp_path: Path) -> None:
    folder = compiled(tmp_path)["directory"]
    metadata = (folder / "metadata.yaml").read_text()
    for change, sentence in (
        (("encrypted: false", "encrypted: true"), "metadata: encryption: must name our scheme"),
        (("'%x.4': 16", "'%x.4': 99"), "output_bits['%x.4']: must be in 1...32, not 99"),
        (("schema: 2", "schema: 3"), "femtodriver: schema: must be in 1...2, not 3"),
    ):
        assert change[0] in metadata
        (folder / "metadata.yaml").write_text(metadata.replace(*change))
        assert sentence in problems(inspect_file(folder))[0]


def damaged(path: Path, change: bytes = b"002") -> None:
    """Puts another word in the place of the last one of an image."""
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:-1], change]) + b"\n")


def test_every_image_that_changed_is_told(tmp_path: Path) -> None:
    folder = compiled(tmp_path)["directory"]
    for memory in ("instr_mem", "sboard"):
        damaged(folder / f"test_core_0_{memory}_initial_py_hex.txt")
    found = problems(inspect_file(folder))
    assert [text.split(" must be")[0] for text in found] == [
        "test_core_0_sboard_initial_py_hex.txt: the words in SB of core 0",
        "test_core_0_instr_mem_initial_py_hex.txt: the words in IM of core 0",
    ]


def test_a_container_that_changed_is_shown_and_told(tmp_path: Path) -> None:
    path = compiled(tmp_path)["femto"]
    file = FemtoFile.import_file(path)
    file.banks[0, "IM"][0] ^= 1
    path.write_bytes(file.serialize())
    report = inspect_file(path)
    assert [text.split(" must be")[0] for text in problems(report)] == ["the words in IM of core 0"]
    assert report.origin == "open-spu"
    assert report.sections["inputs"]


def test_metadata_alone(tmp_path: Path) -> None:
    folder = compiled(tmp_path)["directory"]
    shutil.copy(folder / "metadata.yaml", tmp_path / "alone.yaml")
    report = inspect_file(tmp_path / "alone.yaml")
    assert (report.kind, report.origin, report.encrypted, report.sound) == ("metadata", "open-spu", False, True)


def test_single_images(tmp_path: Path) -> None:
    report = inspected(tmp_path, "c1_TM_bitgroup2_hex.txt", b"00ff\n\nfade\n")
    assert report.sections["image"] == {
        "core": 1,
        "memory": "TM",
        "bit_group": 2,
        "words": 2,
        "nonzero": 2,
        "bits": 16,
        "digits": 4,
    }
    report = inspected(tmp_path, "words.txt", b"1\nzz\n" + b"0" * 30 + b"7\n \t\n-1\n")
    assert problems(report) == [
        "line 2: must be one hexadecimal number below 2^64, not 'zz'.",
        "line 5: must be one hexadecimal number below 2^64, not '-1'.",
    ]
    assert report.sections["image"]["words"] == 4  # type: ignore[call-overload]
    assert inspected(tmp_path, "empty.txt", b"").sound


def test_what_is_none_of_ours(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"x\.bin: must be a \.femto, a memory-image zip"):
        inspected(tmp_path, "x.bin", b"\x00\x01")
    with pytest.raises(ProgramError, match=r"gone: the file must exist"):
        inspect_file(tmp_path / "gone")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UsageError, match=r"this folder has neither metadata\.yaml nor 0PROG_A"):
        inspect_file(tmp_path / "nothing")
    report = inspected(tmp_path, "x.zip", b"PK\x03\x04 broken")
    assert "the archive is damaged" in problems(report)[0]
