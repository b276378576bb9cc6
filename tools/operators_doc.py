"""Makes docs/operators.md from the code: rules and ranges from the operator classes, costs from the machine.

``python tools/operators_doc.py docs/operators.md`` rewrites the file; with ``--check`` it only says whether it is
current (exit code 1 if not).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from example_networks import example_network

from femtodriver.arrays import Int64Array
from femtodriver.compiler.backend.symbolic_program import CodeLine, Label
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.fmir_text import fmir_text
from femtodriver.compiler.fmir.ir import Role
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.fqir.graph import Network
from femtodriver.fqir.operators.constant_kinds import REQUIRED
from femtodriver.fqir.operators.control_flow import Call
from femtodriver.fqir.operators.example import Example, ShapeForm
from femtodriver.fqir.operators.operator import Operator
from femtodriver.fqir.registry import OPERATORS
from femtodriver.isa import VectorInstruction
from femtodriver.machine.machine import Machine
from femtodriver.part import load_part

COMMAND = "python tools/operators_doc.py docs/operators.md"
ONE_CORE = Options(cores=1)
MOST_LINES = 24

HEAD = f"""# Operators

Every operator that a network may have: inputs, constants, rules, meaning, what it is compiled to, and its cost. This
file is made from the code by `{COMMAND}`; do not edit it.

`A(x, s)` shifts left for s >= 0 (modulo 2^64), divides by 2^-s and floors for s < 0. `R(x, s, rounded)` is the same but
rounds half up before a right shift if `rounded`. `Sat(x, n)` clamps to n bits. Values are integers; the specification
of the networks is FQIR as fmot writes it. `x[k, n]` is an input of shape (k, n); equal names are equal sizes, and
`_` is any size.

An operator is compiled to operations of FMIR, and these to instructions of the open SPU; see
[compiler.md](compiler.md) and [isa.md](isa.md). Below, both are shown for the first size in the table of costs. Costs
are cycles of one core, counted by the machine on a frame without zeros, in memory operands of 16 bits unless the
example says otherwise. They are the cycles of the operator's own instructions. Where a result is only a view of what
is already there, that is 0; copies into states and outputs are made at the end of the frame, and are in columns of
their own (sending the outputs is not counted). Neighbours in a real network change the cost: values stay in
accumulators, copies vanish, interpolations and small equal operations become one instruction.
"""


@dataclass(frozen=True)
class Lowered:
    """One size of an operator, compiled: text of its operations and instructions, cycles of a frame.

    ``into_states`` and ``into_outputs``: cycles of copies at the end of the frame.
    """

    label: str
    operations: list[str]
    instructions: list[str]
    cycles: int
    into_states: int
    into_outputs: int


def document() -> str:
    """The whole file."""
    classes: list[type[Operator]] = [*OPERATORS.values(), Call]
    compiled = {cls: [_lowered(cls, example) for example in cls.shown_examples()] for cls in classes if _compiles(cls)}
    parts = [HEAD, _overview(classes, compiled), *(_section(cls, compiled.get(cls, [])) for cls in classes)]
    return "\n".join(parts)


def _compiles(cls: type[Operator]) -> bool:
    return cls.refusal is None and not cls.host_only


def _overview(classes: Iterable[type[Operator]], compiled: Mapping[type[Operator], Sequence[Lowered]]) -> str:
    rows = []
    for cls in classes:
        lowered = compiled.get(cls, [])
        what = _instruction_names(lowered[0].instructions) if lowered else "not compiled"
        costs = f"{lowered[0].cycles} for {lowered[0].label}" if lowered else ""
        rows.append((f"[`{cls.name}`](#{cls.name})", what, costs))
    return _table(("operator", "becomes", "cycles"), rows)


def _instruction_names(lines: Iterable[str]) -> str:
    names = dict.fromkeys(line.split()[0] for line in lines if line.startswith("  "))
    return ", ".join(f"`{name}`" for name in names) or "nothing: a view or a constant"


def _section(cls: type[Operator], lowered: Sequence[Lowered]) -> str:
    lines = [f"## {cls.name}", "", _docstring(cls), ""]
    outputs = {None: "any number of outputs", 0: "no output", 1: "1 output"}.get(cls.outputs, f"{cls.outputs} outputs")
    inputs = "whatever the body takes, in its order" if cls is Call else cls.signature()
    lines.append(f"Inputs: {inputs}; {outputs}.")
    shapes = [_form(form) for form in cls.forms if form.text]
    if shapes:
        lines.append(f"Usual shapes: {'; or '.join(shapes)}.")
    if cls.updates:
        lines.append(f"It writes the state{'s' * (len(cls.updates) > 1)} {', '.join(cls.updates)}.")
    if cls.bodies:
        lines.append(f"Bodies: {', '.join(cls.bodies)}.")
    lines.append("")
    if cls.constants:
        rows = [(f"`{key}`", _range(constant.expectation, constant.default)) for key, constant in cls.constants.items()]
        lines += [_table(("constant", "must be"), rows)]
    if cls.rules:
        lines += ["Rules:", "", *(f"* {rule.text}" for rule in cls.rules.values()), ""]
    lines += _lowering(cls, lowered)
    return "\n".join(lines)


def _form(form: ShapeForm) -> str:
    shapes = ", ".join(f"`{name}[{', '.join(sizes)}]`" for name, sizes in form.shapes.items())
    constants = [f"`{name}` = {text}" for name, text in form.constants.items()]
    return f"{shapes} with {' and '.join(constants)}" if constants else shapes


def _docstring(item: object) -> str:
    text = (item.__doc__ or "").strip()
    return "\n".join(line.strip() for line in text.splitlines())


def _range(expectation: str, default: object) -> str:
    return expectation if default is REQUIRED else f"{expectation}; {default} if it is missing"


def _lowering(cls: type[Operator], lowered: Sequence[Lowered]) -> list[str]:
    if cls.refusal is not None:
        return [f"**Refused**: {cls.refusal}.", ""]
    if cls.host_only:
        return [
            "**Not compiled**: it belongs to QUANT or DEQUANT, which run on the host before or after the program.",
            "",
        ]
    lines = []
    own = vars(cls).get("lower")
    if own is not None and own.__doc__:
        lines += [_docstring(own), ""]
    first = lowered[0]
    if first.operations:
        lines += [f"For {first.label}:", "", *_block(first.operations), "", *_block(first.instructions), ""]
    else:
        lines += ["No operation: the result is a view of what is there, or a constant in data memory.", ""]
    if cls is Call:
        lines += ["The body is compiled where the call stands.", ""]
    return [*lines, _costs(lowered)]


def _costs(lowered: Sequence[Lowered]) -> str:
    if not any(entry.into_states or entry.into_outputs for entry in lowered):
        return _table(("size", "cycles"), [(entry.label, entry.cycles) for entry in lowered])
    head = ("size", "cycles", "copies into states", "copies into outputs")
    return _table(head, [(entry.label, entry.cycles, entry.into_states, entry.into_outputs) for entry in lowered])


def _block(lines: Sequence[str]) -> list[str]:
    shown = list(lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        shown.append(f"... {len(lines) - MOST_LINES} more")
    return ["```", *shown, "```"]


def _lowered(cls: type[Operator], example: Example) -> Lowered:
    """Compile an example for one core and run two frames; the second one counts (states are no longer zero)."""
    part, network = load_part(), example_network(cls, example)
    compiled = compile_network(network, part, options=ONE_CORE)
    machine = Machine(compiled.data, part)
    frame = {name: values.reshape(-1) for name, values in _live_frame(network).items()}
    mine = _mine(compiled, len(network.frame.nodes) - 1)
    machine.step(frame)
    before = _cycles(compiled, machine, mine)
    machine.step(frame)
    counts = [after - earlier for after, earlier in zip(_cycles(compiled, machine, mine), before, strict=True)]
    return Lowered(example.label, _operations(compiled, mine), _instructions(compiled, mine), *counts)


def _live_frame(network: Network) -> dict[str, Int64Array]:
    """Inputs without a zero, so that every activation costs its work."""
    numbers = np.random.default_rng(1)
    frame = {}
    for tensor in network.inputs:
        high = 1 << ((tensor.bits or 16) - 2)
        frame[tensor.name] = numbers.integers(1, high, prod(tensor.shape)).reshape(tensor.shape)
    return frame


def _mine(compiled: Compilation, node: int) -> set[int]:
    """The layers of the example's node and of its bodies: not what prepares its inputs, nor the end of the frame."""
    names = [layer.name.split()[0].partition(".")[0] for layer in compiled.fasmir.layers]
    return {index for index, name in enumerate(names) if name == str(node)}


