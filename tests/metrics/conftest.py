"""Small hand-made runs: reports and descriptions, as plain data."""

from __future__ import annotations

import pytest

from femtodriver.machine.run_report import CoreReport, FrameCycles, RunReport
from femtodriver.program.description import CompilerOrigin, CoreMemory, DescribedLayer, Description, ModelOrigin


@pytest.fixture
def tiny_report() -> RunReport:
    """Two frames on one core: one instruction that multiplies, one that stores."""
    multiply = {
        "cycles": 20,
        "instructions": 2,
        "im_read": 2,
        "dm_read": 40,
        "acc_read": 160,
        "acc_write": 160,
        "mac_8x8": 160,
        "matrix_dense": 400,
        "matrix_stored": 320,
        "matrix_executed": 160,
        "activation": 40,
        "activation_live": 20,
        "index_group": 20,
    }
    store = {"cycles": 4, "instructions": 2, "im_read": 2, "dm_write": 4, "acc_read": 16, "alu": 16, "saturated": 3}
    core = CoreReport(
        by_pc={4: multiply, 5: store},
        waiting={"message": 0, "dependency": 6, "idle": 0},
        bank_reads=(40, 0),
        bank_writes=(0, 4),
    )
    return RunReport(FrameCycles.of([15, 15]), FrameCycles.of([12, 14]), cores=(core,))


@pytest.fixture
def two_core_report() -> RunReport:
    """Three frames on two cores that exchange messages, with counts that do not divide by three."""
    receive = {"cycles": 4, "instructions": 1, "im_read": 1, "host_message": 3, "host_word": 9, "thread_switch": 3}
    matrix = {
        "cycles": 1000,
        "instructions": 3,
        "im_read": 3,
        "dm_read": 2000,
        "dm_write": 100,
        "acc_read": 8000,
        "acc_write": 8000,
        "mac_8x8": 7000,
        "mac_8x16": 500,
        "mac_16x16": 250,
        "matrix_dense": 16000,
        "matrix_stored": 10000,
        "matrix_executed": 7750,
        "activation": 640,
        "activation_live": 400,
        "index_group": 300,
    }
    send = {"cycles": 7, "instructions": 3, "im_read": 3, "message": 3, "message_word": 17}
    table = {"cycles": 400, "instructions": 6, "im_read": 6, "alu": 640, "tm_read": 128, "saturated": 2}
    first = CoreReport({0: receive, 4: matrix, 9: send}, {"message": 0, "idle": 589}, (1500, 500), (100, 0))
    second = CoreReport({0: table}, {"message": 1100, "dependency": 0, "idle": 100}, (0, 0), (0, 0))
    return RunReport(
        frame_cycles=FrameCycles.of([600, 500, 500]),
        latency_cycles=FrameCycles.of([580, 490, 495]),
        cores=(first, second),
        input_words=5,
        output_words=20,
    )


@pytest.fixture
def description() -> Description:
    """What the compiler says about the program of ``two_core_report``."""
    first = CoreMemory(
        weights=1000,
        indices=10,
        constants=64,
        activations=100,
        state=32,
        tables=512,
        instructions=80,
        dm_used_words_per_bank=(100, 51),
        tm_used_words=0,
        im_used_words=10,
    )
    return Description(
        schema=1,
        isa="open-spu/3",
        input_bits={},
        output_bits={},
        part="spu001",
        part_sha256="0" * 64,
        compiler=CompilerOrigin("0.1.0", {"fuse": True, "cores": 2}),
        model=ModelOrigin("tiny_gru", "ab" * 32),
        layers=(
            DescribedLayer("gru.0 addmm", "addmm", "%x.12", 0, 64),
            DescribedLayer("gru.0 sigmoid", "lut", "%x.13", 1, 64),
        ),
        source_map={0: ((4, 9, 0),), 1: ((0, 2, 1),)},
        memory={0: first, 1: CoreMemory(dm_used_words_per_bank=(3,), tm_used_words=256, im_used_words=4)},
    )
