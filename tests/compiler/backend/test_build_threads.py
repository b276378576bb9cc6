"""From mapped operations to images: threads, dependency counts, resolved names, and the source map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from femtodriver.compiler.backend.symbolic_program import CodeLine, Fasmir, Label, ThreadCode, fasmir_text
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.isa import ISA, Instruction
from femtodriver.machine.machine import Machine
from femtodriver.part import load_part
from femtodriver.program.metadata import program_info
from tests.compiler.compiler_nets import ADD, Net, agree, dense, recurrent

SPU, SPU4 = load_part(), load_part("spu001x4")
ZOO = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "zoo"
SOME = ["gru_kws_S_double_p0", "lstm_vad_L_double_p0", "loop_bandgru", "strided_n4_k3", "conv2d_kws_S_double"]


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


def test_images_decode_to_the_program(compiled: Compilation) -> None:
    for code in compiled.fasmir.cores:
        words = [int(word) for word in compiled.data.mems_per_core[code.core]["IM"][0]]
        decoded: list[Instruction] = []
        starts: dict[int, int] = {}
        pc = 0
        while pc < len(words):
            instruction = ISA.decode(tuple(words[pc : pc + ISA.words_of(words[pc])]))
            starts[pc] = len(decoded)
            decoded.append(instruction)
            pc += instruction.words
        wanted = [line for thread in code.threads for line in lines(thread)]
        assert [i.spec.name for i in decoded] == [line.instruction.spec.name for line in wanted]
        entries = [int(word) for word in compiled.data.mems_per_core[code.core]["PB"][0]]
        assert set(entries) <= set(starts)


def test_scoreboard_and_program_buffer_have_an_entry_for_each_waiting_thread(compiled: Compilation) -> None:
    for code in compiled.fasmir.cores:
        waiting = [thread for thread in code.threads if thread.count is not None]
        memory = compiled.data.mems_per_core[code.core]
        assert memory["SB"][0].tolist() == [thread.count for thread in waiting]
        assert len(memory["PB"][0]) == len(waiting)
        assert len(memory["RQ"][0]) == 0


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


# ---- source map ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("cores", [1, 2])
def test_every_instruction_of_a_layer_is_in_the_source_map(corpus: Path, name: str, cores: int) -> None:
    part = SPU if name != "lstm_vad_L_double_p0" else SPU4
    options = Options(cores=2 if name == "lstm_vad_L_double_p0" else cores)
    compiled = compile_network(load_network(corpus / "zoo" / name / "graph.pt"), part, options=options)
    told = compiled.data.metadata["femtodriver"]
    for code in compiled.fasmir.cores:
        owner: dict[int, int] = {}
        for first, end, layer in told["source_map"][code.core]:
            assert first < end
            owner.update(dict.fromkeys(range(first, end), layer))
        pc = 0
        for line in (line for thread in code.threads for line in lines(thread)):
            words = range(pc, pc + line.instruction.words)
            assert {owner.get(word) for word in words} == {line.layer}
            pc = words.stop
        assert pc == len(compiled.data.mems_per_core[code.core]["IM"][0])
    assert len(told["layers"]) == len(compiled.fasmir.layers)


def test_layers_name_nodes_of_the_network() -> None:
    net = Net()
    x = net.input("x", 8)
    net.output(net.op("vvadd", {"x": dense(net, x, 16), "y": net.param(np.arange(16))}, 16, **ADD))
    compiled = agree(net.network())
    names = [layer["name"] for layer in compiled.data.metadata["femtodriver"]["layers"]]
    assert names == ["0 matmul net.v2", "1 vvadd net.v4", "(frame end)"]


def test_cycles_of_all_layers_add_up_to_the_total() -> None:
    compiled = compile_network(recurrent(), SPU, options=Options(cores=2))
    machine = Machine(compiled.data, SPU)
    machine.step({"x": np.arange(64)})
    told = compiled.data.metadata["femtodriver"]
    for core, report in zip(sorted(compiled.data.mems_per_core), machine.report().cores, strict=True):
        owner = {pc: layer for first, end, layer in told["source_map"][core] for pc in range(first, end)}
        mapped = sum(events["cycles"] for pc, events in report.by_pc.items() if pc in owner)
        rest = sum(events["cycles"] for pc, events in report.by_pc.items() if pc not in owner)
        assert mapped + rest == report.total("cycles")
        assert mapped > 0.5 * report.total("cycles")


# ---- metadata and text ---------------------------------------------------------------------------------------------


def test_metadata_is_that_of_a_program(compiled: Compilation) -> None:
    info = program_info(compiled.data.metadata)
    assert [record.name for record in info.inputs] == ["x"]
    assert [record.usable for record in info.inputs] == [64]
    assert [record.mailbox_id for record in info.outputs] == [0, 1]
    assert info.inst_counts == {core: len(m["IM"][0]) for core, m in compiled.data.mems_per_core.items()}


def test_padding_fills_words() -> None:
    net = Net()
    x, y = net.input("x", 5), net.input("y", 9, bits=8)
    net.output(net.op("relu", {"x": x}, 5), net.op("relu", {"x": y}, 9, bits=8))
    metadata = agree(net.network()).data.metadata
    assert metadata["fqir_input_padding"] == {"x": {"fqir": 5, "fasmir": 8}, "y": {"fqir": 9, "fasmir": 16}}
    assert {name: record["precision"] for name, record in metadata["inputs"].items()} == {"x": "DBL", "y": "STD"}


def test_text_of_a_program(golden: Callable[[str, str], None]) -> None:
    net = Net("small")
    x, state = net.input("x", 8), net.state("s", np.arange(8))
    net.assign(state, net.op("vvadd", {"x": dense(net, x, 8), "y": state}, 8, **ADD))
    net.output(state)
    program = compile_network(net.network(), SPU).fasmir
    golden("program.txt", fasmir_text(program))
