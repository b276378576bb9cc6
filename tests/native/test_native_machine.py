"""The native loop against the NumPy machine, which is the definition."""

from __future__ import annotations

import copy
import pickle
import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from femtodriver import Femtodriver
from femtodriver.errors import MachineFault, UnsupportedError
from femtodriver.machine.machine import Machine
from femtodriver.machine.run_budget import RunLimits
from femtodriver.native import library
from femtodriver.native.choose_machine import make_machine
from femtodriver.native.flat_rows import check_complete
from femtodriver.native.native_machine import NativeMachine
from tests.machine import test_machine
from tests.machine.machine_bench import SMALL, Source
from tests.machine.machine_programs import random_source
from tests.machine.test_machine import *  # noqa: F403 - every test of the NumPy machine, on the native one
from tests.native.both_machines import FRAME, check_equal, one_core
from tests.native.hostile_programs import hostile_part, hostile_program

pytestmark = pytest.mark.skipif(isinstance(library.find_library(), str), reason=str(library.find_library()))
PARTS = (SMALL, replace(SMALL, dm_banks=4, dm_bank_words=128), replace(SMALL, dm_banks=2, dm_bank_words=256))


@pytest.fixture(autouse=True)
def _the_native_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of tests/machine/test_machine.py make this machine."""
    monkeypatch.setattr(test_machine, "Machine", NativeMachine)


@pytest.mark.slow
@given(random_source(), st.sampled_from(PARTS), st.booleans())
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_programs(made: Source, part: object, check_state: bool) -> None:
    check_equal(one_core(made, part), [FRAME] * 2, part, check_state=check_state)  # type: ignore[arg-type]


@pytest.mark.slow
@given(random_source(), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_mutated_programs(made: Source, data: st.DataObject) -> None:
    """Bits of the code are turned, so that most of what runs is a fault somewhere, or means something else."""
    program = one_core(made)
    words = program.mems_per_core[0]["IM"][0]
    for _ in range(data.draw(st.integers(1, 3))):
        place, bit = data.draw(st.integers(0, len(words) - 1)), data.draw(st.integers(0, 63))
        words[place] ^= np.uint64(1 << bit)
    check_equal(program, [FRAME] * 2, limits=RunLimits(instructions=300, elements=1 << 20, words=5000))


@pytest.mark.parametrize("seed", range(60))
def test_hostile_programs_of_several_cores(seed: int) -> None:
    rng = random.Random(seed)
    part = hostile_part(rng)
    limits = RunLimits(instructions=1000, elements=1 << 20, words=rng.choice((300, 20000)))
    check_equal(hostile_program(rng, part), [FRAME] * 2, part, limits, check_state=seed % 2 == 0)


@given(random_source())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_few_random_programs(made: Source) -> None:
    check_equal(one_core(made), [FRAME] * 2)


@pytest.mark.parametrize(
    ("text", "limits", "sentence"),
    [
        ("here:\njump target=here", RunLimits(instructions=100), "a frame must end within 100 instructions"),
        ("here:\nvpass a0, #1, #0 length=8\njump target=here", RunLimits(elements=5000), "within 5000 elements"),
        ("here:\nsignal thread=0\njump target=here", RunLimits(words=640), "must not send more than 640 words"),
        ("recv address=0 length=2\nend", None, "the message must have 2 payload words, not 1"),
        ("recv address=0 length=1\nrecv address=0 length=1\nend", None, "woken by a message that it has not taken"),
        ("signal core=1\nend", None, "the target core must be one with a program (0), not 1"),
        ("signal thread=1\nend", None, "the thread must be one of core 0's 1, not 1"),
        ("send address=0 length=1 core=3\nend", None, "the target core must be one with a program (0), not 3"),
        ("jump target=77\nend", None, "core 0 pc 77: there is no instruction here"),
        ("vpass [0x1000]:i8, #0, #0\nend", None, "must end at or before 0x1000"),
        ("setb register=1 value=4095\nvpass [b1+0]:i8, #0, #0 length=2\nend", None, "address 0xfff: 2 elements"),
        ("setb register=1 value=1\nvpass a0, [b1+0]:i16, #0\nend", None, "address 0x1: must be a multiple of 2"),
        ("setb register=1 value=1\nbez [b1+0]:i16 target=0\nend", None, "address 0x1: must be a multiple of 2"),
        ("setb register=1 value=8\nvpass [b1+0]:i8, [4]:i8, #0 length=8\nend", None, "must not overlap the rest"),
        ("out address=0 length=1 target=5\nend", None, "its mailbox must be one of an output, not 5"),
        ("mac [0]:i8 acc=0 columns=65 rows=8 mask=511 form=1\nend", None, "2 words must end inside data memory"),
    ],
)
def test_faults_have_the_same_sentence(text: str, limits: RunLimits | None, sentence: str) -> None:
    fault = check_equal(one_core(Source(f"first:\n{text}", threads=[(2, "first")])), [FRAME], limits=limits)
    assert fault is not None
    assert sentence in fault


@pytest.mark.parametrize("by", ["vpass [0x80]:i8, #3, #0 length=8", "vpass [b1+0x80]:i8, #3, #0 length=8"])
def test_weights_that_are_stored_to_are_decoded_again_and_reset_undoes_it(by: str) -> None:
    product = "mac [0]:i8 acc=1 columns=4 rows=8 weights=16 fresh=1"
    data = bytes([1, 2, 0, 4] + [0] * 124 + [1] * 64)
    check_equal(
        one_core(Source(f"{product}\n{by}\n{product}\nvpass [0x100]:i32, a1, #0 length=8\nend", data=data)), [FRAME] * 3
    )


@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("width", [0, 1, 2])
@pytest.mark.parametrize("value", [-1, 127, -128])
def test_products_at_the_limits(bits: int, width: int, value: int) -> None:
    """Sums of the largest factors: those of 32 bits must be added up before they wrap."""
    size = bits // 8
    x = b"".join(int(-(2 ** (bits - 1))).to_bytes(size, "little", signed=True) for _ in range(64))
    weights = bytes([value & 255] * 64 * 24 * 2)
    data = (x + bytes(512))[:512] + weights
    text = f"mac [0]:i{bits} acc=0 columns=64 rows=20 weights=64 width={width} fresh=1\nend"
    check_equal(one_core(Source(text, data=data[: 8 * SMALL.dm_words])), [FRAME])


def test_many_frames_at_once_are_the_frames_one_by_one() -> None:
    numbers = np.random.default_rng(0)
    inputs = {"a": numbers.integers(-30000, 30000, (700, 5)), "b": numbers.integers(-128, 128, (700, 3))}
    one, many = (NativeMachine(test_machine.program(), SMALL) for _ in range(2))
    found = many.run(inputs)
    wanted = [one.step({name: rows[frame] for name, rows in inputs.items()}) for frame in range(700)]
    assert all(found[name].tolist() == [frame[name].tolist() for frame in wanted] for name in found)
    assert many.report() == one.report()


@pytest.mark.parametrize("spread", ["", " spread_b=1"])
@pytest.mark.parametrize("shift", [1, 3])
def test_wide_numbers_in_memory_beside_narrow_accumulators(spread: str, shift: int) -> None:
    """Accumulators are looked at before their numbers are taken as narrow ones, numbers in memory are not."""
    text = f"""recv address=0 length=1
