"""The instruction set as JSON: complete enough for a decoder that has nothing else, and the same bytes every time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import AssemblyError
from femtodriver.isa import ISA, Instruction, Operand, Spec, cycles, limits
from femtodriver.isa.export import document, main, text
from tests.isa.isa_samples import ALL, example, instructions

COMMITTED = Path(__file__).parents[2] / "docs" / "isa.json"
TABLE: dict[str, Any] = json.loads(COMMITTED.read_text("utf-8"))


# A decoder that knows the JSON document only. It uses nothing of the package, on purpose.


class NoInstructionError(Exception):
    """Bits that mean nothing."""


def take(field: dict[str, Any], bits: int) -> int:
    """The value of a field."""
    value = bits >> field["position"] & (1 << field["width"]) - 1
    if field["signed"] and value >> field["width"] - 1:
        value -= 1 << field["width"]
    value += field["bias"]
    if not field["least"] <= value <= field["most"]:
        raise NoInstructionError(field["name"])
    return int(value)


def take_operand(bits: int) -> dict[str, Any]:
    """Place, width and fields of an operand."""
    operands = TABLE["operands"]
    code = take(operands["kind"], bits)
    (kind,) = [kind for kind in operands["kinds"] if kind["code"] == code]
    values = {field["name"]: take(field, bits) for field in kind["fields"]}
    width = kind["element_bits"]
    if kind["place"] == "accumulators":
        width = operands["accumulator_widths"][values["width"]]
    return {"place": kind["place"], "bits": width, **values}


def decode(words: list[int]) -> tuple[str, int, dict[str, Any]]:
    """Name, number of words and values of the fields that the instruction uses."""
    opcode = take({**TABLE["opcode"], "signed": False, "bias": 0, "least": 0, "most": 1 << 6, "name": ""}, words[0])
    known = {row["opcode"]: (family, row) for family in TABLE["families"] for row in family["instructions"]}
    if opcode not in known:
        raise NoInstructionError("opcode")
    family, row = known[opcode]
    if len(words) < family["words"]:
        raise NoInstructionError("too short")
    bits = sum(word << TABLE["word_bits"] * index for index, word in enumerate(words[: family["words"]]))
    values: dict[str, Any] = {}
    for field in family["fields"]:
        value = take(field, bits)
        operand = take_operand(value) if field["holds"] == "operand" else None
        if field["name"] in row["uses"]:
            values[field["name"]] = operand or value
            if field["name"] in row["most"] and value > row["most"][field["name"]]:
                raise NoInstructionError(field["name"])
        elif field["holds"] != "opcode" and value != field["default"]:
            raise NoInstructionError(field["name"])
    return row["name"], family["words"], values


# Our decoder, in the same terms.

PLACES = {"I8": "memory", "I16": "memory", "I32": "memory", "ACC": "accumulators", "IMM": "immediate"}


def plain_operand(operand: Operand) -> dict[str, Any]:
    place = PLACES[operand.kind.name]
    if place == "memory":
        return {"place": place, "bits": operand.bits, "address": operand.value, "base": operand.base}
    if place == "immediate":
        return {"place": place, "bits": None, "value": operand.value}
    width = TABLE["operands"]["accumulator_widths"].index(operand.bits)
    return {"place": place, "bits": operand.bits, "row": operand.value, "width": width, "unused": 0}


def plain(instruction: Instruction) -> tuple[str, int, dict[str, Any]]:
    values: dict[str, Any] = {}
    for entry in fields(instruction)[1:]:
        value = getattr(instruction, entry.name)
        if instruction.spec.uses is None or entry.name in instruction.spec.uses:
            values[entry.name] = plain_operand(value) if isinstance(value, Operand) else value
    return instruction.spec.name, instruction.words, values


def test_the_committed_document_is_up_to_date() -> None:
    assert COMMITTED.read_text("utf-8") == text(), "renew it with: python -m femtodriver.isa.export docs/isa.json"


@pytest.mark.slow
def test_a_fresh_interpreter_writes_the_same_bytes(tmp_path: Path) -> None:
    file = tmp_path / "isa.json"
    command = [sys.executable, "-m", "femtodriver.isa.export"]
    subprocess.run([*command, str(file)], check=True, timeout=120)
    printed = subprocess.run(command, check=True, timeout=120, capture_output=True)
    assert file.read_bytes() == printed.stdout == COMMITTED.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_document_alone_decodes_every_instruction(spec: Spec, data: st.DataObject) -> None:
    instruction = data.draw(instructions(spec))
    assert decode(list(instruction.encode())) == plain(instruction)


@pytest.mark.slow
@given(st.sampled_from(ALL), st.lists(st.integers(0, 127), max_size=3), st.integers(0, 2))
@settings(max_examples=300, deadline=None)
def test_both_decoders_refuse_the_same_words(spec: Spec, flips: list[int], cut: int) -> None:
    words = list(example(spec).encode())
    for bit in flips:
        words[bit // 64 % len(words)] ^= 1 << bit % 64
    words = words[: max(1, len(words) - cut)]
    try:
        expected = plain(ISA.decode(tuple(words)))
    except AssemblyError:
        with pytest.raises(NoInstructionError):
            decode(words)
        return
    assert decode(words) == expected


def test_every_field_has_its_place_and_every_bit_one_field() -> None:
    for family in TABLE["families"]:
        bits = [field["position"] + bit for field in family["fields"] for bit in range(field["width"])]
        assert bits == list(range(TABLE["word_bits"] * family["words"]))
    for kind in TABLE["operands"]["kinds"]:
        bits = [field["position"] + bit for field in kind["fields"] for bit in range(field["width"])]
        assert bits == list(range(TABLE["operands"]["kind"]["position"]))


def test_all_rows_limits_and_constants_are_there_with_a_sentence() -> None:
    rows = [row for family in TABLE["families"] for row in family["instructions"]]
    assert [(row["name"], row["opcode"], row["reads"]) for row in rows] == [(s.name, s.code, s.reads) for s in ALL]
    assert all(row["doc"] for row in rows)
    results = {entry["value"] for entry in TABLE["enumerations"]["result"]}
    assert {row["result"] for row in rows} == results
    numbers = {name: value for name, value in vars(limits).items() if name.isupper() and not name.startswith("_")}
    assert {name: entry["value"] for name, entry in document()["limits"].items()} == numbers
    assert [name for name, entry in TABLE["limits"].items() if not entry["doc"]] == []
    assert TABLE["cycles"]["constants"] == cycles.constants()
    assert all(family["cycles"]["rule"] and family["meaning"] for family in TABLE["families"])


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["a", "b"]) == 2
    assert capsys.readouterr().err == "isa.export: must be given one file or none, not 2.\n"
    assert main([str(tmp_path / "none" / "isa.json")]) == 1
    assert "isa.json: cannot be written: No such file" in capsys.readouterr().err
