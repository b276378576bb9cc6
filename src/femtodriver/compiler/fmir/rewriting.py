"""How passes change operations: each function gives a new operation and leaves the old one as it is."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from femtodriver.compiler.fmir.ir import If, Loop, Mac, Matrix, Op, Products, Simple, Vec, View
from femtodriver.isa import Form

S = TypeVar("S", bound=Simple)


def free_name(stem: str, taken: Container[str]) -> str:
    """``stem``, with a number after it if it is taken."""
    name, number = stem, 0
    while name in taken:
        number += 1
        name = f"{stem}.{number}"
    return name


def layers_of(op: Op) -> tuple[int, ...]:
    """The layers whose work an operation does (not its bodies), its own first."""
    return (op.layer,) if isinstance(op, (Loop, If)) else (op.layer, *op.also)


def doing_also(op: S, others: Iterable[Op]) -> S:
    """The operation, which does the work of others too; reports say so of their layers."""
    layers = {*op.also, *(layer for other in others for layer in layers_of(other))} - {op.layer}
    return replace(op, also=tuple(sorted(layers)))


def with_bodies(op: Op, change: Callable[[tuple[Op, ...]], tuple[Op, ...]]) -> Op:
    """The operation with its bodies changed, if it has any."""
    if isinstance(op, Loop):
        return replace(op, body=change(op.body))
    if isinstance(op, If):
        return replace(op, then=change(op.then), orelse=change(op.orelse))
    return op


def with_views(op: Op, change: Callable[[View], View]) -> Op:
    """The operation with every view changed, in its bodies too."""
    if isinstance(op, (Loop, If)):
        changed = with_bodies(op, lambda body: tuple(with_views(entry, change) for entry in body))
        return replace(changed, condition=change(changed.condition)) if isinstance(changed, If) else changed
    return with_operands(op, change(op.dst), change)


def with_operands(op: Simple, dst: View, change: Callable[[View], View]) -> Simple:
    """The operation with another destination, and the views that it reads changed, in the order of its ``reads``."""

    def changed(value: View | int) -> View | int:
        return change(value) if isinstance(value, View) else value

    if isinstance(op, Vec):
        a = changed(op.a)
        return replace(op, dst=dst, a=a, b=changed(op.b))
    if isinstance(op, Mac):
        bias = changed(op.bias)
        return replace(op, dst=dst, bias=bias, parts=tuple((name, change(x)) for name, x in op.parts))
    if isinstance(op, Products):
        bias = changed(op.bias)
        return replace(op, dst=dst, bias=bias, factors=tuple((change(a), changed(b)) for a, b in op.factors))
    return replace(op, dst=dst, a=change(op.a))


def elements(op: Simple, first: int, end: int) -> Simple:
    """Elements [first, end) of an elementwise operation."""
    return with_operands(op, op.dst.part(first, end), lambda view: view.part(first, end))


def on_core(op: Op, core: int) -> Op:
    """The operation on this core, with its bodies."""
    return replace(with_bodies(op, lambda body: tuple(on_core(entry, core) for entry in body)), core=core)


def map_simple(ops: Iterable[Op], change: Callable[[Simple], Iterable[Op]]) -> tuple[Op, ...]:
    """The operations with every simple one replaced by what ``change`` makes of it, inside bodies too."""
    result: list[Op] = []
    for op in ops:
        if isinstance(op, (Loop, If)):
            result.append(with_bodies(op, lambda body: map_simple(body, change)))
        else:
            result += change(op)
    return tuple(result)


def product_rows(op: Mac, first: int, end: int, matrices: dict[str, Matrix]) -> Mac:
    """The product's outputs [first, end); adds the rows' matrices to ``matrices``."""
    if op.repeat > 1:
        return _repeated_rows(op, first, end, matrices)
    parts = []
    for name, x in op.parts:
        whole = matrices[name]
        piece = f"{name}.{first}:{end}"
        matrices[piece] = whole.cut(piece, first, end)
        parts.append((piece, x))
    bias = op.bias.part(first, end) if isinstance(op.bias, View) else op.bias
    return replace(op, dst=op.dst.part(first, end), parts=tuple(parts), bias=bias)


def _repeated_rows(op: Mac, first: int, end: int, matrices: dict[str, Matrix]) -> Mac:
    """Some of several products: as they are if these are whole, else of matrices that hold each product's rows."""
    begin, last = first // op.rows, -(-end // op.rows)
    parts = []
    for name, x in op.parts:
        columns = x.length // op.repeat
        parts.append((name, x.part(begin * columns, last * columns)))
    bias = op.bias.part(begin * op.rows, last * op.rows) if isinstance(op.bias, View) else op.bias
    dst = op.dst.part(begin * op.rows, last * op.rows)
    whole = replace(op, dst=dst, parts=tuple(parts), bias=bias, repeat=last - begin)
    if first % op.rows == end % op.rows == 0:
        return whole
    for name, _ in op.parts:
        one, joined = matrices[name], f"{name}*{whole.repeat}"
        weights = np.kron(np.eye(whole.repeat, dtype=np.int64), one.weights)
        matrices[joined] = Matrix(joined, weights, one.bits, Form.MASKED)
    alone = replace(whole, parts=tuple((f"{name}*{whole.repeat}", x) for name, x in parts), repeat=1)
    return product_rows(alone, first - begin * op.rows, end - begin * op.rows, matrices)