def _cycles(compiled: Compilation, machine: Machine, mine: set[int]) -> list[int]:
    """So far: cycles of the node's instructions, and of copies into states and into outputs at the end of the frame."""
    states, end = _state_addresses(compiled), len(compiled.fasmir.layers) - 1
    found = [0, 0, 0]
    pc, by_pc = 0, machine.report().cores[0].by_pc
    for line in (line for thread in compiled.fasmir.cores[0].threads for line in thread.lines):
        if isinstance(line, Label):
            continue
        cycles = by_pc.get(pc, {}).get("cycles", 0)
        if line.layer in mine:
            found[0] += cycles
        elif line.layer == end and isinstance(line.instruction, VectorInstruction):
            found[1 if line.instruction.dst.value in states else 2] += cycles
        pc += line.instruction.words
    return found


def _state_addresses(compiled: Compilation) -> set[int]:
    places = compiled.fasmir.maps[0].address
    states = [buffer for buffer in compiled.fmir.buffers.values() if buffer.role is Role.STATE]
    return {places[b.name] + byte for b in states for byte in range(b.length * b.bits // 8)}


def _operations(compiled: Compilation, mine: set[int]) -> list[str]:
    """The operations' lines without the core; only those of the layers wanted."""
    heads = {f"// {layer.name!r}": index for index, layer in enumerate(compiled.fmir.layers)}
    layer, shown = -1, []
    for line in fmir_text(compiled.fmir).splitlines():
        layer = heads.get(line.strip(), layer)
        if layer in mine and not line.strip().startswith("//"):
            shown.append(line[2:].replace("core0: ", "", 1))
    return shown


def _instructions(compiled: Compilation, mine: set[int]) -> list[str]:
    shown: list[str] = []
    lines = [line for thread in compiled.fasmir.cores[0].threads for line in thread.lines]
    last = max((k for k, line in enumerate(lines) if isinstance(line, CodeLine) and line.layer in mine), default=-1)
    for line in lines[: last + 2]:
        if isinstance(line, Label):
            shown.append(f"{line.name.partition('@')[0]}:")
        elif line.layer in mine:
            target = f" -> {line.target.partition('@')[0]}" if line.target else ""
            shown.append(f"  {line.instruction.text()}{target}")
    return shown


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write or check the file; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing, only say whether the file is current")
    options = parser.parse_args(arguments)
    text = document()
    if not options.check:
        options.file.write_text(text, "utf-8")
        return 0
    current = options.file.is_file() and options.file.read_text("utf-8") == text
    if not current:
        print(f"{options.file} is not what the code says; make it anew with: {COMMAND}", file=sys.stderr)
    return int(not current)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
