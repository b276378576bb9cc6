"""Every instruction has an executor, or the machine cannot be imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from femtodriver.isa import ISA, Spec
from femtodriver.machine.core import Core
from femtodriver.machine.executors import EXECUTORS, check_complete, make_executor
from femtodriver.machine.rows import DecodedRow
from femtodriver.machine.spu import Processor
from tests.machine.machine_bench import SMALL

SPECS = [spec for _, specs in ISA.table for spec in specs]


def test_the_table_is_complete() -> None:
    check_complete(SPECS, EXECUTORS)
    assert len(EXECUTORS) == len(SPECS)


def test_an_instruction_without_an_executor_is_named() -> None:
    with pytest.raises(NotImplementedError, match=r"^machine: every instruction must have .*, but halt, wait has none"):
        check_complete([*SPECS, Spec("wait", 44, "wait"), Spec("halt", 43, "stop")], EXECUTORS)


def test_an_executor_without_an_instruction_is_named() -> None:
    with pytest.raises(NotImplementedError, match="every executor must be that of an instruction, but jump is none"):
        check_complete([spec for spec in SPECS if spec.name != "jump"], EXECUTORS)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["VectorInstruction", "ControlInstruction"])
def test_the_machine_is_not_imported_with_an_instruction_that_nobody_executes(family: str) -> None:
    code = f"""
from femtodriver.isa import ISA, Spec, {family}
ISA.table = (*ISA.table, ({family}, (Spec("halt", 43, "stop"),)))
import femtodriver.machine.machine
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "NotImplementedError: machine: every instruction must have an executor, but halt has none. "
        "Add it to EXECUTORS in machine/executors.py, or give a vector instruction its meaning."
    )


def test_only_rows_of_instructions_and_faults_can_be_executed() -> None:
    core: Core = Processor(0, {}, SMALL, 0).core
    with pytest.raises(TypeError, match="must be that of an instruction or of a fault, not DecodedRow"):
        make_executor(core, DecodedRow(0, 1))
