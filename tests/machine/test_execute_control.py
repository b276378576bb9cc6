"""Base registers, loops and branches."""

from __future__ import annotations

from functools import partial

import pytest

import femtodriver.machine.spu as spu_module
from femtodriver.errors import MachineFault
from femtodriver.machine.run_budget import RunBudget, RunLimits
from tests.machine.machine_bench import END, START, Bench, Source


def bases(text: str, bench: Bench | None = None) -> list[int]:
    bench = Bench(f"{text}\nend")
    bench.run()
    return bench.core().core.bases


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("setb register=1 value=5", 5),
        ("setb register=1 value=-524288", -(2**19)),
        ("setb register=1 value=5\naddb register=1 value=-7", -2),
        ("setb register=2 value=9\nmovb register=1 source=2 value=-1", 8),
        ("setb register=1 value=4\nmovb register=1 source=1 value=1", 5),
        ("setb register=1 value=4\nmovb register=1 source=0 value=1", 1),
        ("setb register=1 value=524287\naddb register=1 value=1", -(2**19)),  # 20 bits
        ("setb register=1 value=-524288\naddb register=1 value=-1", 2**19 - 1),
        ("setb register=2 value=524287\nmovb register=1 source=2 value=2", -(2**19) + 1),
        ("setb register=1 value=-524288\nloop register=1 target=over\nover:", 2**19 - 1),
    ],
)
def test_base_registers(text: str, expected: int) -> None:
    assert bases(text)[1] == expected
    assert bases(text)[0] == 0


@pytest.mark.parametrize(
    ("bits", "value", "shift", "expected"),
    [
        (8, -3, 0, -3),
        (16, 300, 2, 1200),
        (32, -5, -1, -3),
        (32, 2**20 + 7, 0, 7),
        (32, 2**19, 0, -(2**19)),
        (8, 1, 63, 0),
    ],
)
def test_ldb_loads_a_shifted_element(bits: int, value: int, shift: int, expected: int) -> None:
    bench = Bench(f"ldb [0x20]:i{bits} register=7 shift_a={shift}\nend").write(0x20, bits, [value])
    assert bench.run() == START + 3 + END
    assert bench.core().core.bases[7] == expected


def test_a_register_moves_every_kind_of_access() -> None:
    text = """
        setb register=1 value=0x10
        vadd [b1+0x40]:i16, [b1+0]:i16, [b1+0x20]:i16 length=4
        addb register=1 value=-8
        vadd [b1+0x80]:i16, [b1+0]:i16, #0 length=4
        lut [b1+0xc0]:i8, [b1+8]:i8 bits=1
        end
    """
    bench = Bench(text).write(0, 16, range(32))
    bench.run()
    assert bench.read(0x50, 16, 4) == [8 + 24, 9 + 25, 10 + 26, 11 + 27]
    assert bench.read(0x88, 16, 4) == [4, 5, 6, 7]


def test_a_moving_access_is_charged_where_it_goes() -> None:
    text = "setb register=1 value=0x400\nagain:\nvpass [b1+0]:i16, [0]:i16, #0 length=8\n"
    text += "addb register=1 value=0x400\nsetb register=2 value=1\nend"
    bench = Bench(text)
    assert bench.run() == START + 1 + (3 + 1) + 1 + 1 + END
    assert bench.banks(1) == ([1, 1, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0])
    bench = Bench("setb register=1 value=0x400\nloop_:\nvpass [b1+0]:i16, [0]:i16, #0 length=8\nend")
    bench.run()
    assert bench.events(1)["dm_write"] == 2


def test_a_loop_runs_its_body_as_often_as_its_register_says() -> None:
    text = "setb register=3 value=5\nagain:\nvadd a1, a1, #1\nloop register=3 target=again\nend"
    bench = Bench(text)
    assert bench.run() == START + 1 + 5 * (3 + 1) + 4 * 2 + 1 + END
    assert bench.acc(1, 1) == [5]
    assert bench.events(1)["instructions"] == 5
    assert bench.events(3) == {"instructions": 5, "im_read": 5, "cycles": 4 * 2 + 1}


