"""Every instruction of the table: bits there and back, boundaries, refusals, and the encodings as they are today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import AssemblyError
from femtodriver.isa import ISA, SPECS, Instruction, Spec
from femtodriver.isa.instruction import InstructionSet, bitfield, family
from tests.isa.isa_samples import ALL, FAMILY_OF, example, field_names, instructions, operands

FIELDS = [(spec, name) for spec in ALL for name in field_names(spec)]


def label(value: object) -> str:
    """How a parameter is shown."""
    return value.name if isinstance(value, Spec) else str(value)


def changed(start: Instruction, name: str, value: Any) -> Instruction:
    """The instruction with another value in one field."""
    changes: dict[str, Any] = {name: value}
    return replace(start, **changes)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ALL, ids=label)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_words_and_text_give_the_same_instruction_back(spec: Spec, data: st.DataObject) -> None:
    instruction = data.draw(instructions(spec))
    words = instruction.encode()
    assert len(words) == instruction.words == ISA.words_of(words[0])
    assert all(0 <= word < 1 << 64 for word in words)
    assert ISA.decode(words) == instruction
    # Words that follow belong to the next instruction.
    assert ISA.decode((*words, 2**64 - 1)) == instruction
    text = instruction.text()
    assert text.split(" ")[0] == spec.name
    assert ISA.parse(text) == instruction


@pytest.mark.parametrize(("spec", "name"), FIELDS, ids=label)
def test_every_field_holds_its_whole_range_and_no_more(spec: Spec, name: str) -> None:
    start = example(spec)
    if isinstance(getattr(start, name), int):
        entry = next(entry for entry in start.layout.fields if entry.name == name)
        most = spec.most.get(name, entry.high)
        for value in (entry.low, most):
            there = changed(start, name, value)
            assert ISA.decode(there.encode()) == ISA.parse(there.text()) == there
        for value in (entry.low - 1, most + 1):
            legal = f"{entry.low} to {entry.high}" if value < most or most == entry.high else f"at most {most}"
            with pytest.raises(AssemblyError, match=rf"^{spec.name}: {name} must be {legal}, not"):
                changed(start, name, value).encode()


@pytest.mark.parametrize(("spec", "name"), FIELDS, ids=label)
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_a_field_changes_only_its_own_bits(spec: Spec, name: str, data: st.DataObject) -> None:
    start = example(spec)
    entry = next(entry for entry in start.layout.fields if entry.name == name)
    position = sum(other.width for other in start.layout.fields[: start.layout.fields.index(entry)])
    most = spec.most.get(name, entry.high)
    whole = operands if not isinstance(getattr(start, name), int) else st.integers(entry.low, most)
    other = changed(start, name, data.draw(whole))
    difference = as_bits(start.encode()) ^ as_bits(other.encode())
    assert difference & ~(((1 << entry.width) - 1) << position) == 0


@pytest.mark.parametrize("spec", ALL, ids=label)
def test_reserved_bits_must_be_zero(spec: Spec) -> None:
    instruction = example(spec)
    top = instruction.layout.fields[-1]
    assert top.name == "reserved"
    for bit in range(64 * instruction.words - top.width, 64 * instruction.words):
        words = as_words(as_bits(instruction.encode()) | 1 << bit, instruction.words)
        with pytest.raises(AssemblyError, match=rf"^{spec.name}: the reserved bits must be 0, not 0x"):
            ISA.decode(words)


UNUSED = [
    (spec, entry.name)
    for spec in ALL
    for entry in fields(FAMILY_OF[spec.name])[1:]
    if entry.name not in field_names(spec)
]


@pytest.mark.parametrize(("spec", "name"), UNUSED, ids=label)
def test_fields_that_an_instruction_does_not_use_must_be_zero(spec: Spec, name: str) -> None:
    default = getattr(example(spec), name)
    wrong = changed(example(spec), name, 1)
    sentence = rf"^{spec.name}: {name} must be {default}, because the instruction does not use it, not 1\.$"
    with pytest.raises(AssemblyError, match=sentence):
        wrong.encode()
    values = {**wrong.layout.decode("x", example(spec).encode()), name: 1}
    with pytest.raises(AssemblyError, match=sentence):
        ISA.decode(wrong.layout.encode("x", values))


def test_unknown_opcodes_are_refused() -> None:
    known = {spec.code for spec in ALL}
    for code in sorted(set(range(64)) - known):
        with pytest.raises(AssemblyError, match=rf"opcode {code} is not in the table\.$"):
            ISA.decode((code, 0))
        with pytest.raises(AssemblyError, match=rf"opcode {code} is not in the table\.$"):
            ISA.words_of(code)


@pytest.mark.parametrize("spec", ALL, ids=label)
def test_an_instruction_that_is_cut_off_is_refused(spec: Spec) -> None:
    instruction = example(spec)
    if instruction.words == 2:
        with pytest.raises(AssemblyError, match=rf"^{spec.name}: must have 2 instruction words, not 1\.$"):
            ISA.decode(instruction.encode()[:1])


def test_no_words_are_no_instruction() -> None:
    with pytest.raises(AssemblyError, match="at least one word"):
        ISA.decode(())


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
@settings(max_examples=300, deadline=None)
def test_any_words_decode_to_what_encodes_to_them_or_are_refused(first: int, second: int) -> None:
    try:
        instruction = ISA.decode((first, second))
    except AssemblyError:
        return
    assert instruction.encode() == (first, second)[: instruction.words]


@pytest.mark.parametrize(
    "specs",
    [
        (Spec("one", 1, ""), Spec("two", 1, "")),
        (Spec("one", 1, ""), Spec("one", 2, "")),
        (Spec("one", 0, ""),),
        (Spec("one", 64, ""),),
    ],
)
def test_double_or_impossible_opcodes_and_names_fail(specs: tuple[Spec, ...]) -> None:
    with pytest.raises(AssemblyError, match=r"opcode -?\d+ and name must be unique, opcode 1 to 63"):
        InstructionSet(((FAMILY_OF["vadd"], specs),))


def test_a_family_with_more_bits_than_two_words_fails() -> None:
    with pytest.raises(AssemblyError, match=r"fill 64 or 128 bits, not 192"):

        @family
        @dataclass(frozen=True)
        class Wide(Instruction):
            """Too wide."""

            f: int = bitfield(123, 0)


def test_the_table_is_whole() -> None:
    assert list(SPECS) == [spec.name for spec in ALL]
    for spec in ALL:
        assert spec.doc
        assert FAMILY_OF[spec.name].__doc__
        assert FAMILY_OF[spec.name].cycle_rule.__doc__
        assert all(entry.metadata["doc"] for entry in fields(FAMILY_OF[spec.name])[1:])
        assert set(spec.uses or ()) <= {entry.name for entry in fields(FAMILY_OF[spec.name])[1:]}


def test_encodings_do_not_change_by_accident(golden: Callable[[str, str], None]) -> None:
    """Programs that users keep stop working when this file changes: then ``isa`` in the metadata must change, too."""
    lines = []
    for spec in ALL:
        instruction: Any = example(spec)
        words = " ".join(f"{word:016x}" for word in instruction.encode())
        lines.append(f"{words:34}{instruction.text()}\n")
    golden("encodings.txt", "".join(lines))


def as_bits(words: tuple[int, ...]) -> int:
    return sum(word << (64 * index) for index, word in enumerate(words))


def as_words(bits: int, count: int) -> tuple[int, ...]:
    return tuple(bits >> (64 * index) & (2**64 - 1) for index in range(count))


@pytest.mark.parametrize("shift", ["shift_a=1", "shift_b=63"])
def test_operands_of_a_multiplication_are_not_shifted_to_the_left(shift: str) -> None:
    line = f"vmul [0x10]:i16, [0x20]:i16, [0x30]:i16 length=4 {shift}"
    sentence = r"^vmul: shift_[ab] must be at most 0, not \d+\.$"
    with pytest.raises(AssemblyError, match=sentence):
        ISA.parse(line)
    legal = ISA.parse(line.replace("vmul", "vadd"))
    with pytest.raises(AssemblyError, match=sentence):
        replace(legal, spec=SPECS["vmul"]).encode()
    low, high = legal.encode()
    with pytest.raises(AssemblyError, match=sentence):
        ISA.decode((low - SPECS["vadd"].code + SPECS["vmul"].code, high))
    assert ISA.parse(line.split(" shift")[0] + " shift_a=-1 shift_b=-64").words == 2
