"""FMIR by hand and by chance: mapped networks for tests of passes, allocation and emission.

The random ones are valid and meaningful: every temporary is written whole before it is read, and every value fits the
16 bits of its buffer, so that the machine must agree with the FMIR executor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st

from femtodriver.arrays import Int64Array
from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.build_threads import build_threads
from femtodriver.compiler.backend.link import link
from femtodriver.compiler.backend.message_room import within_message_room
from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.fmir.ir import (
    Buffer,
    Cursor,
    Fmir,
    If,
    Look,
    Loop,
    Mac,
    Matrix,
    Op,
    Post,
    Role,
    Vec,
    View,
)
from femtodriver.compiler.fmir.network_interface import Port
from femtodriver.compiler.fmir.source_layer import SourceLayer
from femtodriver.machine.machine import Machine
from femtodriver.part import Part, load_part
from femtodriver.program.compiled_data import CompiledData

Outputs = list[dict[str, list[int]]]
SIZE, HALF = 16, 8
SATURATE = Post(0, False, "saturate", 16)
_ROLES = {"in": Role.INPUT, "out": Role.OUTPUT, "state": Role.STATE, "const": Role.CONST, "carry": Role.CARRIED}


def buffer(name: str, length: int = SIZE, bits: int = 16, core: int = 0, init: Any = None) -> Buffer:
    """A buffer whose role follows from its name: ``in0``, ``out0``, ``state0``, ``const0``, ``carry0``, else TEMP."""
    role = _ROLES.get(name.rstrip("0123456789:"), Role.TEMP)
    if role is Role.STATE and init is None:
        init = np.zeros(length)
    return Buffer(name, length, bits, role, core, None if init is None else np.asarray(init, np.int64))


def network(
    buffers: Iterable[Buffer],
    ops: Sequence[Op],
    matrices: Iterable[Matrix] = (),
    tables: Mapping[str, Int64Array] | None = None,
) -> Fmir:
    """A mapped network; its ports are the buffers whose roles are input and output."""
    table = {entry.name: entry for entry in buffers}
    ports = {
        role: tuple(Port(b.name, b.name, b.length, b.bits) for b in table.values() if b.role is role)
        for role in (Role.INPUT, Role.OUTPUT)
    }
    layers = (SourceLayer("0 sample x", "sample", "x", SIZE), SourceLayer("(frame end)", "frame_end", "", 0))
    return Fmir(
        "sample",
        table,
        {matrix.name: matrix for matrix in matrices},
        dict(tables or {}),
        tuple(ops),
        ports[Role.INPUT],
        ports[Role.OUTPUT],
        layers,
    )


def copy(dst: str, src: str, length: int = SIZE) -> Vec:
    """A whole copy."""
    return Vec("vpass", View(dst, 0, length), View(src, 0, length))


def add(dst: str, a: str, b: str | int, length: int = SIZE) -> Vec:
    """A whole sum, saturated to 16 bits."""
    second = View(b, 0, length) if isinstance(b, str) else b
    return Vec("vadd", View(dst, 0, length), View(a, 0, length), second, post=SATURATE)


def frames(fmir: Fmir, count: int = 4, seed: int = 0) -> list[dict[str, Int64Array]]:
    """Full-range inputs."""
    numbers = np.random.default_rng(seed)
    return [
        {port.name: numbers.integers(-1 << (port.bits - 1), 1 << (port.bits - 1), port.length) for port in fmir.inputs}
        for _ in range(count)
    ]


def outputs(fmir: Fmir, count: int = 4) -> Outputs:
    """What the FMIR executor gives for some frames."""
    executor = FmirExecutor(fmir)
    results = [executor.step(frame) for frame in frames(fmir, count)]
    return [{name: values.tolist() for name, values in result.items()} for result in results]


def finished(fmir: Fmir, part: Part | None = None, *, late_bias: bool = True) -> CompiledData:
    """The images of a placed network."""
    part = part or load_part()
    maps = allocate(fmir, part)
    program = within_message_room(partial(build_threads, fmir, maps, late_bias=late_bias), part)
    return link(fmir, program, part, {})[0]


def machine_outputs(fmir: Fmir, count: int = 4, part: Part | None = None, *, late_bias: bool = True) -> Outputs:
    """What the machine gives for the same frames."""
    part = part or load_part()
    machine = Machine(finished(fmir, part, late_bias=late_bias), part)
    results = [machine.step(frame) for frame in frames(fmir, count)]
    return [{name: values.tolist() for name, values in result.items()} for result in results]


@dataclass
class _Scene:
    """What operations may read and write at some point; ``inner`` temporaries end with the body."""

    draw: Any
    readable: list[str]
    writable: list[str]
    depth: int = 0
    cursor: str = ""
    made: list[str] = field(default_factory=list)

    def inside(self, cursor: str) -> _Scene:
        """The scene of a body."""
        return _Scene(self.draw, list(self.readable), list(self.writable), self.depth + 1, cursor, self.made)

    def pick(self, *choices: Any) -> Any:
        """One of the choices."""
        return self.draw(st.sampled_from(choices))

    def view(self, half: bool) -> View:
        """Something readable: half of a buffer, if wanted where the cursor stands, or all of it."""
        name = self.pick(*self.readable)
        if not half:
            return View(name, 0, SIZE)
        if self.cursor and self.pick(True, False):
            return View(name, 0, HALF, 1, self.cursor)
        return View(name, self.pick(0, HALF, 3), HALF, self.pick(1, 1, 1, 0))

    def target(self, half: bool, *sources: View | int) -> View:
        """Something writable: a new temporary (whole), a source in place, or a buffer that is no source."""
        views = [source for source in sources if isinstance(source, View)]
        mine = [view for view in views if view.step and view.buffer in self.writable]
        if mine and all(view == mine[0] or view.buffer != mine[0].buffer for view in views) and self.pick(True, False):
            return mine[0]
        names = [name for name in self.writable if all(name != view.buffer for view in views)]
        if not half and (not names or self.pick(True, True, False)):
            self.made.append(f"t{len(self.made)}")
            return View(self.made[-1], 0, SIZE)
        name = self.pick(*names)
        if not half:
            return View(name, 0, SIZE)
        if self.cursor and self.pick(True, False):
            return View(name, 0, HALF, 1, self.cursor)
        return View(name, self.pick(0, HALF), HALF)

    def simple(self) -> Op:
        """One operation."""
        kind = self.pick("vec", "vec", "vec", "copy", "copy", "look", "mac")
        half = self.pick(False, False, True)
        if kind == "mac":
            x, post = self.view(False), Post(-9, True, "saturate", 16)
            return self._done(Mac(self.target(False), ((self.pick("m0", "m1"), x),), self.pick(0, 7), post=post))
        a = self.view(half)
        if kind == "look":
            a = replace(a, step=1)
            return self._done(Look(self.target(half, a), a, "table0", -8))
        if kind == "copy":
            return self._done(Vec("vpass", self.target(half, a), a))
        op = self.pick("vadd", "vsub", "vmul", "vmax", "vmin", "vgt", "veq", "vxor")
        b = self.view(half) if self.pick(True, False) else self.pick(0, 3, -700)
        shift = -8 if op == "vmul" else self.pick(0, -1)
        post = Post(shift, shift < 0 and self.pick(True, False), "saturate", 16)
        return self._done(Vec(op, self.target(half, a, b), a, b, self.pick(0, -2), 0, post))

    def _done(self, op: Any) -> Op:
        name = op.dst.buffer
        if name not in self.readable:
            self.readable.append(name)
            self.writable.append(name)
        result: Op = op
        return result

    def block(self, most: int) -> tuple[Op, ...]:
        """Some operations, bodies included."""
        ops: list[Op] = []
        for _ in range(self.draw(st.integers(1, most))):
            kind = self.pick("simple", "simple", "simple", "simple", "loop", "if") if self.depth < 2 else "simple"
            if kind == "loop":
                ops.append(self._loop())
            elif kind == "if":
                condition = View(self.pick(*self.readable), self.pick(0, 5), 1)
                ops.append(If(condition, self.inside(self.cursor).block(4), self.inside(self.cursor).block(4)))
            else:
                ops.append(self.simple())
        return tuple(ops)

    def _loop(self) -> Op:
        cursor = f"c{self.depth}.{len(self.made)}"
        body = self.inside(cursor).block(5)
        return Loop(2, body, (Cursor(cursor, HALF),))


@st.composite
def networks(draw: Any) -> Fmir:
    """Random valid networks with states, loops, conditions, products and tables."""
    numbers = np.random.default_rng(draw(st.integers(0, 5)))
    fixed = [
        buffer("in0"),
        buffer("const0", init=numbers.integers(-300, 300, SIZE)),
        *(buffer(f"state{k}", init=numbers.integers(-300, 300, SIZE)) for k in range(3)),
        *(buffer(f"out{k}") for k in range(2)),
    ]
    scene = _Scene(draw, ["in0", "const0", "state0", "state1", "state2"], ["state0", "state1", "state2"])
    ops = list(scene.block(9))
    for target in ("out0", "out1"):
        ops.append(copy(target, scene.pick(*scene.readable)))
        scene.readable.append(target)
        scene.writable.append(target)
    ops += scene.block(3)
    matrices = [
        Matrix("m0", numbers.integers(-128, 128, (SIZE, SIZE)), 8),
        Matrix("m1", numbers.integers(-8, 8, (SIZE, SIZE)) * (numbers.random((SIZE, SIZE)) < 0.05), 4),
    ]
    tables = {"table0": numbers.integers(-(1 << 15), 1 << 15, 256)}
    return network([*fixed, *map(buffer, scene.made)], ops, matrices, tables).with_ops(tuple(ops))