def test_nested_loops() -> None:
    text = """
        setb register=1 value=3
        outer:
        setb register=2 value=4
        inner:
        vadd a0, a0, #1
        loop register=2 target=inner
        loop register=1 target=outer
        end
    """
    bench = Bench(text)
    bench.run()
    assert bench.acc(0, 1) == [12]


def test_jump() -> None:
    bench = Bench("jump target=over\nvadd a0, a0, #1\nover:\nend")
    assert bench.run() == START + 2 + END
    assert bench.acc(0, 1) == [0]


@pytest.mark.parametrize(
    ("name", "value", "shift", "taken"),
    [
        ("bez", 0, 0, True),
        ("bez", 3, 0, False),
        ("bez", 3, -2, True),
        ("bez", -1, -2, False),
        ("bnz", 0, 0, False),
        ("bnz", 3, 0, True),
        ("bnz", 3, -2, False),
        ("bnz", -1, -63, True),
    ],
)
def test_branches_on_an_element(name: str, value: int, shift: int, taken: bool) -> None:
    bench = Bench(f"{name} [6]:i16 shift_a={shift} target=over\nvadd a0, a0, #1\nover:\nend").write(6, 16, [value])
    assert bench.run() == START + (3 + 2 if taken else 3 + 3 + 1) + END
    assert bench.acc(0, 1) == [0 if taken else 1]
    assert bench.events()["dm_read"] == 1
    assert bench.banks() == ([1, 0, 0, 0, 0, 0, 0, 0], [0] * 8)


def test_branches_may_test_a_moving_element() -> None:
    text = "setb register=1 value=1\nagain:\naddb register=1 value=1\nbnz [b1+0]:i8 target=again\nend"
    bench = Bench(text).write(0, 8, [1, 1, 1, 1, 1, 0])
    bench.run()
    assert bench.core().core.bases[1] == 5


@pytest.mark.parametrize("line", ["setb value=1", "addb value=1", "movb source=1", "loop target=0", "ldb [0]:i8"])
def test_register_0_is_not_written(line: str) -> None:
    name = line.split(" ")[0]
    with pytest.raises(MachineFault) as caught:
        Bench(f"{line}\nend").run()
    sentence = f"core 0 pc 0: {name}: register must be 1 to 7, not 0: base register 0 is always zero."
    assert str(caught.value) == sentence


@pytest.mark.parametrize("line", ["ldb a1 register=1", "bez #0 target=0", "bnz a0 target=0"])
def test_elements_must_be_in_memory(line: str) -> None:
    with pytest.raises(MachineFault, match=r"^core 0 pc 0: \w+: a must be in memory, not .*\.$"):
        Bench(f"{line}\nend").run()


def test_a_loop_without_end_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spu_module, "RunBudget", partial(RunBudget, RunLimits(instructions=1000)))
    with pytest.raises(MachineFault, match=r"^core 0 pc 0: a frame must end within 1000 instructions\.$"):
        Bench("jump target=0").run()


def test_threads_that_wake_each_other_for_ever_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spu_module, "RunBudget", partial(RunBudget, RunLimits(instructions=1000)))
    text = "signal thread=0\nend\nping:\nsignal thread=1\nend\npong:\nsignal thread=0\nend"
    with pytest.raises(MachineFault, match=r"a frame must end within 1000 instructions\.$"):
        Bench(Source(text, threads=[(1, "ping"), (1, "pong")])).run()


def test_a_long_frame_that_ends_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spu_module, "RunBudget", partial(RunBudget, RunLimits(instructions=1000)))
    bench = Bench("setb register=1 value=499\nagain:\nloop register=1 target=again\nend")
    bench.run()
    bench.run()
    with pytest.raises(MachineFault):
        Bench("setb register=1 value=999\nagain:\nloop register=1 target=again\nend").run()
