"""Messages, threads, base registers and branches, prepared for execution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from femtodriver import fixed
from femtodriver.errors import MachineFault
from femtodriver.isa import ControlInstruction, ElementInstruction, TransferInstruction, cycles
from femtodriver.machine.core import Core, Message, Signal, Step
from femtodriver.machine.operand_streams import OperandStream


class TransferStep(Step):
    """A ``TransferInstruction``."""

    def __init__(self, core: Core, pc: int, instruction: TransferInstruction) -> None:
        super().__init__(pc, instruction)
        self.transfer = instruction
        self.words = core.memory.word_slice(instruction.address, instruction.length)
        banks = core.memory.bank_accesses(self.words.start, self.words.stop)
        self.taken = cycles.transfer(instruction.length)
        self.fixed["cycles"] = self.taken
        if instruction.spec.name == "recv":
            self.bank_writes = banks
            self.fixed["dm_write"] = instruction.length
        else:
            self.bank_reads = banks
            self.fixed["dm_read"] = instruction.length
        self.reported = core.memory.overlaps_watched(8 * self.words.start, 8 * self.words.stop)
        self.action: Callable[[Core], None] = getattr(self, f"_{instruction.spec.name}")

    def run(self, core: Core) -> int:
        self.executions += 1
        self.action(core)
        return self.taken

    def _recv(self, core: Core) -> None:
        message = core.message
        if message is None:
            raise MachineFault("recv: the thread must have been woken by a message that it has not taken yet.")
        if len(message.payload) != self.transfer.length:
            raise MachineFault(
                f"recv: the message must have {self.transfer.length} payload words, not {len(message.payload)}."
            )
        core.memory.words[self.words] = message.payload
        core.message = None
        if self.reported:
            core.memory.written(8 * self.words.start, 8 * self.words.stop)
        if message.from_host:
            self.add("host_message", 1)
            self.add("host_word", 1 + len(message.payload))

    def _send(self, core: Core) -> None:
        payload = core.memory.words[self.words].copy()
        arrival = core.time + self.taken + core.part.message_latency
        core.sent.append(Message(arrival, self.transfer.core, self.transfer.target, payload))
        self.add("message", 1)
        self.add("message_word", 1 + len(payload))

    def _out(self, core: Core) -> None:
        payload = core.memory.words[self.words].copy()
        core.outputs.append(Message(core.time + self.taken, core.index, self.transfer.target, payload))
        self.add("host_message", 1)
        self.add("host_word", 1 + len(payload))


class ControlStep(Step):
    """A ``ControlInstruction``."""

    def __init__(self, core: Core, pc: int, instruction: ControlInstruction) -> None:
        super().__init__(pc, instruction)
        self.control = instruction
        if instruction.spec.name in ("setb", "addb", "movb", "loop"):
            _check_register(instruction.spec.name, instruction.register)
        self.action: Callable[[Core], int] = getattr(self, f"_{instruction.spec.name}")

    def run(self, core: Core) -> int:
        self.executions += 1
        taken = self.action(core)
        self.add("cycles", taken)
        return taken

    def _signal(self, core: Core) -> int:
        to = self.control
        if to.core == core.index:
            arrival = core.time + cycles.CONTROL
        else:
            arrival = core.time + cycles.CONTROL + core.part.message_latency
            self.add("message", 1)
            self.add("message_word", 1)
        core.sent.append(Signal(arrival, to.core, to.thread))
        return cycles.control(False)

    def _end(self, core: Core) -> int:
        core.running = False
        return cycles.control(False)

    def _setb(self, core: Core) -> int:
        core.set_base(self.control.register, self.control.value)
        return cycles.control(False)

    def _addb(self, core: Core) -> int:
        core.set_base(self.control.register, core.bases[self.control.register] + self.control.value)
        return cycles.control(False)

    def _movb(self, core: Core) -> int:
        core.set_base(self.control.register, core.bases[self.control.source] + self.control.value)
        return cycles.control(False)

    def _loop(self, core: Core) -> int:
        core.set_base(self.control.register, core.bases[self.control.register] - 1)
        return self._branch(core) if core.bases[self.control.register] else cycles.control(False)

    def _jump(self, core: Core) -> int:
        return self._branch(core)

    def _branch(self, core: Core) -> int:
        core.pc = self.control.target
        return cycles.control(True)


class ElementStep(Step):
    """An ``ElementInstruction``."""

    def __init__(self, core: Core, pc: int, instruction: ElementInstruction) -> None:
        super().__init__(pc, instruction)
        self.element = instruction
        if not instruction.a.in_memory:
            raise MachineFault(f"{instruction.spec.name}: a must be in memory, not {instruction.a.text()}.")
        if instruction.spec.name == "ldb":
            _check_register("ldb", instruction.register)
        self.stream = OperandStream(core, instruction.a, 1)
        self.read = self.stream.reader()

    def run(self, core: Core) -> int:
        self.executions += 1
        value = int(fixed.shift(self.read(), self.element.shift_a)[0])
        banks = self.stream.banks()
        self.extra_bank_reads = self.extra_bank_reads + banks
        self.add("dm_read", int(np.sum(banks)))
        branches = False
        if self.element.spec.name == "ldb":
            core.set_base(self.element.register, value)
        elif (value == 0) == (self.element.spec.name == "bez"):
            core.pc = self.element.target
            branches = True
        taken = cycles.element(branches)
        self.add("cycles", taken)
        return taken


def _check_register(name: str, register: int) -> None:
    if register == 0:
        raise MachineFault(f"{name}: register must be 1 to 7, not 0: base register 0 is always zero.")
