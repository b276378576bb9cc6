"""What the machine forbids: one clear sentence that names core and PC, and only when it is executed."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.errors import MachineFault
from femtodriver.isa import SPECS
from femtodriver.machine.spu import Spu
from tests.machine.machine_bench import SMALL, Bench, Source, assemble


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("vpass a1, [1]:i16, #0", "address 0x1: must be a multiple of 2 for 16-bit elements."),
        ("vadd a1, #0, [2]:i32", "address 0x2: must be a multiple of 4 for 32-bit elements."),
        ("vpass [3]:i32, #0, #0", "address 0x3: must be a multiple of 4 for 32-bit elements."),
        (
            "vpass a1, [0xffe]:i16, #0 length=2",
            "address 0xffe: 2 elements of 16 bits must end at or before 0x1000, the end of data memory.",
        ),
        (
            "vpass [0x7fffc]:i32, #0, #0 length=4096",
            "address 0x7fffc: 4096 elements of 32 bits must end at or before 0x1000, the end of data memory.",
        ),
        (
            "vpass [0]:i8, [0x7fff8]:i32, #0 length=4096",
            "address 0x7fff8: 4096 elements of 32 bits must end at or before 0x1000, the end of data memory.",
        ),
        ("lut a1, [0xfff]:i8 length=2 bits=1", "address 0xfff: 2 elements of 8 bits must end at or before 0x1000,"),
        ("bez [0x1000]:i8 target=0", "address 0x1000: 1 elements of 8 bits must end at or before 0x1000,"),
        ("ldb [1]:i16 register=1", "address 0x1: must be a multiple of 2 for 16-bit elements."),
        ("vpass a7, #0, #0 length=9", "a7: 9 elements must end inside the accumulator file."),
        ("vpass a1, a127, #0", "a127: 1 elements must end inside the accumulator file."),
        ("vpass #1, a1, #0", "destination: must be memory or an accumulator, not an immediate."),
        ("lut #1, a1 bits=1", "destination: must be memory or an accumulator, not an immediate."),
        ("vpass a1:i16, a1, #0", "destination a1:i16: accumulators are written whole, without a width."),
    ],
)
def test_operands(line: str, sentence: str) -> None:
    with pytest.raises(MachineFault) as caught:
        Bench(f"{line}\nend").run()
    assert str(caught.value).startswith(f"core 0 pc 0: {sentence}")


@pytest.mark.parametrize(
    ("register", "line", "sentence"),
    [
        (1, "vpass a1, [b1+0]:i16, #0", "address 0x1: must be a multiple of 2 for 16-bit elements."),
        (-8, "vpass a1, [b1+0]:i16, #0", "address -0x8: 1 elements of 16 bits must end at or before 0x1000"),
        (-8, "vpass [b1+0]:i16, #0, #0", "address -0x8: 1 elements of 16 bits must end at or before 0x1000"),
        (0xFFE, "vpass a1, [b1+0]:i16, #0 length=2", "address 0xffe: 2 elements of 16 bits must end at or before"),
        (0x1000, "bez [b1+0]:i8 target=0", "address 0x1000: 1 elements of 8 bits must end at or before 0x1000"),
        (-1, "mac [b1+0]:i8 acc=0", "address -0x1: 1 elements of 8 bits must end at or before 0x1000"),
        (0xFF8, "mac [b1+0]:i8 acc=0 columns=9", "address 0xff8: 9 elements of 8 bits must end at or before 0x1000"),
    ],
)
def test_operands_that_move(register: int, line: str, sentence: str) -> None:
    with pytest.raises(MachineFault) as caught:
        Bench(f"setb register=1 value={register}\n{line}\nend").run()
    assert str(caught.value).startswith(f"core 0 pc 1: {sentence}")


def test_a_base_may_bring_an_address_back_into_memory() -> None:
    bench = Bench("setb register=1 value=-0x7fff0\nvpass [b1+0x7fff8]:i16, #3, #0 length=4\nend")
    bench.run()
    assert bench.read(8, 16, 4) == [3] * 4
    bench = Bench("setb register=1 value=-0x7fff0\nmac [b1+0x7fff8]:i16 acc=0 columns=4\nend")
    bench.run()


def test_the_last_bytes_of_memory_and_the_last_row_may_be_used() -> None:
    text = "vpass [0xffe]:i16, #7, #0\nvpass a7, [0xff0]:i16, #0 length=8\nvpass [0xffc]:i32, a7, #0\nend"
    bench = Bench(text)
    bench.run()
    assert bench.acc(7, 8) == [0] * 7 + [7]
    Bench("mac [0xffe]:i8 acc=7 columns=2 rows=8 weights=510\nrecv address=4088 length=1\nend").post([1]).spu.run()


def test_code_that_is_not_executed_does_not_matter() -> None:
    Bench("end\nvpass #1, [1]:i16, #0\nlut a1, a1 bits=16\nmac a1 acc=99\nloop target=0").run()


def raw(*words: int) -> Spu:
    """A machine with these instruction words."""
    images = {"IM": [np.array(words, np.uint64)]}
    spu = Spu({0: images}, SMALL, {0: len(words)})
    spu.post(0, 0, np.zeros(0, np.uint64))
    return spu


VADD = assemble("vadd a1, a1, #1")[0]
LUT = assemble("lut a1, [0x0]:i8")[0]
END = assemble("end")[0][0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((0,), "core 0 pc 0: instruction word 0x0000000000000000: opcode 0 is not in the table."),
        ((63, END), "core 0 pc 0: instruction word 0x000000000000003f: opcode 63 is not in the table."),
        ((END | 1 << 63,), "core 0 pc 0: end: the reserved bits must be 0, not 0x"),
        ((END | 1 << 6,), "core 0 pc 0: end: core must be 0, because the instruction does not use it, not 1."),
        ((LUT[0], LUT[1] | 3 << 28), "core 0 pc 0: lut: ways must be 0 to 2, not 3."),
        ((VADD[0] | 7 << 28, VADD[1]), "core 0 pc 0: operand: kind must be 0 to 4, not 7."),
        ((VADD[0],), "core 0 pc 0: vadd: must have 2 instruction words, not 1."),
        ((), "core 0 pc 0: there is no instruction here."),
        (VADD, "core 0 pc 2: there is no instruction here."),
        ((assemble("jump target=3")[0][0], *VADD, END, END)[:1], "core 0 pc 3: there is no instruction here."),
        ((assemble("jump target=2")[0][0], *VADD, END), "core 0 pc 2: there is no instruction here."),
    ],
)
def test_words_that_are_no_instruction(words: tuple[int, ...], sentence: str) -> None:
    with pytest.raises(MachineFault) as caught:
        raw(*words).run()
    assert str(caught.value).startswith(sentence)


def test_after_a_malformed_word_decoding_goes_on_with_the_next() -> None:
    spu = raw(assemble("jump target=2")[0][0], 0, *VADD, END)
    spu.run()
    assert spu.processors[0].core.acc[8] == 1


def test_reset_mends_what_a_fault_left_behind() -> None:
    text = "signal thread=0\nout address=0 length=1 target=0\nvpass a1, [1]:i16, #0\nend\nt:\nend\ngood:\nend"
    bench = Bench(Source(text, threads=[(1, "t")]))
    with pytest.raises(MachineFault):
        bench.run()
    bench.spu.reset()
    assert bench.run("good") == 3
    assert bench.spu.outputs == []


def test_every_vector_instruction_has_a_meaning() -> None:
    without = [spec for spec in SPECS.values() if spec.name.startswith("v") and spec.meaning is None]
    assert all(spec.accumulates for spec in without)
