"""Which instructions an operation becomes, with the places of one core filled in."""

from __future__ import annotations

from dataclasses import replace

from femtodriver.compiler.backend.core_map import CoreMap
from femtodriver.compiler.backend.cursor_registers import CursorRegisters
from femtodriver.compiler.fmir.ir import Delay, Fmir, Interp, Look, Mac, Post, Products, Vec, View
from femtodriver.isa import (
    SPECS,
    Clip,
    ElementInstruction,
    Instruction,
    InterpolateInstruction,
    LookupInstruction,
    MatrixInstruction,
    Operand,
    VectorInstruction,
    accumulator,
    immediate,
    limits,
    memory,
)

_CLIPS = {"none": Clip.NONE, "saturate": Clip.SATURATE, "positive": Clip.POSITIVE, "low": Clip.LOW_BITS}
# What the field of an unused clip holds.
_UNCLIPPED_BITS = 32
_WORD_BYTES = limits.WORD_BITS // 8


class InstructionSelector:
    """Makes the instructions of operations without bodies; ``registers`` says where cursors stand.

    ``late_bias``: the bias of a product is added with its result; else the product begins with it.
    """

    def __init__(self, fmir: Fmir, places: CoreMap, registers: CursorRegisters, *, late_bias: bool = True) -> None:
        self.fmir = fmir
        self.places = places
        self.registers = registers
        self.late_bias = late_bias

    def instructions(self, op: Vec | Look | Interp | Mac | Products | Delay) -> list[Instruction]:
        """The operation's instructions in order; long vectors take several."""
        if isinstance(op, Delay):
            # The first elements of one copy are those behind the other.
            return [move for first in (0, op.dst.length) for move in self.instructions(_move(op, first))]
        if isinstance(op, Mac):
            return self._mac(op)
        if isinstance(op, Products):
            return self._products(op)
        starts = range(0, op.dst.length, limits.MAX_VECTOR_ELEMENTS)
        pieces = [(first, min(first + limits.MAX_VECTOR_ELEMENTS, op.dst.length)) for first in starts]
        if isinstance(op, Vec):
            return [self._vec(op, first, end) for first, end in pieces]
        if isinstance(op, Interp):
            return [self._interp(op, first, end) for first, end in pieces]
        return [self._look(op, first, end) for first, end in pieces]

    def condition(self, view: View) -> Operand:
        """The one element that a branch looks at."""
        return self._operand(view)

    def load_beginning(self, position: View, register: int) -> Instruction:
        """Brings where a circular buffer begins, in words, into a base register, in bytes."""
        return ElementInstruction(SPECS["ldb"], self._operand(position), register, _WORD_BYTES.bit_length() - 1)

    def _vec(self, op: Vec, first: int, end: int) -> VectorInstruction:
        narrow = op.spec.multiplies
        return _vector(
            op.op,
            self._operand(op.dst.part(first, end)),
            self._source(op.a, first, end, narrow=narrow),
            self._source(op.b, first, end, narrow=narrow),
            end - first,
            shifts=(op.shift_a, op.shift_b),
            spreads=(_repeats(op.a), _repeats(op.b)),
            post=op.post,
        )

    def _look(self, op: Look, first: int, end: int) -> LookupInstruction:
        table = self.places.tables[op.table]
        return LookupInstruction(
            SPECS["lut"],
            dst=self._operand(op.dst.part(first, end)),
            a=self._operand(op.a.part(first, end)),
            length=end - first,
            shift_a=op.shift_a,
            bits=op.bits,
            table=table.row,
            bank=table.bank,
            ways=table.ways,
        )

    def _interp(self, op: Interp, first: int, end: int) -> InterpolateInstruction:
        offset, slope = self.places.tables[op.offset], self.places.tables[op.slope]
        return InterpolateInstruction(
            SPECS["interp"],
            dst=self._operand(op.dst.part(first, end)),
            a=self._operand(op.a.part(first, end), narrow=True),
            length=end - first,
            shift_a=op.shift_a,
            shift_b=op.shift_b,
            shift=op.post.shift,
            rounded=int(op.post.rounded),
            clip=int(_CLIPS[op.post.clip]),
            bits=_clip_bits(op.post),
            offset=offset.row,
            offset_bank=offset.bank,
            slope=slope.row,
            slope_bank=slope.bank,
            ways=offset.ways,
        )

    def _mac(self, op: Mac) -> list[Instruction]:
        """Products, the first of which begins afresh, and their result: with the bias, unless that goes first."""
        first = op.bias != 0 and not self.late_bias
        products: list[Instruction] = [
            self._product(op, name, x, fresh=number == 0 and not first) for number, (name, x) in enumerate(op.parts)
        ]
        begin = [self._bias(op)] if first else []
        return [*begin, *products, self._result(replace(op, bias=0) if first else op)]

    def _products(self, op: Products) -> list[Instruction]:
        """One product after another, and the result of their sum with the bias."""
        length, sums = op.dst.length, accumulator(self.places.mac_row)
        return [
            *(
                _vector(
                    "vmac" if number else "vmul",
                    sums,
                    self._source(a, 0, length, narrow=True),
                    self._source(b, 0, length, narrow=True),
                    length,
                    (0, 0),
                    (_repeats(a), _repeats(b)),
                    Post(),
                )
                for number, (a, b) in enumerate(op.factors)
            ),
            self._result(op),
        ]

    def _bias(self, op: Mac) -> VectorInstruction:
        """The bias goes where the sums will be."""
        sums, bias = accumulator(self.places.mac_row), self._source(op.bias, 0, op.dst.length)
        shifts, repeats = (op.bias_shift, 0), (_repeats(op.bias), 0)
        return _vector("vpass", sums, bias, immediate(0), op.dst.length, shifts, repeats, Post())

    def _result(self, op: Mac | Products) -> VectorInstruction:
        """The sums with the bias, shifted and clipped."""
        length, sums, dst = op.dst.length, accumulator(self.places.mac_row), self._operand(op.dst)
        if op.bias == 0:
            return _vector("vpass", dst, sums, immediate(0), length, (0, 0), (0, 0), op.post)
        bias = self._source(op.bias, 0, length)
        return _vector("vadd", dst, sums, bias, length, (0, op.bias_shift), (0, _repeats(op.bias)), op.post)

    def _product(self, op: Mac, name: str, x: View, *, fresh: bool) -> MatrixInstruction:
        matrix = self.fmir.matrices[name]
        return MatrixInstruction(
            SPECS["mac"],
            x=self._operand(x),
            acc=self.places.mac_row,
            columns=matrix.columns,
            rows=matrix.rows,
            weights=self.places.weights[name],
            width=limits.WEIGHT_BITS.index(matrix.bits),
            form=int(matrix.form),
            mask=self.places.masks[name],
            fresh=int(fresh),
            repeat=op.repeat,
        )

    def _source(self, value: View | int, first: int, end: int, *, narrow: bool = False) -> Operand:
        return immediate(value) if isinstance(value, int) else self._operand(value.part(first, end), narrow=narrow)

    def _operand(self, view: View, *, narrow: bool = False) -> Operand:
        """``narrow``: read only the buffer's width of an accumulator (a quicker multiplication), not all its bits."""
        buffer = self.fmir.buffers[view.buffer]
        row = self.places.acc_row.get(view.buffer)
        if row is not None:
            bits = buffer.bits if narrow else limits.ACCUMULATOR_BITS
            return accumulator(row + view.offset // limits.GROUP_SIZE, bits)
        register, ahead = self.registers.position(view.cursor, buffer.bits // 8)
        if buffer.position is not None:
            register = self.registers.beginning(buffer.name)
        first = self.places.address[view.buffer] + (view.offset + ahead) * buffer.bits // 8
        return memory(first, buffer.bits, register)


def _move(op: Delay, first: int) -> Vec:
    return Vec("vpass", View(op.dst.buffer, first, op.a.length), op.a)


def _vector(
    name: str,
    dst: Operand,
    a: Operand,
    b: Operand,
    length: int,
    shifts: tuple[int, int],
    spreads: tuple[int, int],
    post: Post,
) -> VectorInstruction:
    return VectorInstruction(
        SPECS[name],
        dst,
        a,
        b,
        length,
        shift_a=shifts[0],
        shift_b=shifts[1],
        shift=post.shift,
        rounded=int(post.rounded),
        clip=int(_CLIPS[post.clip]),
        bits=_clip_bits(post),
        spread_a=spreads[0],
        spread_b=spreads[1],
    )


def _clip_bits(post: Post) -> int:
    return post.bits if post.clip != "none" else _UNCLIPPED_BITS


def _repeats(value: View | int) -> int:
    return int(isinstance(value, View) and value.step == 0)
