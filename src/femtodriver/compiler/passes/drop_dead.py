"""Leaves out what no output, state or message needs."""

from __future__ import annotations

from dataclasses import replace

from femtodriver.compiler.fmir.ir import Fmir, If, Loop, Op, Role, Vec, View, reads, walk
from femtodriver.compiler.passes.compiler_pass import Pass, Switch
from femtodriver.part import Part


def drop_dead(fmir: Fmir, part: Part) -> Fmir:
    """Every operation contributes to an output, a state or a message; states that nothing reads are gone."""
    read_states = {view.buffer for op in walk(fmir.ops) for view in reads(op) if not _keeps_itself(op, view)}
    needed = {port.buffer for port in fmir.outputs} | set(fmir.kept.values())
    needed |= {n for n, b in fmir.buffers.items() if b.role in (Role.STATE, Role.MAIL) and n in read_states}
    return fmir.with_ops(_live(fmir.ops, needed))


def _keeps_itself(op: Op, view: View) -> bool:
    """Whether the read only moves a state inside itself (a delay line that nothing reads)."""
    return isinstance(op, Vec) and op.is_move and op.dst.buffer == view.buffer


def _live(ops: tuple[Op, ...], needed: set[str]) -> tuple[Op, ...]:
    """The operations that write a needed buffer; what they read is needed too (``needed`` grows)."""
    kept: list[Op] = []
    for op in reversed(ops):
        live = _live_one(op, needed)
        if live is not None:
            kept.append(live)
            needed.update(view.buffer for view in reads(live))
    return tuple(reversed(kept))


def _live_one(op: Op, needed: set[str]) -> Op | None:
    if isinstance(op, If):
        then, orelse = _live(op.then, needed), _live(op.orelse, needed)
        return replace(op, then=then, orelse=orelse) if then or orelse else None
    if isinstance(op, Loop):
        while True:  # what an iteration needs, an earlier one may write
            before = len(needed)
            body = _live(op.body, needed)
            if len(needed) == before:
                return replace(op, body=body) if body else None
    return op if op.dst.buffer in needed else None


PASS = Pass(
    "drop-dead",
    drop_dead,
    Switch("drop_dead", "leave out what no output, state or message needs"),
)