vpass a0, [0]:i16, #0 length=4
vadd a4, a0, [0]:i32 length=2 shift={shift} clip=1 bits=16{spread}
end"""
    wide = {"x": np.array([0, 0x4000, 7, 0x5FFF])}
    assert check_equal(one_core(Source(text)), [wide, FRAME]) is None


def test_frames_before_a_fault_are_reported() -> None:
    """The third frame reaches a weight of zero and takes a branch to nowhere."""
    text = "recv address=0 length=1\nbnz [0]:i16 target=6\nend\nend\nend\nend\nend"
    machine = NativeMachine(one_core(Source(text.replace("target=6", "target=99"))), SMALL)
    inputs = {"x": np.array([[0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])}
    with pytest.raises(MachineFault, match="core 0 pc 99: there is no instruction here"):
        machine.run(inputs)
    assert machine.report().frames == 2


class _CountingLoop:
    """The loop, and how often it was called."""

    def __init__(self, loop: object) -> None:
        self.loop = loop
        self.calls = 0

    def __getattr__(self, name: str) -> object:
        self.calls += name == "femto_run"
        return getattr(self.loop, name)


def test_a_call_ends_after_a_bounded_amount_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C must not wait for a whole batch of the longest frames."""
    text = "setb register=1 value=33000\nhere:\nvpass a0, #1, #0 length=8\nloop register=1 target=here\nend"
    machine = NativeMachine(one_core(Source(text)), SMALL)
    loop = _CountingLoop(machine.spu._loop)
    monkeypatch.setattr(machine.spu, "_loop", loop)
    machine.run({"x": np.tile(FRAME["x"], (3, 1))})
    assert loop.calls == 3
    assert machine.report().frames == 3


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_machine_is_not_copied(copied: Callable[[object], object]) -> None:
    """Two objects would free the same memory."""
    machine = NativeMachine(one_core(Source("end")), SMALL)
    with pytest.raises(UnsupportedError, match=r"cannot be copied or pickled; make another one of the same program\."):
        copied(machine)
    machine.step(FRAME)


