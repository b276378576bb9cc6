"""The tables of ``docs/isa.md``, made from the instruction table. The prose around them is written by hand.

``python -m femtodriver.isa.doc docs/isa.md`` rewrites the tables of the file in place. A table stands between the
lines ``<!-- table: NAME -->`` and ``<!-- end -->``; ``TABLES`` has the names.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path

from femtodriver.errors import FemtoError, UsageError
from femtodriver.isa import (
    ISA,
    Clip,
    ControlInstruction,
    Form,
    Instruction,
    Kind,
    LookupInstruction,
    MatrixInstruction,
    Spec,
    VectorInstruction,
    cycles,
    limits,
)
from femtodriver.isa.bits import positions
from femtodriver.isa.operand import ACC_WIDTHS, IMMEDIATE_BITS, KIND_FIELDS, MEMORY_KINDS, OPERAND_BITS

EXAMPLES = (
    "vpass a120, [0x40]:i32, #0 length=64",
    "mac [0x200]:i16 acc=120 columns=128 rows=64 weights=0x800",
    "vpass [b1+0x300]:i16, a120, #0 length=64 shift=-12 rounded=1 clip=1 bits=16",
    "vmul a3, a1:i16, #-181 length=64",
    "lut a2, [0x300]:i8 length=64 table=256 ways=2",
    "interp [0x380]:i16, a2:i16 length=64 shift=-2 clip=1 bits=16 offset=512 slope=768 ways=1",
    "recv address=512 length=32",
    "send address=768 length=16 core=1 target=40",
    "signal core=1 thread=3",
    "loop register=2 target=17",
    "bez [0x10]:i8 target=93",
)
_MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_MULTIPLIED = (8, 16, 32, 64)


def refresh(text: str) -> str:
    """``text`` with every marked table made new; UsageError for a table that does not exist."""

    def table(found: re.Match[str]) -> str:
        if found.group(2) not in TABLES:
            raise UsageError(f"table: must be one of {', '.join(TABLES)}, not {found.group(2)!r}.")
        return f"{found.group(1)}\n{TABLES[found.group(2)]()}\n{found.group(3)}"

    return _MARK.sub(table, text)


def reach() -> str:
    """What the widths of the fields allow; a part may have less."""

    def width(family: type[Instruction], name: str) -> int:
        return limits.field_of(family, name).width

    table_bits = f"{width(LookupInstruction, 'bank')} + {width(LookupInstruction, 'table')} bits"
    length_bits = width(VectorInstruction, "length")
    register_bits = width(ControlInstruction, "register")
    return _rows(
        ("what", "at most", "because"),
        [
            ("cores", limits.MAX_CORES, f"{width(ControlInstruction, 'core')}-bit core numbers"),
            ("data memory, bytes per core", limits.MAX_DATA_BYTES, f"{limits.DATA_ADDRESS_BITS}-bit byte addresses"),
            ("table memory, banks x words", f"{limits.MAX_TABLE_BANKS} x {limits.MAX_TABLE_WORDS}", table_bits),
            (
                "instruction memory, words",
                limits.MAX_INSTRUCTION_WORDS,
                f"the room in program files; a PC has {width(ControlInstruction, 'target')} bits",
            ),
            ("accumulator rows", limits.MAX_ACCUMULATOR_ROWS, f"{width(MatrixInstruction, 'acc')}-bit row numbers"),
            ("threads per core", limits.MAX_THREADS, f"{width(ControlInstruction, 'thread')}-bit thread numbers"),
            (
                "base registers",
                limits.BASE_REGISTERS - 1,
                f"{register_bits}-bit register numbers; register 0 is always zero",
            ),
            ("elements of a vector", limits.MAX_VECTOR_ELEMENTS, f"{length_bits}-bit lengths, stored minus 1"),
            (
                "columns x rows of a matrix",
                f"{limits.MAX_MATRIX_COLUMNS} x {limits.MAX_MATRIX_ROWS}",
                "its fields; a larger product takes several instructions, on the same or on other accumulators",
            ),
            ("payload words of a message", limits.MAX_MESSAGE_WORDS, "its field"),
        ],
    )


def formats() -> str:
    """One section per family: the place, range and meaning of every field."""
    return "\n".join(_format(family) for family, _ in ISA.table)


def instructions() -> str:
    """Every instruction in the order of its opcode."""
    rows = [_instruction_row(family, spec) for family, specs in ISA.table for spec in specs]
    return _rows(("opcode", "name", "format", "fields in use", "meaning"), rows)


def operands() -> str:
    """The kinds of operand and where their bits are."""
    rows: list[Sequence[object]] = []
    for bits, code in MEMORY_KINDS.items():
        text = f"`[0x1f0]:i{bits}`, `[b2+0x1f0]:i{bits}`"
        rows.append((int(code), f"memory, {bits}-bit elements", _operand_bits(code), text))
    rows.append((int(Kind.ACC), "accumulators", _operand_bits(Kind.ACC), "`a12`, `a12:i16`"))
    values = f"{limits.MIN_IMMEDIATE} to {limits.MAX_IMMEDIATE}"
    rows.append((int(Kind.IMM), "immediate", _operand_bits(Kind.IMM), f"`#-5`; {values}"))
    return _rows((f"kind (bits {OPERAND_BITS - 1}:{IMMEDIATE_BITS})", "operand", "other bits", "assembly"), rows)


def _operand_bits(kind: Kind) -> str:
    """Where the fields of an operand are, the highest first."""
    widths = ", ".join(f"{code} = {bits}" for code, bits in enumerate(ACC_WIDTHS))
    meanings = {
        "address": "byte address",
        "base": "base register",
        "row": "row",
        "width": f"width ({widths} bits)",
        "value": "value, two's complement",
    }
    places = [
        f"{position + entry.width - 1}:{position} {meanings[entry.name]}"
        for entry, position in positions(KIND_FIELDS[kind])
        if entry.name != "unused"
    ]
    unused = "; the others 0" if len(places) < len(KIND_FIELDS[kind]) else ""
    return ", ".join(reversed(places)) + unused


def clips() -> str:
    """The clip modes of vector instructions."""
    return _rows(("clip", "name", "result"), [(int(clip), clip.name.lower(), clip.doc) for clip in Clip])


def forms() -> str:
    """Which groups of weights are stored."""
    return _rows(("form", "name", "stored groups"), [(int(form), form.name.lower(), form.doc) for form in Form])


def cycle_constants() -> str:
    """The fixed parts of the cycle rules."""
    return _rows(("constant", "cycles"), [(f"`{name}`", count) for name, count in cycles.constants().items()])


def cycle_rules() -> str:
    """Cycles of every family, from the docstrings of the rules."""
    rows = []
    for family, specs in ISA.table:
        rule = cycles.rule_text(family.cycle_rule)
        rows.append((", ".join(f"`{spec.name}`" for spec in specs), rule))
    return _rows(("instructions", "cycles"), rows)


def lane_passes() -> str:
    """Cycles of one lane for a product of operands of these widths."""
    rows = [[f"{one} bits", *(cycles.passes(one, other) for other in _MULTIPLIED)] for one in _MULTIPLIED]
    return _rows(("", *(f"{other} bits" for other in _MULTIPLIED)), rows)


def examples() -> str:
    """Assembly lines and their words."""
    rows = []
    for line in EXAMPLES:
        words = " ".join(f"`{word:016x}`" for word in ISA.parse(line).encode())
        rows.append((f"`{line}`", words))
    return _rows(("assembly", "words, the first one first"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "reach": reach,
    "formats": formats,
    "instructions": instructions,
    "operands": operands,
    "clips": clips,
    "forms": forms,
    "cycle_constants": cycle_constants,
    "cycle_rules": cycle_rules,
    "lane_passes": lane_passes,
    "examples": examples,
}


def _format(family: type[Instruction]) -> str:
    docs = {entry.name: str(entry.metadata["doc"]) for entry in fields(family)[1:]}
    docs |= {"opcode": "see the table of instructions", "reserved": "must be 0"}
    rows = []
    for entry, position in positions(family.layout.fields):
        values, doc = f"{entry.low} to {entry.high}", docs[entry.name]
        if entry.name == "reserved":
            values = "0"
        elif entry.width == OPERAND_BITS:
            values = "operand"
        elif entry.bias:
            doc += f"; encoded as value - {entry.bias}"
        place = f"{position + entry.width - 1}:{position}" if entry.width > 1 else position
        rows.append((place, entry.name, values, doc))
    size = f"{family.layout.words} word" + ("s" if family.layout.words > 1 else "")
    meaning, _, more = inspect.cleandoc(str(family.__doc__)).partition("\n")
    text = _code(meaning) + (f"\n\n{more.strip()}" if more else "")
    table = _rows(("bits", "field", "values", "meaning"), rows)
    return f"### {family.format_name} format, {size}\n\n{text}\n\n{table}"


def _code(meaning: str) -> str:
    return f"`{meaning}`" if "=" in meaning else meaning


def _instruction_row(family: type[Instruction], spec: Spec) -> Sequence[object]:
    used = "all" if spec.uses is None else ", ".join(spec.uses) or "none"
    return (spec.code, f"`{spec.name}`", family.format_name, used, spec.doc)


def _rows(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Rewrite the tables of the files that the arguments name; the exit code."""
    try:
        if not arguments:
            raise UsageError("isa.doc: must be given the file whose tables it makes new: docs/isa.md.")
        for name in arguments:
            path = Path(name)
            path.write_text(refresh(path.read_text("utf-8")), "utf-8")
    except FemtoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"{error.filename}: cannot be rewritten: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
