"""What must hold of FMIR between any two passes. A violation is our bug, so the message shows the operation."""

from __future__ import annotations

from femtodriver.compiler.fmir.fmir_text import op_text
from femtodriver.compiler.fmir.ir import (
    Delay,
    Fmir,
    If,
    Interp,
    Look,
    Loop,
    Mac,
    Op,
    Products,
    Role,
    Send,
    Simple,
    Vec,
    View,
    reads,
    table_names,
    touches,
    walk,
    writes,
)
from femtodriver.errors import DefectError
from femtodriver.isa import limits

_POSITION_BITS = 16


class InvalidFmirError(DefectError):
    """A pass has produced an ill-formed operation (a defect of this compiler)."""


def verify(fmir: Fmir) -> None:
    """Raise InvalidFmirError unless every view is inside its buffer, defined before it is read, and on its own core."""
    initial = {n for n, b in fmir.buffers.items() if b.role in (Role.INPUT, Role.STATE, Role.CONST)}
    defined = _verify_block(fmir, fmir.ops, initial, {})
    _check_circular(fmir)
    for port in fmir.outputs:
        if port.buffer not in defined and port.length:
            raise InvalidFmirError(f"output {port.name!r}: {port.buffer} must be written.")


def _verify_block(fmir: Fmir, ops: tuple[Op, ...], defined: set[str], cursors: dict[str, tuple[int, int]]) -> set[str]:
    """What is defined after these operations; ``cursors`` has the lowest and highest position of each cursor."""
    defined = set(defined)
    for op in ops:
        for view in touches(op):
            _check_view(fmir, op, view, cursors)
        for view in reads(op):
            _require(view.buffer in defined, op, f"{view.buffer} must be written before it is read")
            _require(fmir.buffers[view.buffer].core == op.core, op, f"{view.buffer} must be on core {op.core}")
        if isinstance(op, Loop):
            defined = _verify_block(fmir, op.body, defined, {**cursors, **_positions(op, cursors)})
        elif isinstance(op, If):
            _require(op.condition.length == 1, op, "the condition must be one element")
            defined = _verify_block(fmir, op.then, defined, cursors) & _verify_block(fmir, op.orelse, defined, cursors)
        else:
            _check_kind(fmir, op)
            defined.add(op.dst.buffer)
    return defined


def _check_circular(fmir: Fmir) -> None:
    """Circular buffers begin where base registers say, which loops need for something else; only delays change them."""
    for op in fmir.ops:
        for entry in walk((op,)):
            for view in touches(entry):
                position = fmir.buffers[view.buffer].position
                if position is None:
                    continue
                outside = entry is op and not isinstance(op, (Send, If))
                _require(outside, entry, f"the circular {view.buffer} must not be used in a body, branch or message")
                changed = isinstance(op, Delay) or view not in writes(op)
                _require(changed, op, f"the circular {view.buffer} must only be changed by a delay")
                fits = fmir.buffers[position.buffer].bits == _POSITION_BITS and position.length == 1
                _require(fits, op, f"the position of {view.buffer} must be one {_POSITION_BITS}-bit element")


