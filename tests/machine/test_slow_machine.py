"""The machine against the slow one: random programs give equal memories, registers, counts and cycles."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from femtodriver.errors import MachineFault
from femtodriver.isa import ISA, SPECS
from tests.machine.machine_bench import END, SMALL, START, Bench, Source, assemble
from tests.machine.machine_programs import random_source, table_banks
from tests.machine.slow_machine import MEANING, Fault, Slow


def run_slow(made: Source, slow: Slow) -> int | None:
    """Run from PC 0 to ``end``; the PC of a fault."""
    words, _ = assemble(made.text)
    pc = 0
    while True:
        instruction = ISA.decode(tuple(words[pc : pc + 2]))
        if instruction.spec.name == "end":
            return None
        try:
            target = slow.step(instruction)
        except Fault:
            return pc
        pc = pc + instruction.words if target is None else target


def run_fast(bench: Bench) -> tuple[int | None, int]:
    """Elapsed cycles, and the PC of a fault."""
    try:
        return None, bench.run()
    except MachineFault as fault:
        return int(re.findall(r"^core 0 pc (\d+): ", str(fault))[0]), 0


def test_the_slow_machine_knows_every_vector_instruction() -> None:
    names = {spec.name for spec in SPECS.values() if spec.meaning is not None}
    assert names == set(MEANING), "write its meaning into MEANING of tests/machine/slow_machine.py, from docs/isa.md"


@pytest.mark.slow
@given(random_source())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_machine_and_the_slow_one_agree(made: Source) -> None:
    bench = Bench(made)
    slow = Slow(made.data, table_banks(made), SMALL.dm_bank_words, SMALL.acc_rows)
    wrong = run_slow(made, slow)
    fault, elapsed = run_fast(bench)
    assert fault == wrong
    if fault is not None:
        return
    core = bench.core().core
    assert core.memory.words.tobytes() == bytes(slow.data)
    assert core.acc.tolist() == slow.acc
    assert core.bases == slow.bases
    assert elapsed == START + slow.count["cycles"] + END
    counts: Counter[str] = Counter()
    reads = writes = np.zeros(8, np.int64)
    for executor in bench.core().executors.values():
        counts.update(executor.events())
        bank_reads, bank_writes = executor.bank_traffic()
        reads, writes = reads + bank_reads, writes + bank_writes
    assert (reads.tolist(), writes.tolist()) == (slow.reads, slow.writes)
    slow.count.update({"thread_switch": 1, "cycles": START + END, "instructions": 1, "im_read": 1})
    assert counts == +slow.count
