"""Instruction words -> rows: what an execution needs is worked out once, and faults that need no run are found.

A fault in an instruction that is never executed does not matter, so it becomes a row of its own kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from femtodriver import fixed
from femtodriver.arrays import Int64Array
from femtodriver.errors import AssemblyError, MachineFault
from femtodriver.isa import (
    ISA,
    Clip,
    ControlInstruction,
    ElementInstruction,
    Form,
    Instruction,
    InterpolateInstruction,
    LookupInstruction,
    MatrixInstruction,
    Operand,
    Result,
    TransferInstruction,
    VectorInstruction,
    cycles,
    limits,
)
from femtodriver.machine.bank_load import bank_load
from femtodriver.machine.data_layout import DataLayout
from femtodriver.machine.operand_checks import (
    check_accumulation,
    check_address,
    check_destination,
    check_order,
    check_rows,
)
from femtodriver.machine.product_events import multiplier_bits, product_event
from femtodriver.machine.rows import (
    ControlRow,
    DecodedRow,
    ElementRow,
    FaultRow,
    InterpolateRow,
    LastStage,
    LookupRow,
    MatrixRow,
    OperandRow,
    TableCopies,
    TransferRow,
    VectorRow,
)
from femtodriver.machine.start_ahead import cycles_ahead
from femtodriver.part import Part

_StreamInstruction = VectorInstruction | LookupInstruction | InterpolateInstruction
_MOVING = attrgetter("moving")
_MOST_WORDS = max(family.layout.words for family, _ in ISA.table)


def decode_rows(words: Sequence[int], part: Part, tables: Int64Array) -> dict[int, DecodedRow]:
    """A row per address where an instruction starts, and a FaultRow per word that is none.

    ``tables``: table memory, int64 of shape (tm_banks, tm_bank_words); copies that must be equal are compared here.
    """
    decoder = _Decoder(part, tables)
    rows: dict[int, DecodedRow] = {}
    pc = 0
    while pc < len(words):
        decoder.before = rows[pc] = _decode_row(decoder, pc, tuple(words[pc : pc + _MOST_WORDS]))
        pc = rows[pc].next_pc
    return rows


def _decode_row(decoder: _Decoder, pc: int, words: tuple[int, ...]) -> DecodedRow:
    try:
        instruction = ISA.decode(words)
    except AssemblyError as error:
        return FaultRow(pc, pc + 1, str(error))
    try:
        return _DECODERS[type(instruction)](decoder, pc, instruction)
    except MachineFault as fault:
        return FaultRow(pc, pc + instruction.words, str(fault))


class _Decoder:
    """Makes the row of one instruction at a time; MachineFault for what no execution could do.

    ``before``: the row that is in memory before the one that is made, if there is one.
    """

    def __init__(self, part: Part, tables: Int64Array) -> None:
        self.part = part
        self.tables = tables
        self.layout = DataLayout.of(part)
        self.acc_elements = part.acc_rows * part.lanes
        self.before: DecodedRow | None = None

    def vector(self, pc: int, instruction: VectorInstruction) -> VectorRow:
        """The row of a vector instruction at ``pc``."""
        spec, length = instruction.spec, instruction.length
        read = ((instruction.a, instruction.spread_a), (instruction.b, instruction.spread_b))[: spec.reads]
        dst, sources, load = self._operands(
            instruction, [(operand, 1 if spread else length) for operand, spread in read]
        )
        lane_passes, event, products = 1, "", 0
        if spec.accumulates:
            check_accumulation(instruction)
        if spec.multiplies:
            first, second = map(multiplier_bits, sources)
            widths = sorted((min(first, spec.first_bits), second))
            lane_passes = cycles.passes(*widths)
            event, products = product_event(*widths)
        return VectorRow(
            pc=pc,
            next_pc=pc + instruction.words,
            spec=spec,
            dst=dst,
            sources=sources,
            lanes=self.part.lanes,
            load=load,
            stage=_last_stage(instruction.shift, instruction.rounded, instruction.clip, instruction.bits),
            shift_a=instruction.shift_a,
            shift_b=instruction.shift_b,
            lane_passes=lane_passes,
            product_event=event,
            products=products,
            ahead=self._ahead((*sources, dst) if spec.accumulates else sources),
        )

    def lookup(self, pc: int, instruction: LookupInstruction) -> LookupRow:
        """The row of a look-up at ``pc``."""
        length = instruction.length
        dst, sources, load = self._operands(instruction, [(instruction.a, length)])
        table = TableCopies(instruction.bank, instruction.table, 1 << instruction.ways)
        banks, words = self.tables.shape
        if table.row + (1 << instruction.bits) > words or table.bank + table.copies > banks:
            raise MachineFault(f"lut: the table must lie inside table memory of {banks} banks x {words} words.")
        low, high = fixed.limits(instruction.bits)
        return LookupRow(
            pc=pc,
            next_pc=pc + instruction.words,
            spec=instruction.spec,
            dst=dst,
            sources=sources,
            lanes=self.part.lanes,
            load=load,
            shift_a=instruction.shift_a,
            low=low,
            high=high,
            table=table,
            ahead=self._ahead(sources),
        )

    def interpolate(self, pc: int, instruction: InterpolateInstruction) -> InterpolateRow:
        """The row of an interpolation at ``pc``."""
        length, bits = instruction.length, limits.INTERPOLATION_ARGUMENT_BITS
        dst, sources, load = self._operands(instruction, [(instruction.a, length)])
        if instruction.a.bits != bits:
            raise MachineFault(f"interp: a must have {bits}-bit elements, not {instruction.a.text()}.")
        copies = 1 << instruction.ways
        offset = TableCopies(instruction.offset_bank, instruction.offset, copies)
        slope = TableCopies(instruction.slope_bank, instruction.slope, copies)
        for table in (offset, slope):
            self._check_copies(table)
        return InterpolateRow(
            pc=pc,
            next_pc=pc + instruction.words,
            spec=instruction.spec,
            dst=dst,
            sources=sources,
            lanes=self.part.lanes,
            load=load,
            stage=_last_stage(instruction.shift, instruction.rounded, instruction.clip, instruction.bits),
            shift_a=instruction.shift_a,
            shift_b=instruction.shift_b,
            offset=offset,
            slope=slope,
            ahead=self._ahead(sources),
        )

    def matrix(self, pc: int, instruction: MatrixInstruction) -> MatrixRow:
        """The row of a matrix-vector product at ``pc``."""
        columns, rows, repeat = instruction.columns, instruction.rows, instruction.repeat
        x = self._operand(instruction.x, columns * repeat)
        if not x.in_memory:
            raise MachineFault(f"mac: x must be in memory, not {x.text()}.")
        first, groups = instruction.acc * limits.GROUP_SIZE, -(-rows // limits.GROUP_SIZE)
        if first + repeat * groups * limits.GROUP_SIZE > self.acc_elements:
            raise MachineFault("mac: the outputs must end inside the accumulator file.")
        check_address(x, self.layout)
        weight_bits = limits.WEIGHT_BITS[instruction.width]
        widths = sorted((max(weight_bits, cycles.LANE_BITS[0]), x.bits))
        event, products = product_event(*widths)
        first_word, end_word = self.layout.words_of_bytes(x.value, x.size)
        return MatrixRow(
            pc=pc,
            next_pc=pc + instruction.words,
            spec=instruction.spec,
            x=x,
            scan_words=0 if x.moving else end_word - first_word,
            first=first,
            columns=columns,
            repeat=repeat,
            rows=rows,
            groups=groups,
            weights=instruction.weights,
            weight_bits=weight_bits,
            form=Form(instruction.form),
            mask=instruction.mask,
            fresh=bool(instruction.fresh),
            lane_passes=cycles.passes(*widths),
            product_event=event,
            products=products,
            ahead=self._ahead((x,)),
        )

    def transfer(self, pc: int, instruction: TransferInstruction) -> TransferRow:
        """The row of a message instruction at ``pc``."""
        words = self.layout.word_range(instruction.address, instruction.length)
        return TransferRow(
            pc=pc,
            next_pc=pc + instruction.words,
            spec=instruction.spec,
            first_word=words.start,
            length=instruction.length,
            core=instruction.core,
            target=instruction.target,
            fixed_cycles=cycles.transfer(instruction.length),
        )

    def control(self, pc: int, instruction: ControlInstruction) -> ControlRow:
        """The row of a control instruction at ``pc``."""
        _check_register(instruction)
        return ControlRow(
            pc=pc,
            next_pc=pc + instruction.words,
            spec=instruction.spec,
            core=instruction.core,
            thread=instruction.thread,
            register=instruction.register,
            value=instruction.value,
            target=instruction.target,
            source=instruction.source,
        )

    def element(self, pc: int, instruction: ElementInstruction) -> ElementRow:
        """The row of an instruction that reads one element, at ``pc``."""
        if not instruction.a.in_memory:
            raise MachineFault(f"{instruction.spec.name}: a must be in memory, not {instruction.a.text()}.")
        _check_register(instruction)
        a = self._operand(instruction.a, 1)
        check_address(a, self.layout)
        return ElementRow(
            pc=pc,
            next_pc=pc + instruction.words,
            spec=instruction.spec,
            a=a,
            register=instruction.register,
            shift_a=instruction.shift_a,
            target=instruction.target,
        )

    def _operand(self, operand: Operand, length: int) -> OperandRow:
        row = OperandRow(operand.kind, operand.value, operand.bits, operand.base, length)
        check_rows(row, self.part.lanes, self.acc_elements)
        return row

    def _ahead(self, reads: Sequence[OperandRow]) -> int:
        return cycles_ahead(self.before, reads, self.layout) if self.before else 0

    def _operands(
        self, instruction: _StreamInstruction, sources: Iterable[tuple[Operand, int]]
    ) -> tuple[OperandRow, tuple[OperandRow, ...], cycles.BankLoad | None]:
        """Destination and sources of an instruction, checked, and their load of the banks; None where one moves."""
        dst = self._operand(instruction.dst, instruction.length)
        rows = tuple([self._operand(operand, length) for operand, length in sources])
        for source in rows:
            check_address(source, self.layout)
        check_destination(dst)
        check_address(dst, self.layout)
        if dst.moving or any(map(_MOVING, rows)):
            return dst, rows, None
        for source in rows:
            check_order(dst, dst.value, source, source.value, self.part.lanes)
        placed = [source.placed(source.value) for source in rows if source.in_memory]
        to = dst.placed(dst.value) if dst.in_memory else None
        return dst, rows, bank_load(self.layout, self.part.lanes, instruction.length, placed, to)

    def _check_copies(self, table: TableCopies) -> None:
        """Element i reads copy i mod copies: the copies of an interpolation's table must all be equal."""
        banks, words = self.tables.shape
        end = table.row + (1 << limits.INTERPOLATION_ADDRESS_BITS)
        if end > words or table.bank + table.copies > banks:
            raise MachineFault(f"interp: the tables must lie inside table memory of {banks} banks x {words} words.")
        copies = self.tables[table.bank : table.bank + table.copies, table.row : end]
        if not (copies == copies[0]).all():
            raise MachineFault("interp: the copies of a table must be equal.")


@lru_cache(maxsize=1 << 10)
def _last_stage(shift: int, rounded: int, clip: int, bits: int) -> LastStage:
    low, high = fixed.limits(bits)
    mask = (1 << bits) - 1 if bits < limits.ACCUMULATOR_BITS else -1
    return LastStage(shift, bool(rounded), Clip(clip), low, high, mask)


def _check_register(instruction: ControlInstruction | ElementInstruction) -> None:
    if instruction.spec.result is Result.REGISTER and instruction.register == 0:
        most = limits.BASE_REGISTERS - 1
        raise MachineFault(
            f"{instruction.spec.name}: register must be 1 to {most}, not 0: base register 0 is always zero."
        )


_DECODERS: Mapping[type[Instruction], Callable[[_Decoder, int, Any], DecodedRow]] = {
    VectorInstruction: _Decoder.vector,
    LookupInstruction: _Decoder.lookup,
    InterpolateInstruction: _Decoder.interpolate,
    MatrixInstruction: _Decoder.matrix,
    TransferInstruction: _Decoder.transfer,
    ControlInstruction: _Decoder.control,
    ElementInstruction: _Decoder.element,
}
