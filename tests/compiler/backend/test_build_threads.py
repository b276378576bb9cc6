"""Threads of each core: what they wait for, what they send, and the order in which cores work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.backend.build_threads import build_threads
from femtodriver.compiler.backend.symbolic_program import CodeLine, Fasmir, Label, ThreadCode, fasmir_text
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.ir import Buffer, Fmir, Role, Send, Vec, View
from femtodriver.compiler.fmir.verify import verify
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.part import load_part
from tests.compiler.compiler_nets import ADD, Net, dense, recurrent
from tests.compiler.fmir_samples import SIZE, add, buffer, copy, machine_outputs, network, outputs

SPU, SPU4 = load_part(), load_part("spu001x4")


ZOO = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "zoo"


def lines(thread: ThreadCode) -> list[CodeLine]:
    return [line for line in thread.lines if isinstance(line, CodeLine)]


def threads(program: Fasmir) -> dict[str, ThreadCode]:
    found = {thread.name: thread for code in program.cores for thread in code.threads}
    assert len(found) == sum(len(code.threads) for code in program.cores), "names are unique"
    return found


@pytest.fixture(scope="module", params=[1, 2, 4])
def compiled(request: pytest.FixtureRequest) -> Compilation:
    return compile_network(recurrent(), SPU4, options=Options(cores=request.param))


def test_every_thread_waits_for_as_many_signals_as_are_sent_to_it(compiled: Compilation) -> None:
    sent: Counter[str] = Counter()
    for thread in threads(compiled.fasmir).values():
        sent.update(line.target for line in lines(thread) if line.instruction.spec.name == "signal" and line.target)
    waiting = {name: thread.count for name, thread in threads(compiled.fasmir).items() if thread.count is not None}
    assert waiting == {name: sent[name] for name in waiting}
    assert set(sent) == set(waiting)
    assert all(count > 0 for count in waiting.values())


def test_every_message_has_a_receiver_of_its_length(compiled: Compilation) -> None:
    found = threads(compiled.fasmir)
    woken = set(compiled.fasmir.entries.values())
    for thread in found.values():
        for line in lines(thread):
            if line.instruction.spec.name == "send":
                receiver = found[line.target or ""]
                woken.add(receiver.name)
                first = lines(receiver)[0].instruction
                assert first.spec.name == "recv"
                assert vars(first)["length"] == vars(line.instruction)["length"]
                assert vars(first)["address"] % 8 == 0
    assert woken == {name for name, thread in found.items() if thread.count is None}


def test_every_thread_ends_once(compiled: Compilation) -> None:
    for thread in threads(compiled.fasmir).values():
        names = [line.instruction.spec.name for line in lines(thread)]
        assert names.count("end") == 1
        assert names[-1] == "end"


def test_outputs_leave_from_the_last_thread_of_core_0(compiled: Compilation) -> None:
    last = compiled.fasmir.cores[0].threads[-1]
    sent = [line for line in lines(last) if line.instruction.spec.name == "out"]
    assert [vars(line.instruction)["target"] for line in sent] == [0, 1]
    everywhere = [
        line for t in threads(compiled.fasmir).values() for line in lines(t) if line.instruction.spec.name == "out"
    ]
    assert everywhere == sent


def test_branches_lead_to_labels_of_their_own_thread() -> None:
    compiled = compile_network(load_or_skip("strided_n4_k3"), SPU)
    for thread in threads(compiled.fasmir).values():
        labels = {line.name for line in thread.lines if isinstance(line, Label)}
        branches = [line for line in lines(thread) if line.instruction.spec.name in ("loop", "bez", "bnz", "jump")]
        assert all(line.target in labels for line in branches)


def load_or_skip(name: str) -> Network:
    if not ZOO.is_dir():
        pytest.skip("the corpus is not here")
    return load_network(ZOO / name / "graph.pt")


def test_text_of_a_program(golden: Callable[[str, str], None]) -> None:
    net = Net("small")
    x, state = net.input("x", 8), net.state("s", np.arange(8))
    net.assign(state, net.op("vvadd", {"x": dense(net, x, 8), "y": state}, 8, **ADD))
    net.output(state)
    program = compile_network(net.network(), SPU).fasmir
    golden("program.txt", fasmir_text(program))


# ---- placed by hand: who waits for whom ------------------------------------------------------------------------------


def on(core: int, op: Vec) -> Vec:
    """The operation on this core."""
    return replace(op, core=core)


def mail(name: str, core: int) -> Buffer:
    """A buffer that a message fills."""
    return replace(buffer(name, core=core), role=Role.MAIL)


def message(dst: str, src: str, core: int) -> Send:
    """All of a buffer of this core to another one."""
    return Send(View(dst, 0, SIZE), View(src, 0, SIZE), core=core)


IN, OUT = buffer("in0"), buffer("out0")
STATE = buffer("state0", core=1, init=np.arange(SIZE) * 50 - 300)

PLACED: dict[str, Fmir] = {
    # Core 1 starts at once; core 0 must not wait for it before it has started it.
    "the first operation of core 0 reads what core 1 sends": network(
        [IN, OUT, STATE, mail("m0", 0)],
        [message("m0", "state0", 1), add("out0", "in0", "m0"), on(1, add("state0", "state0", 7))],
    ),
    "core 1 waits for core 0, and core 0 for core 1": network(
        [IN, OUT, STATE, mail("m0", 0), mail("m1", 1)],
        [
            message("m1", "in0", 0),
            on(1, add("state0", "state0", "m1")),
            message("m0", "state0", 1),
            add("out0", "m0", 3),
        ],
    ),
    "both begin with what the other one sends later": network(
        [IN, OUT, STATE, mail("m0", 0), mail("m1", 1), buffer("t0", core=1), buffer("state1")],
        [
            message("m0", "state0", 1),
            message("m1", "state1", 0),
            on(1, add("t0", "m1", 1)),
            add("state1", "m0", "in0"),
            on(1, add("state0", "t0", "state0")),
            copy("out0", "state1"),
        ],
    ),
    "an output comes by message and nothing else reads it": network(
        [IN, OUT, buffer("out1"), STATE, mail("m1", 1), buffer("t0", core=1)],
        [
            message("m1", "in0", 0),
            *(on(1, add("t0", "m1", "state0")) for _ in range(20)),
            message("out0", "t0", 1),
            add("out1", "in0", 1),
            on(1, copy("state0", "t0")),
        ],
    ),
    "three messages are awaited at different places": network(
        [
            IN,
            OUT,
            STATE,
            *(mail(f"m{k}", 0) for k in range(3)),
            *(replace(STATE, name=f"state{k + 2}", core=k + 1) for k in range(2)),
            buffer("t0"),
            buffer("t1"),
        ],
        [
            message("m0", "state0", 1),
            message("m1", "state2", 1),
            message("m2", "state3", 2),
            add("t0", "in0", "m1"),
            add("t1", "m0", "t0"),
            add("t1", "t1", "m2"),
            copy("out0", "t1"),
            on(1, add("state0", "state2", 5)),
            on(1, add("state2", "state0", 5)),
            on(2, add("state3", "state3", 9)),
        ],
    ),
}


@pytest.mark.parametrize("name", PLACED)
def test_cores_wait_for_each_other_and_never_for_ever(name: str) -> None:
    fmir = PLACED[name]
    verify(fmir)
    assert machine_outputs(fmir, part=SPU4) == outputs(fmir)


@pytest.mark.parametrize(
    ("elements", "bits", "words"), [(4, 16, 1), (5, 16, 2), (1, 16, 1), (8, 8, 1), (9, 8, 2), (3, 32, 2)]
)
def test_a_message_has_as_many_words_as_its_elements_begin(elements: int, bits: int, words: int) -> None:
    fmir = network(
        [IN, OUT, buffer("state0", SIZE, bits, 1), replace(mail("m0", 0), bits=bits)],
        [
            Send(View("m0", 0, elements), View("state0", 0, elements), core=1),
            copy("out0", "in0"),
        ],
    )
    sent = [
        vars(line.instruction)["length"]
        for thread in threads(program(fmir)).values()
        for line in lines(thread)
        if line.instruction.spec.name in ("send", "recv") and "input" not in thread.name
    ]
    assert sent == [words, words]


def test_a_core_that_has_something_to_do_is_started_and_one_that_waits_is_not() -> None:
    told = {name: threads(program(fmir)) for name, fmir in PLACED.items()}
    busy = told["the first operation of core 0 reads what core 1 sends"]
    assert [line.target for line in lines(busy["core0.0"]) if line.instruction.spec.name == "signal"] == [
        "core1.0",
        "core0.1",
    ]
    assert busy["core0.0"].count == busy["core1.0"].count == 1
    waiting = told["core 1 waits for core 0, and core 0 for core 1"]
    assert [line.target for line in lines(waiting["core0.0"]) if line.instruction.spec.name == "signal"] == ["core0.1"]


def test_code_is_cut_only_where_something_must_be_awaited() -> None:
    told = threads(program(PLACED["three messages are awaited at different places"]))
    counts = {name: thread.count for name, thread in told.items() if thread.count is not None}
    # The input; m1 and the thread before; m0 and the thread before; m2 and the thread before; both cores and it.
    assert counts == {
        "core0.0": 1,
        "core0.1": 2,
        "core0.2": 2,
        "core0.3": 2,
        "core0.4": 3,
        "core1.0": 1,
        "core2.0": 1,
    }


def program(fmir: Fmir) -> Fasmir:
    return build_threads(fmir, allocate(fmir, SPU4))