def _positions(loop: Loop, cursors: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Lowest and highest position of a loop's cursors while its body runs."""
    positions = {}
    for cursor in loop.cursors:
        low, high = cursors[cursor.parent] if cursor.parent else (0, 0)
        last = cursor.stride * (loop.count - 1)
        positions[cursor.name] = (low + min(last, 0), high + max(last, 0))
    return positions


def _check_view(fmir: Fmir, op: Op, view: View, cursors: dict[str, tuple[int, int]]) -> None:
    _require(view.buffer in fmir.buffers, op, f"buffer {view.buffer} must exist")
    _require(not view.cursor or view.cursor in cursors, op, f"cursor {view.cursor} must belong to a loop around it")
    low, high = cursors[view.cursor] if view.cursor else (0, 0)
    length = fmir.buffers[view.buffer].length
    inside = view.offset + low >= 0 and view.length > 0 and view.end + high <= length
    _require(inside, op, f"view of {view.buffer} must lie inside its {length} elements")


def _check_kind(fmir: Fmir, op: Simple) -> None:
    target = fmir.buffers[op.dst.buffer]
    _require(target.role not in (Role.CONST, Role.INPUT), op, f"{target.role.value} buffers must not be written")
    _require(op.dst.step == 1, op, "the destination must not be a repeated element")
    if isinstance(op, Send):
        _check_send(fmir, op)
        return
    _require(target.core == op.core, op, f"{target.name} must be on core {op.core}")
    if isinstance(op, Mac):
        _check_mac(fmir, op)
    elif isinstance(op, Products):
        _check_products(fmir, op)
    elif isinstance(op, Delay):
        _check_delay(fmir, op)
    else:
        _check_elementwise(fmir, op)


def _check_send(fmir: Fmir, op: Send) -> None:
    source, target = fmir.buffers[op.a.buffer], fmir.buffers[op.dst.buffer]
    _require(target.core != op.core, op, "a message must go to another core")
    _require(op.a.length == op.dst.length and op.a.step == 1, op, "a message must keep its length")
    word = limits.WORD_BITS
    starts = op.a.offset * source.bits % word == op.dst.offset * target.bits % word == 0 and source.bits == target.bits
    ends = op.dst.end * target.bits % word == 0 or op.dst.end == target.length
    _require(starts and ends, op, "a message must fill whole words, up to the end of its buffer")


def _check_mac(fmir: Fmir, op: Mac) -> None:
    for name, view in op.parts:
        _require(name in fmir.matrices, op, f"matrix {name} must exist")
        matrix = fmir.matrices[name]
        shape = (view.length // op.repeat, op.rows)
        fits = view.step == 1 and (matrix.columns, matrix.rows) == shape and not view.length % op.repeat
        _require(fits, op, f"matrix {name} must have {shape[0]} columns and {shape[1]} rows")
    whole = op.repeat == 1 or (not op.rows % limits.GROUP_SIZE and not op.dst.length % op.repeat)
    _require(whole, op, "products that are repeated must have whole groups of outputs")
    fits = isinstance(op.bias, int) or op.bias.length == op.dst.length
    _require(fits, op, "the bias must have as many elements as the destination")
    if isinstance(op.bias, View):
        _require(not _runs_ahead(op.dst, op.bias), op, "the destination must not overlap what is left of the bias")


def _check_products(fmir: Fmir, op: Products) -> None:
    _require(bool(op.factors), op, "there must be products")
    for view in op.reads:
        _require(view.length == op.dst.length, op, "operands and destination must have equal lengths")
    if isinstance(op.bias, View):
        _require(not _runs_ahead(op.dst, op.bias), op, "the destination must not overlap what is left of the bias")
    for operand in (operand for pair in op.factors for operand in pair if isinstance(operand, View)):
        narrow = fmir.buffers[operand.buffer].bits < limits.ACCUMULATOR_BITS
        _require(narrow, op, f"{operand.buffer} must have elements that memory can hold")


def _check_delay(fmir: Fmir, op: Delay) -> None:
    line, length = fmir.buffers[op.dst.buffer], op.a.length
    whole = (op.dst.offset, op.dst.length) == (0, line.length) and line.position is not None
    _require(whole, op, "the destination must be a whole circular buffer")
    _require(op.a.step == 1 and op.a.buffer != line.name, op, "what comes must be elements of another buffer")
    _require(
        line.length % length == 0 and length * line.bits % limits.WORD_BITS == 0,
        op,
        "what comes must be whole words, and the line several times as long",
    )


def _check_elementwise(fmir: Fmir, op: Vec | Look | Interp) -> None:
    for view in op.reads:
        _require(view.length == op.dst.length, op, "operands and destination must have equal lengths")
        _require(not _runs_ahead(op.dst, view), op, "the destination must not overlap what is still to be read")
    for name in table_names(op):
        _require(name in fmir.tables, op, f"table {name} must exist")
        bits = op.bits if isinstance(op, Look) else limits.INTERPOLATION_ADDRESS_BITS
        _require(len(fmir.tables[name]) == 1 << bits, op, f"table {name} must have {1 << bits} entries")
    if isinstance(op, (Look, Interp)):
        _require(op.a.step == 1, op, "the argument must not be a repeated element")
    if isinstance(op, Interp):
        argument = limits.INTERPOLATION_ARGUMENT_BITS
        _require(fmir.buffers[op.a.buffer].bits == argument, op, f"{op.a.buffer} must have {argument}-bit elements")


def _runs_ahead(dst: View, source: View) -> bool:
    """Whether elements of the source would be overwritten before they are read, in ascending order."""
    same = (dst.buffer, dst.cursor) == (source.buffer, source.cursor) and source.step == 1
    return same and source.offset < dst.offset < source.end


def _require(condition: bool, op: Op, sentence: str) -> None:
    if not condition:
        raise InvalidFmirError(f"compiler defect: {sentence}, in: {op_text(op)}. Please report it with --dump-ir.")