def test_threads_take_turns_on_one_machine() -> None:
    machine = NativeMachine(test_machine.program(), SMALL)
    numbers = np.random.default_rng(0)
    inputs = {"a": numbers.integers(-30000, 30000, (600, 5)), "b": numbers.integers(-128, 128, (600, 3))}
    faults: list[MachineFault] = []

    def work() -> None:
        try:
            for _ in range(5):
                machine.run(inputs)
        except MachineFault as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert machine.report().frames == 4 * 5 * 600


def test_an_instruction_that_the_loop_does_not_know_is_found_on_import() -> None:
    with pytest.raises(
        NotImplementedError,
        match=r"vfoo has none\. Add it to native/flat_rows\.py, native/records\.hpp and native/chip\.hpp",
    ):
        check_complete(["vadd", "mac", "vfoo"])


def test_the_loop_is_chosen_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    program = one_core(Source("end"))
    assert type(make_machine(program, SMALL)) is NativeMachine
    assert type(make_machine(program, SMALL, native=False)) is Machine
    monkeypatch.setattr(library, "find_library", lambda: "the native loop was not built; build it.")
    with pytest.raises(UnsupportedError, match="native machine: the native loop was not built; build it"):
        make_machine(program, SMALL, native=True)
    monkeypatch.setattr("femtodriver.native.choose_machine.find_library", lambda: "the native loop was not built.")
    assert type(make_machine(program, SMALL)) is Machine


def test_a_loop_that_is_not_there_is_missed_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(library, "find_library", lambda: "the native loop was not built; build it.")
    driver = Femtodriver()
    told: list[str] = []
    driver.say = told.append
    with pytest.raises(UnsupportedError, match="the native loop was not built"):
        driver.run("LOOPBACK", runners="fqir,fasmir", machine="native")
    assert (told, list(tmp_path.iterdir())) == ([], [])


def test_a_loop_of_another_source_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    library.find_library.cache_clear()
    try:
        assert "was not built" in str(library.find_library())
        shutil.copy(Path(library.__file__).parent / library.BASELINE, tmp_path)
        (tmp_path / "loop.cpp").write_text("// other\n")
        library.find_library.cache_clear()
        assert "built from another version of its source" in str(library.find_library())
    finally:
        library.find_library.cache_clear()
