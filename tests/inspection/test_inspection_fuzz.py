"""Mutated files of every kind: each is shown, in text and in JSON, or refused in one sentence, and soon."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from femtodriver.errors import FemtoError
from femtodriver.inspection import disassemble_file, inspect_file, listing_json, listing_text, report_json, report_text
from tests.inspection.inspection_samples import compiled, foreign, foreign_femto

_PIECES = (
    b"",
    b"\x00",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x80",
    b"\n",
    b"- ",
    b": ",
    b"[",
    b"{",
    b"-1",
    b"9" * 20,
    b"\x1b[2J",
    b"PK",
)


def mutated(rng: random.Random, data: bytes) -> bytes:
    """One to four small changes."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randrange(len(changed) + 1), rng.randrange(4)
        if kind == 0 and changed:
            changed[at % len(changed)] ^= 1 << rng.randrange(8)
        elif kind == 1:
            changed[at : at + rng.choice((0, 1, 4))] = rng.choice(_PIECES)
        elif kind == 2:
            del changed[at : at + rng.choice((1, 4, 64, 2048))]
        else:
            changed[at:at] = changed[at : at + rng.choice((1, 16, 256))]
    return bytes(changed)


def files(folder: Path) -> dict[str, bytes]:
    ours = compiled(folder)
    image = ours["directory"] / "test_core_0_instr_mem_initial_py_hex.txt"
    return {
        "ours.femto": ours["femto"].read_bytes(),
        "a.femto": foreign_femto("A"),
        "b.femto": foreign_femto("B-packed"),
        "x.zip": foreign().to_zip_bytes(),
        "metadata.yaml": (ours["directory"] / "metadata.yaml").read_bytes(),
        "setup.yaml": (ours["records"] / "setup.yaml").read_bytes(),
        "0PROG_A": (ours["records"] / "apb_records" / "0PROG_A").read_bytes(),
        "image.txt": image.read_bytes(),
    }


def inspected(path: Path) -> bool:
    report = inspect_file(path)
    json.loads(report_json(report))
    assert "\x1b" not in report_text(report)
    return report.sound


def disassembled(path: Path) -> bool:
    listing = disassemble_file(path)
    json.loads(listing_json(listing))
    assert "\x1b" not in listing_text(listing)
    return True


def outcome(look: Callable[[Path], bool], path: Path) -> bool | str:
    """What came of it: whether the file is sound, or the sentence of the refusal."""
    try:
        return look(path)
    except FemtoError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(3))
def test_mutated_files_are_shown_or_refused(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    good = files(tmp_path)
    (tmp_path / "0PROG_D").write_bytes(good["0PROG_A"])
    sound = 0
    for name, content in good.items():
        for _ in range(25):
            path = tmp_path / name
            path.write_bytes(mutated(rng, content))
            found = [outcome(look, path) for look in (inspected, disassembled)]
            assert all(len(text) < 600 for text in found if isinstance(text, str))
            sound += found[0] is True
    assert 10 < sound < 190
