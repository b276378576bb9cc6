"""Executes messages, threads, base registers and branches: a class for each instruction."""

from __future__ import annotations

from femtodriver import fixed
from femtodriver.arrays import Words
from femtodriver.errors import MachineFault
from femtodriver.isa import cycles
from femtodriver.machine.core import Core, Message, Signal
from femtodriver.machine.data_layout import WORD_BYTES
from femtodriver.machine.executor import InstructionExecutor
from femtodriver.machine.operand_streams import OperandStream
from femtodriver.machine.rows import ControlRow, ElementRow, TransferRow


class TransferExecutor(InstructionExecutor):
    """Executes a ``TransferRow``; the classes below say which way the words go."""

    def __init__(self, core: Core, row: TransferRow) -> None:
        super().__init__(row, core.memory.layout)
        self.row = row
        self.words = slice(row.first_word, row.first_word + row.length)

    def run(self, core: Core) -> int:
        self.executions += 1
        self.move(core)
        return self.row.fixed_cycles

    def move(self, core: Core) -> None:
        """Take or send the words."""
        raise NotImplementedError

    def payload(self, core: Core) -> Words:
        """A copy of the words."""
        payload: Words = core.memory.words[self.words].copy()
        return payload


class ReceiveMessage(TransferExecutor):
    """Executes ``recv``."""

    def __init__(self, core: Core, row: TransferRow) -> None:
        super().__init__(core, row)
        self.bytes = (WORD_BYTES * self.words.start, WORD_BYTES * self.words.stop)
        self.reported = core.memory.overlaps_watched(*self.bytes)

    def move(self, core: Core) -> None:
        message = core.message
        if message is None:
            raise MachineFault("recv: the thread must have been woken by a message that it has not taken yet.")
        if len(message.payload) != self.row.length:
            raise MachineFault(
                f"recv: the message must have {self.row.length} payload words, not {len(message.payload)}."
            )
        core.memory.words[self.words] = message.payload
        core.message = None
        core.taken_at = core.time + self.row.fixed_cycles
        if self.reported:
            core.memory.written(*self.bytes)
        if message.from_host:
            self.add("host_message", 1)
            self.add("host_word", message.words)


class SendMessage(TransferExecutor):
    """Executes ``send``."""

    def move(self, core: Core) -> None:
        arrival = core.time + self.row.fixed_cycles + core.part.message_latency
        message = Message(arrival, self.row.core, self.row.target, self.payload(core), sent=core.time)
        core.sent.append(message)
        self.add("message", 1)
        self.add("message_word", message.words)


class SendToHost(TransferExecutor):
    """Executes ``out``."""

    def move(self, core: Core) -> None:
        message = Message(core.time + self.row.fixed_cycles, core.index, self.row.target, self.payload(core))
        core.outputs.append(message)
        self.add("host_message", 1)
        self.add("host_word", message.words)


class ControlExecutor(InstructionExecutor):
    """Executes a ``ControlRow``; the classes below say what happens."""

    def __init__(self, core: Core, row: ControlRow) -> None:
        super().__init__(row, core.memory.layout)
        self.row = row

    def run(self, core: Core) -> int:
        self.executions += 1
        taken = cycles.control(self.act(core))
        self.add("cycles", taken)
        return taken

    def act(self, core: Core) -> bool:
        """Do what the instruction says; whether it branches."""
        raise NotImplementedError


class SendSignal(ControlExecutor):
    """Executes ``signal``."""

    def act(self, core: Core) -> bool:
        arrival = core.time + cycles.CONTROL
        if self.row.core != core.index:
            arrival += core.part.message_latency
            self.add("message", 1)
            self.add("message_word", 1)
        core.sent.append(Signal(arrival, self.row.core, self.row.thread))
        return False


class EndThread(ControlExecutor):
    """Executes ``end``."""

    def act(self, core: Core) -> bool:
        core.running = False
        return False


class SetRegister(ControlExecutor):
    """Executes ``setb``."""

    def act(self, core: Core) -> bool:
        core.set_base(self.row.register, self.row.value)
        return False


class AddToRegister(ControlExecutor):
    """Executes ``addb``."""

    def act(self, core: Core) -> bool:
        core.set_base(self.row.register, core.bases[self.row.register] + self.row.value)
        return False


class CopyRegister(ControlExecutor):
    """Executes ``movb``."""

    def act(self, core: Core) -> bool:
        core.set_base(self.row.register, core.bases[self.row.source] + self.row.value)
        return False


class RepeatLoop(ControlExecutor):
    """Executes ``loop``."""

    def act(self, core: Core) -> bool:
        core.set_base(self.row.register, core.bases[self.row.register] - 1)
        if not core.bases[self.row.register]:
            return False
        core.pc = self.row.target
        return True


class Jump(ControlExecutor):
    """Executes ``jump``."""

    def act(self, core: Core) -> bool:
        core.pc = self.row.target
        return True


class ElementExecutor(InstructionExecutor):
    """Executes an ``ElementRow``; the classes below say what happens to the element."""

    def __init__(self, core: Core, row: ElementRow) -> None:
        super().__init__(row, core.memory.layout)
        self.row = row
        self.stream = OperandStream(core, row.a)
        self.read = self.stream.reader()

    def run(self, core: Core) -> int:
        self.executions += 1
        value = int(fixed.shift(self.read(), self.row.shift_a)[0])
        if self.row.a.moving:
            self.extra_bank_reads = self.extra_bank_reads + self.stream.banks()
            self.add("dm_read", 1)
        taken = cycles.element(self.use(core, value))
        self.add("cycles", taken)
        return taken

    def use(self, core: Core, value: int) -> bool:
        """Do what the instruction says with the element; whether it branches."""
        raise NotImplementedError


class LoadRegister(ElementExecutor):
    """Executes ``ldb``."""

    def use(self, core: Core, value: int) -> bool:
        core.set_base(self.row.register, value)
        return False


class BranchIfZero(ElementExecutor):
    """Executes ``bez``."""

    def use(self, core: Core, value: int) -> bool:
        if value:
            return False
        core.pc = self.row.target
        return True


class BranchIfNotZero(ElementExecutor):
    """Executes ``bnz``."""

    def use(self, core: Core, value: int) -> bool:
        if not value:
            return False
        core.pc = self.row.target
        return True
