"""Listings: every line reads back to the same words; threads, entries and layers are right; others are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from femtodriver import CompiledData
from femtodriver.errors import ProgramError, UsageError
from femtodriver.inspection import disassemble_file, listing_json, listing_text
from femtodriver.inspection.disasm import Listing
from femtodriver.isa import ISA
from femtodriver.program.encryption.keyring import Keyring
from tests.inspection.inspection_samples import KEYRING, SPOTTER, compiled, foreign, foreign_femto, without_digest

LINE = re.compile(r" *(\d+)  ([0-9a-f]{16}(?: [0-9a-f]{16})?) +([a-z][^;]*?) *(?:;.*)?")


def words_of(text: str) -> dict[int, dict[int, tuple[int, ...]]]:
    """{core: {pc: words}} as the assembly of a listing says; the printed words must be the same."""
    found: dict[int, dict[int, tuple[int, ...]]] = {}
    for line in text.splitlines():
        if line.startswith("; core "):
            core = int(line.split()[2].rstrip(":"))
            found[core] = {}
        elif line and not line.startswith(";"):
            parts = LINE.fullmatch(line)
            assert parts is not None, line
            words = ISA.parse(parts.group(3)).encode()
            assert words == tuple(int(word, 16) for word in parts.group(2).split())
            found[core][int(parts.group(1))] = words
    return found


def check_reads_back(listing: Listing, data: CompiledData) -> None:
    found = words_of(listing_text(listing))
    for core, count in data.metadata["inst_counts"].items():
        flat = [word for pc in sorted(found[core]) for word in found[core][pc]]
        assert flat == data.image(core, "IM")[:count].tolist()
    for core in json.loads(listing_json(listing))["cores"]:
        for row in core["instructions"]:
            assert ISA.parse(row["text"]).encode() == found[core["core"]][row["pc"]]


def plain(folder: Path) -> CompiledData:
    return CompiledData.read_from_files(folder)


@pytest.mark.parametrize("form", ["femto", "zip", "directory", "folder"])
def test_every_line_reads_back(tmp_path: Path, form: str) -> None:
    paths = compiled(tmp_path, SPOTTER)
    listing = disassemble_file(paths[form])
    check_reads_back(listing, plain(paths["directory"]))
    assert (listing.model, listing.part) == ("model", "spu001")
    named = [line.layer for core in listing.cores for line in core.lines if line.layer is not None]
    if form == "femto":
        assert (listing.layers, named) == ((), [])
    else:
        assert len(named) > 15
        assert {"addmm", "vvmul"} <= {listing.layers[layer].split()[1] for layer in named}
        assert "; 0 addmm " in listing_text(listing)


@pytest.mark.slow
def test_threads_and_entries_of_two_cores(tmp_path: Path, corpus: Path) -> None:
    paths = compiled(tmp_path, corpus / "zoo" / "gru_kws_L_double_p0" / "graph.pt")
    listing, data = disassemble_file(paths["zip"]), plain(paths["directory"])
    check_reads_back(listing, data)
    assert len(listing.cores) == 2
    for core in listing.cores:
        pcs = {line.pc for line in core.lines}
        assert {thread.pc for thread in core.threads} | {entry.pc for entry in core.entries} <= pcs
        assert [thread.count for thread in core.threads] == data.image(core.core, "SB").tolist()
        assert [thread.pc for thread in core.threads] == data.image(core.core, "PB").tolist()
    entries = [(core.core, entry) for core in listing.cores for entry in core.entries]
    inputs = {entry.name: (core, entry.pc) for core, entry in entries if entry.kind == "input"}
    assert inputs == {name: (r["core"], r["pc_val"]) for name, r in data.metadata["inputs"].items()}
    receivers = [(core, entry) for core, entry in entries if entry.kind == "receiver"]
    assert receivers
    text = {(core.core, line.pc): str(line.text) for core in listing.cores for line in core.lines}
    for number, entry in receivers:
        sender, sent = (int(digits) for digits in re.findall(r"\d+", entry.name)[:2])
        assert text[sender, sent].startswith("send ")
        assert text[number, entry.pc].startswith("recv ")


def test_encrypted_programs_need_their_key(tmp_path: Path) -> None:
    paths = compiled(tmp_path, "LOOPBACK", KEYRING)
    for form in ("femto", "zip", "folder"):
        with pytest.raises(ProgramError, match=r"is encrypted, so its key \(index 2\) must be in a keyring to read"):
            disassemble_file(paths[form])
        with pytest.raises(ProgramError, match="the program is not run"):
            disassemble_file(paths[form], Keyring({2: bytes(16)}))
        listing = disassemble_file(paths[form], KEYRING)
        assert listing.cores[0].lines[0].text == "recv length=4"
        words_of(listing_text(listing))


def test_foreign_programs_are_refused_with_the_reason(tmp_path: Path) -> None:
    foreign().to_zip_file(tmp_path / "x.zip")
    (tmp_path / "a.femto").write_bytes(foreign_femto("A"))
    for name in ("x.zip", "a.femto"):
        with pytest.raises(
            ProgramError, match=r"must be a program for the open SPU to be disassembled: its instruction"
        ):
            disassemble_file(tmp_path / name)
    with pytest.raises(UsageError, match=r"must be a compiled program .* not a network; compile it first"):
        disassemble_file(SPOTTER)


def test_words_that_are_no_instructions_are_told(tmp_path: Path) -> None:
    folder = compiled(tmp_path)["directory"]
    without_digest(folder)
    path = folder / "test_core_0_instr_mem_initial_py_hex.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:-1], "000000000000003f"]) + "\n")
    listing = disassemble_file(folder)
    last = listing.cores[0].lines[-1]
    assert (last.text, last.words) == (None, (0x3F,))
    text = listing_text(listing).splitlines()[-1]
    assert (
        text.split(None, 2)[2]
        == "; no instruction: instruction word 0x000000000000003f: opcode 63 is not in the table."
    )
    row = json.loads(listing_json(listing))["cores"][0]["instructions"][-1]
    assert (row["text"], row["words"]) == (None, ["000000000000003f"])
    assert "opcode 63" in row["reason"]


def test_the_listing_of_loopback(tmp_path: Path) -> None:
    text = listing_text(disassemble_file(compiled(tmp_path)["zip"]))
    assert text.splitlines()[:4] == [
        "; model, for spu001",
        "",
        "; core 0: 7 instruction words, 6 instructions, 1 thread",
        ";   thread  count  pc",
    ]
    assert "; input x, woken by a message of the host" in text
    assert "; thread 0, woken by 1 signal" in text
    assert np.all([len(line) < 160 for line in text.splitlines()])
