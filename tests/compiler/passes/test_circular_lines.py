"""Long delay lines become circular buffers, and everything else stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.build_threads import build_threads
from femtodriver.compiler.fmir.ir import Cursor, Delay, Fmir, If, Loop, Mac, Matrix, Op, Post, Send, Vec, View
from femtodriver.compiler.passes import circular_lines as module
from femtodriver.compiler.passes.circular_lines import circular_lines
from femtodriver.isa import ElementInstruction
from tests.compiler.fmir_samples import SATURATE, SIZE, add, buffer, copy, machine_outputs, network, outputs
from tests.compiler.pass_bench import IN, OUT, SPU, Golden, compare

DEPTH = 6
LENGTH = DEPTH * SIZE
FRAMES = 2 * DEPTH + 1  # every position, and the first one again
MOVE = Vec("vpass", View("state0", 0, LENGTH - SIZE), View("state0", SIZE, LENGTH - SIZE))
FILL = Vec("vpass", View("state0", LENGTH - SIZE, SIZE), View("in0", 0, SIZE))
MEET = Vec("vadd", View("out0", 0, SIZE), View("state0", SIZE, SIZE), View("in0", 0, SIZE), post=SATURATE)
LINE = buffer("state0", LENGTH, init=np.arange(LENGTH) - 40)


@pytest.fixture
def every_line_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_SAVING", -1000)


def with_line(*ops: Op, line: int = LENGTH, bits: int = 16) -> Fmir:
    state = LINE if line == LENGTH and bits == 16 else buffer("state0", line, bits, init=np.arange(line) % 99)
    spare = [buffer("t0"), buffer("t1", LENGTH), buffer("state1", LENGTH)]
    return network([IN, OUT, state, *spare], ops).with_ops(ops)


def lines_of(fmir: Fmir) -> list[str]:
    return [name for name, entry in fmir.buffers.items() if entry.position is not None]


def agrees(before: Fmir, after: Fmir) -> None:
    wanted = outputs(before, FRAMES)
    assert outputs(after, FRAMES) == wanted
    assert machine_outputs(after, FRAMES) == wanted


def test_circular_lines(golden: Golden) -> None:
    numbers = np.random.default_rng(0)
    matrix = Matrix("m0", numbers.integers(-128, 128, (2 * SIZE, SIZE)), 8)
    product = Mac(
        View("t0", 0, SIZE), (("m0", View("state1", SIZE, 2 * SIZE)),), post=Post(-9, clip="saturate", bits=16)
    )
    long = 20 * SIZE
    ops: list[Op] = [
        MEET,
        product,
        Vec("vadd", View("out0", 0, SIZE), View("out0", 0, SIZE), View("t0", 0, SIZE), post=SATURATE),
        MOVE,
        FILL,
        Vec("vpass", View("state1", 0, long - SIZE), View("state1", SIZE, long - SIZE)),
        Vec("vpass", View("state1", long - SIZE, SIZE), View("t0", 0, SIZE)),
    ]
    other = buffer("state1", long, init=numbers.integers(-300, 300, long))
    before = network([IN, OUT, LINE, other, buffer("t0")], ops, [matrix])
    after = compare(golden, "circular_lines", circular_lines, before)
    assert lines_of(after) == ["state0", "state1"]
    assert machine_outputs(after, 41) == outputs(before, 41)


@pytest.mark.usefixtures("every_line_pays")
def test_a_state_may_have_the_name_of_a_line_s_new_elements() -> None:
    made = Vec("vadd", View("state0", LENGTH - SIZE, SIZE), View("in0", 0, SIZE), 3, post=SATURATE)
    other = replace(buffer("state1"), name="state0.new")
    ops = [
        Vec("vadd", View("out0", 0, SIZE), View("state0", SIZE, SIZE), View(other.name, 0, SIZE), post=SATURATE),
        MOVE,
        made,
        Vec("vadd", View(other.name, 0, SIZE), View(other.name, 0, SIZE), View("in0", 0, SIZE), post=SATURATE),
    ]
    before = network([IN, OUT, LINE, other], ops)
    after = circular_lines(before, SPU)
    assert lines_of(after) == ["state0"]
    agrees(before, after)


def test_a_short_line_is_moved() -> None:
    ops = [
        Vec("vpass", View("state0", 0, SIZE), View("state0", SIZE, SIZE)),
        Vec("vpass", View("state0", SIZE, SIZE), View("in0", 0, SIZE)),
        add("out0", "state0", "in0"),
    ]
    before = with_line(ops[2], *ops[:2], line=2 * SIZE)
    assert circular_lines(before, SPU) is before


@pytest.mark.usefixtures("every_line_pays")
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_lines_of_any_depth_agree(depth: int) -> None:
    length = depth * SIZE
    move = Vec("vpass", View("state0", 0, length - SIZE), View("state0", SIZE, length - SIZE))
    fill = replace(FILL, dst=View("state0", length - SIZE, SIZE))
    before = with_line(MEET, move, fill, line=length)
    after = circular_lines(before, SPU)
    assert lines_of(after) == ["state0"]
    agrees(before, after)


@pytest.mark.usefixtures("every_line_pays")
@pytest.mark.parametrize("pieces", [1, 2])
def test_new_elements_may_be_made_in_the_line(pieces: int) -> None:
    """They are made beside it instead, and copied twice."""
    step = SIZE // pieces
    made = [
        Vec("vadd", View("state0", LENGTH - SIZE + first, step), View("in0", first, step), 5, post=SATURATE)
        for first in range(0, SIZE, step)
    ]
    before = with_line(MEET, MOVE, *made)
    after = circular_lines(before, SPU)
    assert lines_of(after) == ["state0"]
    agrees(before, after)


HALF = SIZE // 2
LEFT_ALONE = {
    "read after it has moved": (MOVE, FILL, MEET),
    "read between": (MOVE, MEET, FILL),
    "new elements from the line itself": (MEET, MOVE, replace(FILL, a=View("state0", 0, SIZE))),
    "new elements with a gap": (MEET, MOVE, Vec("vpass", View("state0", LENGTH - SIZE, HALF), View("in0", 0, HALF))),
    "too many new elements": (
        MEET, MOVE, Vec("vpass", View("state0", LENGTH - 2 * SIZE, 2 * SIZE), View("state1", 0, 2 * SIZE)),
    ),
    "no new elements": (MEET, MOVE),
    "written before it moves": (copy("state0", "in0"), MEET, MOVE, FILL),
    "moved with a shift": (MEET, replace(MOVE, shift_a=-1), FILL),
    "moved with a clip": (MEET, replace(MOVE, post=SATURATE), FILL),
    "moved by a sum": (MEET, Vec("vadd", MOVE.dst, View("state0", SIZE, LENGTH - SIZE), 0), FILL),
    "moved in part": (
        MEET, Vec("vpass", View("state0", 0, LENGTH - 2 * SIZE), View("state0", SIZE, LENGTH - 2 * SIZE)), FILL,
    ),
    "moved to the inside": (
        MEET, Vec("vpass", View("state0", 4, LENGTH - SIZE - 4), View("state0", SIZE + 4, LENGTH - SIZE - 4)), FILL,
    ),
    "read in a loop": (MEET, Loop(2, (MEET,)), MOVE, FILL),
    "moved in a loop": (MEET, Loop(2, (MOVE, FILL))),
    "read where a cursor stands": (
        MEET, Loop(2, (Vec("vpass", View("t0", 0, 8), View("state0", 0, 8, 1, "c0")),), (Cursor("c0", 8),)), MOVE, FILL,
    ),
    "a condition": (MEET, If(View("state0", 3, 1), (copy("t0", "in0"),), ()), MOVE, FILL),
    "filled in a branch": (MEET, MOVE, If(View("in0", 0, 1), (FILL,), (FILL,))),
    "no state": (
        copy("t1", "state1", LENGTH), MEET, Vec("vpass", View("t1", 0, LENGTH - SIZE), View("t1", SIZE, LENGTH - SIZE)),
    ),
}  # fmt: skip


@pytest.mark.usefixtures("every_line_pays")
@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_no_simple_line_is_left_alone(name: str) -> None:
    before = with_line(*LEFT_ALONE[name])
    assert circular_lines(before, SPU) is before


@pytest.mark.usefixtures("every_line_pays")
def test_lines_that_leave_in_messages_are_left_alone() -> None:
    mail = replace(buffer("mail", LENGTH), core=1)
    before = network(
        [IN, OUT, LINE, mail], [MEET, Send(View("mail", 0, LENGTH), View("state0", 0, LENGTH)), MOVE, FILL]
    )
    assert circular_lines(before, SPU) is before


@pytest.mark.usefixtures("every_line_pays")
@pytest.mark.parametrize(("line", "step", "bits", "taken"), [
    (24, 8, 16, True), (24, 4, 16, True), (24, 6, 16, False), (28, 8, 16, False), (24, 4, 8, False), (24, 8, 8, True),
    (24, 2, 32, True), (24, 3, 32, False),
])  # fmt: skip
def test_positions_are_whole_words(line: int, step: int, bits: int, taken: bool) -> None:
    ops = [
        Vec("vadd", View("out0", 0, step), View("state0", 0, step), View("in0", 0, step), post=SATURATE),
        Vec("vpass", View("state0", 0, line - step), View("state0", step, line - step)),
        Vec("vadd", View("state0", line - step, step), View("in0", 0, step), 0, post=Post(-9, clip="saturate", bits=8)),
        copy("out0", "in0"),
    ]
    before = with_line(ops[3], *ops[:3], line=line, bits=bits)
    after = circular_lines(before, SPU)
    assert bool(lines_of(after)) == taken
    agrees(before, after)


def test_a_line_needs_its_room_twice() -> None:
    before = with_line(MEET, MOVE, FILL)
    words = [words for words in range(1, 200) if lines_of(circular_lines(before, replace(SPU, dm_bank_words=words)))]
    assert words == list(range(words[0], 200))
    assert 8 * SPU.dm_banks * words[0] >= 2 * 2 * LENGTH
    part = replace(SPU, dm_bank_words=words[0])
    assert machine_outputs(circular_lines(before, part), FRAMES, part) == outputs(before, FRAMES)


@pytest.mark.usefixtures("every_line_pays")
def test_each_core_has_as_many_lines_as_base_registers() -> None:
    names = [f"state{number}" for number in range(9)]
    sizes = {name: (number + 3) * SIZE for number, name in enumerate(names)}
    ops: list[Op] = [copy("out0", "in0")]
    for name in names:
        ops.append(Vec("vadd", View("out0", 0, SIZE), View("out0", 0, SIZE), View(name, 0, SIZE), post=SATURATE))
    for name, size in sizes.items():
        ops.append(Vec("vpass", View(name, 0, size - SIZE), View(name, SIZE, size - SIZE)))
        ops.append(Vec("vpass", View(name, size - SIZE, SIZE), View("in0", 0, SIZE)))
    before = network([IN, OUT, *(buffer(name, size, init=np.arange(size)) for name, size in sizes.items())], ops)
    after = circular_lines(before, SPU)
    assert lines_of(after) == names[2:], "the longest ones"
    agrees(before, after)


@pytest.mark.usefixtures("every_line_pays")
def test_a_loop_may_use_the_registers_in_between() -> None:
    """Afterwards the line is found again."""
    body = (Vec("vadd", View("t0", 0, 8), View("t0", 0, 8), View("t1", 0, 8, 1, "c0"), post=SATURATE),)
    loop = Loop(2, body, tuple(Cursor(f"c{number}", 8) for number in range(2)))
    use = Vec("vadd", View("out0", 0, SIZE), View("out0", 0, SIZE), View("t0", 0, SIZE), post=SATURATE)
    ops = (copy("t0", "in0"), Vec("vpass", View("t1", 0, LENGTH), 3), MEET, loop, use, MOVE, FILL)
    before = with_line(*ops)
    after = circular_lines(before, SPU)
    assert lines_of(after) == ["state0"]
    agrees(before, after)
    loads = [
        line.instruction
        for thread in build_threads(after, allocate(after, SPU)).cores[0].threads
        for line in thread.lines
        if hasattr(line, "instruction") and isinstance(line.instruction, ElementInstruction)
    ]
    assert len(loads) == 2, "before the loop and after it"


@pytest.mark.usefixtures("every_line_pays")
def test_positions_move_once_in_a_frame() -> None:
    after = circular_lines(with_line(MEET, MOVE, FILL), SPU)
    assert [isinstance(op, Delay) for op in after.ops] == [False, True, False, False, False]
    assert [op.op for op in after.ops if isinstance(op, Vec)] == ["vadd", "vadd", "vgt", "vmul"]
