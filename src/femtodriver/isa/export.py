"""The whole instruction set as one JSON document, for generators in other languages; ``docs/isa.md`` describes it.

``python -m femtodriver.isa.export`` prints it, ``python -m femtodriver.isa.export FILE`` writes it to a file. Equal
tables give equal bytes. ``docs/isa.json`` is the committed copy.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from femtodriver.isa import ISA, Clip, Form, Instruction, Kind, Operand, Result, Spec, cycles, limits
from femtodriver.isa.bits import BitField, positions
from femtodriver.isa.instruction import OPCODE_BITS
from femtodriver.isa.operand import ACC_WIDTHS, IMMEDIATE_BITS, KIND_FIELD, KIND_FIELDS, MEMORY_KINDS, OPERAND_BITS

SCHEMA = 1
"""Rises when the document's own form changes; the version of the instruction set is another number."""


def document() -> dict[str, Any]:
    """Everything about the instruction set, as plain data."""
    return {
        "schema": SCHEMA,
        "name": limits.ISA_NAME,
        "version": limits.ISA_VERSION,
        "word_bits": limits.WORD_BITS,
        "opcode": {"position": 0, "width": OPCODE_BITS},
        "families": [_family(family, specs) for family, specs in ISA.table],
        "operands": _operands(),
        "enumerations": {"clip": _members(Clip), "form": _members(Form), "result": _members(Result)},
        "weight_bits": list(limits.WEIGHT_BITS),
        "limits": _limits(),
        "cycles": {
            "constants": cycles.constants(),
            "lane_bits": list(cycles.LANE_BITS),
            "passes": cycles.rule_text(cycles.passes),
            "stream": cycles.rule_text(cycles.stream),
        },
    }


def text() -> str:
    """The document as JSON, the same bytes for the same table."""
    return json.dumps(document(), indent=1, ensure_ascii=True) + "\n"


def _family(family: type[Instruction], specs: Iterable[Spec]) -> dict[str, Any]:
    rule = family.cycle_rule
    return {
        "name": family.format_name,
        "meaning": inspect.cleandoc(str(family.__doc__)),
        "words": family.layout.words,
        "fields": [_field(family, entry, position) for entry, position in positions(family.layout.fields)],
        "cycles": {"inputs": list(inspect.signature(rule).parameters), "rule": cycles.rule_text(rule)},
        "instructions": [_instruction(family, spec) for spec in specs],
    }


def _field(family: type[Instruction], entry: BitField, position: int) -> dict[str, Any]:
    """``default``: the value that a field must have where it is not used; null where every instruction uses it."""
    declared = {field.name: field for field in fields(family)[1:]}
    holds = entry.name if entry.name in ("opcode", "reserved") else "number"
    default, doc = 0 if holds == "reserved" else None, ""
    if entry.name in declared:
        field = declared[entry.name]
        doc = str(field.metadata["doc"])
        holds = "operand" if field.type == "Operand" else holds
        if field.default is not MISSING:
            default = field.default.encode() if isinstance(field.default, Operand) else int(field.default)
    return {**_bits(entry, position), "holds": holds, "default": default, "doc": doc}


def _bits(entry: BitField, position: int) -> dict[str, Any]:
    """A value is the field's bits, as two's complement if signed, plus ``bias``; legal from ``least`` to ``most``."""
    return {
        "name": entry.name,
        "position": position,
        "width": entry.width,
        "signed": entry.signed,
        "bias": entry.bias,
        "least": 0 if entry.name == "reserved" else entry.low,
        "most": 0 if entry.name == "reserved" else entry.high,
    }


def _instruction(family: type[Instruction], spec: Spec) -> dict[str, Any]:
    names = [entry.name for entry in fields(family)[1:]]
    return {
        "name": spec.name,
        "opcode": spec.code,
        "uses": names if spec.uses is None else [name for name in names if name in spec.uses],
        "most": spec.most,
        "reads": spec.reads,
        "result": spec.result.value,
        "multiplies": spec.multiplies,
        "first_bits": spec.first_bits,
        "accumulates": spec.accumulates,
        "doc": spec.doc,
    }


def _operands() -> dict[str, Any]:
    widths = {kind: bits for bits, kind in MEMORY_KINDS.items()}
    kinds = [
        {
            "code": int(kind),
            "name": kind.name,
            "place": "memory" if kind in widths else {Kind.ACC: "accumulators", Kind.IMM: "immediate"}[kind],
            "element_bits": widths.get(kind),
            "fields": [_bits(entry, position) for entry, position in positions(KIND_FIELDS[kind])],
        }
        for kind in Kind
    ]
    return {
        "width": OPERAND_BITS,
        "kind": _bits(KIND_FIELD, IMMEDIATE_BITS),
        "kinds": kinds,
        "accumulator_widths": list(ACC_WIDTHS),
    }


def _members(members: type[Clip] | type[Form] | type[Result]) -> list[dict[str, Any]]:
    return [{"value": member.value, "name": member.name.lower(), "doc": member.doc} for member in members]


def _limits() -> dict[str, Any]:
    """The numbers of ``limits.py`` with the sentences under them."""
    body = ast.parse(inspect.getsource(limits)).body
    found = {}
    for statement, below in pairwise(body):
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if not name.startswith("_"):
                found[name] = {"value": getattr(limits, name), "doc": _sentence(below)}
    return found


def _sentence(statement: ast.stmt) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return str(value.value) if isinstance(value, ast.Constant) else ""


def main(arguments: Sequence[str]) -> int:
    """Print the document, or write it to the file that the argument names; the exit code."""
    if len(arguments) > 1:
        print(f"isa.export: must be given one file or none, not {len(arguments)}.", file=sys.stderr)
        return 2
    if not arguments:
        sys.stdout.write(text())
        return 0
    try:
        Path(arguments[0]).write_text(text(), "utf-8", newline="\n")
    except OSError as error:
        print(f"{arguments[0]}: cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
