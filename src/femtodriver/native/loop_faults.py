"""Why the loop has stopped, told in the words of the NumPy machine: by breaking the rule once more there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from femtodriver.errors import MachineFault
from femtodriver.machine.core import Message
from femtodriver.machine.operand_checks import check_order
from femtodriver.machine.router import Router
from femtodriver.machine.rows import StreamRow
from femtodriver.machine.run_budget import RunBudget
from femtodriver.machine.spu import Processor, Spu
from femtodriver.native.status import Status


def raise_fault(spu: Spu, budget: RunBudget, status: Status, info: Sequence[int]) -> None:
    """MachineFault for what has stopped the loop. ``info``: core, PC, and what the status is about."""
    core, pc, *numbers = info
    if status is Status.NO_CORE:
        spu.check_target(core)
    elif status is Status.NO_THREAD:
        spu.processors[core].lower(numbers[0], (0, 0, 0))
    elif status is Status.ROUTER:
        raise Router(spu.part.router_words).overflow(core, numbers[0])
    else:
        with at_instruction(core, pc):
            _break_rule(spu.processors[core], budget, status, pc, numbers)
    raise RuntimeError(f"native loop: status {status.name} must be a fault on the NumPy machine, too.")


@contextmanager
def at_instruction(core: int, pc: int) -> Iterator[None]:
    """A MachineFault of the body says where it happened."""
    try:
        yield
    except MachineFault as fault:
        raise MachineFault(f"core {core} pc {pc}: {fault}") from None


def _break_rule(processor: Processor, budget: RunBudget, status: Status, pc: int, numbers: Sequence[int]) -> None:
    core, executor, limits = processor.core, processor.executors[pc], budget.limits
    row = executor.decoded
    if status is Status.INSTRUCTIONS:
        budget.instructions = limits.instructions
        RunBudget.next_slice(budget)
    elif status is Status.ELEMENTS:
        budget.spend(0, limits.elements + 1, 0, 0)
    elif status is Status.WORDS:
        budget.spend(0, 0, 0, limits.words + 1)
    elif status is Status.ADDRESS:
        address, length, bits = numbers[:3]
        core.memory.layout.elements(address, length, bits)
    elif status is Status.ORDER and isinstance(row, StreamRow):
        side, to, of = numbers[:3]
        check_order(row.dst, to, row.sources[side], of, core.part.lanes)
    else:
        length = numbers[1]
        core.message = Message(0, 0, 0, np.zeros(length, np.uint64)) if status is Status.MESSAGE_LENGTH else None
        executor.run(core)
