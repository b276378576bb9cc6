"""FASMIR: threads of instructions per core, with memory placed and branch and message targets still by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from femtodriver.compiler.backend.core_map import CoreMap
from femtodriver.compiler.fmir.network_interface import Port
from femtodriver.compiler.fmir.source_layer import SourceLayer
from femtodriver.isa import Instruction


@dataclass(frozen=True)
class CodeLine:
    """An instruction and where it came from; ``target`` names the thread that a send wakes or a signal lowers."""

    instruction: Instruction
    layer: int | None = None
    target: str | None = None


@dataclass(frozen=True)
class Label:
    """Names the instruction that follows, for branches of the same thread."""

    name: str


@dataclass(frozen=True)
class ThreadCode:
    """Code that runs to its end without waiting. ``count``: signals that make it ready; None: a message wakes it."""

    name: str
    count: int | None
    lines: tuple[CodeLine | Label, ...]


@dataclass(frozen=True)
class CoreCode:
    """The threads of one core, in program order."""

    core: int
    threads: tuple[ThreadCode, ...]


@dataclass(frozen=True, eq=False)
class Fasmir:
    """A whole program, symbolically. ``entries``: the thread that an input's message wakes."""

    name: str
    cores: tuple[CoreCode, ...]
    maps: Mapping[int, CoreMap]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    entries: Mapping[str, str]
    layers: tuple[SourceLayer, ...]


def fasmir_text(program: Fasmir) -> str:
    """Deterministic text of a program."""
    lines = [f"fasmir {program.name!r}"]
    for code in program.cores:
        lines.append(f"core {code.core}")
        for thread in code.threads:
            wake = "woken by a message" if thread.count is None else f"ready after {thread.count} signals"
            lines.append(f"  thread {thread.name!r}, {wake}")
            layer = None
            for line in thread.lines:
                if isinstance(line, Label):
                    lines.append(f"   {line.name}:")
                    continue
                if line.layer is not None and line.layer != layer:
                    layer = line.layer
                    lines.append(f"    // {program.layers[layer].name!r}")
                target = f" -> {line.target!r}" if line.target else ""
                lines.append(f"    {line.instruction.text()}{target}")
    return "\n".join(lines) + "\n"
