"""FMIR as text, for ``--dump-ir``, error messages and golden tests."""

from __future__ import annotations

from femtodriver.compiler.fmir.ir import (
    Buffer,
    Delay,
    Fmir,
    If,
    Interp,
    Look,
    Loop,
    Mac,
    Op,
    Post,
    Products,
    Simple,
    Vec,
    View,
)


def fmir_text(fmir: Fmir) -> str:
    """Deterministic text of a mapped network."""
    lines = [f"fmir {fmir.name!r}"]
    lines += [f"  input {port.name!r} = {port.buffer}[{port.length}] of {port.bits} bits" for port in fmir.inputs]
    lines += [f"  output {port.name!r} = {port.buffer}[{port.length}] of {port.bits} bits" for port in fmir.outputs]
    lines += [f"  {_buffer_text(buffer)}" for buffer in fmir.buffers.values()]
    for matrix in fmir.matrices.values():
        kind = matrix.form.name.lower()
        lines.append(f"  matrix {matrix.name} {matrix.columns} x {matrix.rows} of {matrix.bits} bits, {kind}")
    lines += [f"  table {name}[{len(values)}]" for name, values in fmir.tables.items()]
    lines += _block(fmir, fmir.ops, "  ")
    return "\n".join(lines) + "\n"


def _block(fmir: Fmir, ops: tuple[Op, ...], indent: str) -> list[str]:
    lines = []
    layer = -1
    for op in ops:
        if op.layer != layer:
            layer = op.layer
            lines.append(f"{indent}// {fmir.layers[layer].name!r}")
        lines.append(f"{indent}{op_text(op)}")
        if isinstance(op, Loop):
            lines += _block(fmir, op.body, indent + "  ")
        if isinstance(op, If):
            lines += _block(fmir, op.then, indent + "  ")
            lines.append(f"{indent}else")
            lines += _block(fmir, op.orelse, indent + "  ")
    return lines


def op_text(op: Op) -> str:
    """One line of text of an operation."""
    if isinstance(op, Loop):
        cursors = [f"{c.name} += {c.stride}{f' from {c.parent}' if c.parent else ''}" for c in op.cursors]
        return f"core{op.core}: loop {op.count} times{''.join(f', {text}' for text in cursors)}"
    if isinstance(op, If):
        return f"core{op.core}: if {_view(op.condition)}"
    return f"core{op.core}: {_view(op.dst)} = {_right_side(op)}"


def _right_side(op: Simple) -> str:
    if isinstance(op, Vec):
        operands = [_aligned(op.a, op.shift_a)]
        if op.spec.reads > 1:
            operands.append(_aligned(op.b, op.shift_b))
        return f"{op.op}({', '.join(operands)}){_post(op.post)}"
    if isinstance(op, Mac):
        products = [f"{name} @ {_view(view)}" for name, view in op.parts]
        times = f" {op.repeat} times" if op.repeat > 1 else ""
        return f"mac({' + '.join([_aligned(op.bias, op.bias_shift), *products])}){times}{_post(op.post)}"
    if isinstance(op, Products):
        products = [f"{_view(a)} * {_view(b)}" for a, b in op.factors]
        return f"products({' + '.join([_aligned(op.bias, op.bias_shift), *products])}){_post(op.post)}"
    if isinstance(op, Interp):
        lines = f"{_shifted(op.slope, op.shift_a)}, {_shifted(op.offset, op.shift_b)}"
        return f"interp({_view(op.a)}; {lines}){_post(op.post)}"
    if isinstance(op, Look):
        return f"look {op.table}[sat{op.bits}({_aligned(op.a, op.shift_a)})]"
    return f"{'delay' if isinstance(op, Delay) else 'send'}({_view(op.a)})"


def _buffer_text(buffer: Buffer) -> str:
    initial = ""
    if buffer.init is not None:
        shown = " ".join(str(value) for value in buffer.init[:8])
        initial = f" = {shown}{' ...' if len(buffer.init) > 8 else ''}"
    circular = f" circular from {_view(buffer.position)}" if buffer.position is not None else ""
    return (
        f"{buffer.role.value} {buffer.name}: i{buffer.bits}[{buffer.length}]{circular} on core {buffer.core}{initial}"
    )


def _view(view: View | int) -> str:
    if isinstance(view, int):
        return str(view)
    start = f"{view.cursor}+" if view.cursor else ""
    if not view.step:
        return f"{view.buffer}[{start}{view.offset}]*{view.length}"
    return f"{view.buffer}[{start}{view.offset}:{start}{view.end}]"


def _aligned(view: View | int, shift: int) -> str:
    return _shifted(_view(view), shift)


def _shifted(text: str, shift: int) -> str:
    return f"{text}{f' << {shift}' if shift > 0 else f' >> {-shift}' if shift < 0 else ''}"


def _post(post: Post) -> str:
    text = ""
    if post.shift:
        text += f" {'<<' if post.shift > 0 else '>>'} {abs(post.shift)}{' rounded' if post.rounded else ''}"
    if post.clip == "saturate":
        text += f" sat{post.bits}"
    if post.clip == "positive":
        text += f" pos{post.bits}"
    if post.clip == "low":
        text += f" low{post.bits}"
    return text
