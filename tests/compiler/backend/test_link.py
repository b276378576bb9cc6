"""Programs: images that decode to the code, metadata, and which instruction is whose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver.compiler.backend.symbolic_program import CodeLine, ThreadCode
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.fqir.files.load_network import load_network
from femtodriver.isa import ISA, Instruction
from femtodriver.machine.machine import Machine
from femtodriver.part import load_part
from femtodriver.program.metadata import program_info
from tests.compiler.compiler_nets import ADD, Net, agree, dense, recurrent

SPU, SPU4 = load_part(), load_part("spu001x4")


SOME = ["gru_kws_S_double_p0", "lstm_vad_L_double_p0", "loop_bandgru", "strided_n4_k3", "conv2d_kws_S_double"]


def lines(thread: ThreadCode) -> list[CodeLine]:
    return [line for line in thread.lines if isinstance(line, CodeLine)]


@pytest.fixture(scope="module", params=[1, 2, 4])
def compiled(request: pytest.FixtureRequest) -> Compilation:
    return compile_network(recurrent(), SPU4, options=Options(cores=request.param))


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
