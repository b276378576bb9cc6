"""The virtual board: registers, memories and messages in front of the machine.

What a client does against the rules never raises: it has the effect that it would have on a board (none, zeros, no
output) and is noted in ``violations``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from femtodriver.arrays import BusWords
from femtodriver.device.chip_versions import CHIP_1_3, ChipVersion
from femtodriver.device.virtual.bus_memories import BoardBank, Memories
from femtodriver.device.virtual.output_queue import Outbox
from femtodriver.device.virtual.program_engine import Decipher, Engine, collect, start
from femtodriver.device.virtual.rule_violations import Violations
from femtodriver.errors import FemtoError, MachineFault, ProgramError
from femtodriver.native.choose_machine import takes_loop
from femtodriver.part import Part
from femtodriver.program.memory_map import SYSTEM_REGISTERS, TOP_REGISTERS, head_tail_register
from femtodriver.program.metadata import NOT_ENCRYPTED

_VERSION, _RST = SYSTEM_REGISTERS["VERSION"], SYSTEM_REGISTERS["RST"]
_KEY = SYSTEM_REGISTERS["SPI_ENCRYPTION_KEY_IDX"]
_SALTS = tuple(SYSTEM_REGISTERS[f"SPI_ENCRYPTION_SALT_{part}"] for part in range(4))
_TOP_NAMES = {address: name for name, address in TOP_REGISTERS.items()}
_UNUSED_STATUS = 0x20
_PLL_RESET, _PLL_POWER_DOWN, _CLOCK_GATE = 0x01, 0x20, 0x40
_HOLD_CORES = 0x800
_CORE_GATES = (0x4, 0x2)


class VirtualBoard:
    """A board with one part. ``outbox``: what waits for the host.

    ``decipher``: turns encrypted programs into plain ones; None: words are taken as they are. ``tell``: gets a line
    for what is worth telling. ``violations``: what clients did against the rules. ``native``: what runs programs, see
    ``make_spu``; UnsupportedError if the loop is insisted on and not there. ``chip``: whose registers it has.
    """

    def __init__(
        self,
        part: Part,
        decipher: Decipher | None = None,
        tell: Callable[[str], None] | None = None,
        native: bool | None = None,
        chip: ChipVersion = CHIP_1_3,
    ) -> None:
        self.part, self._chip = part, chip
        self.violations = Violations(tell)
        self.frames = 0
        self._decipher = decipher
        self._tell = tell
        self._native = takes_loop(native)
        self._memories = Memories(part)
        self._queues = {head_tail_register(core) + 4 * half: core for core in range(part.cores) for half in (0, 1)}
        self.hard_reset()

    def hard_reset(self) -> None:
        """Power on: memories off and empty, registers zero, no program, nothing waits."""
        self._memories.reset()
        self._registers = dict.fromkeys(filter(self._chip.has_register, SYSTEM_REGISTERS.values()), 0)
        self._registers.update(dict.fromkeys((*self._memories.switches, *self._memories.unused_switches), 0))
        self._registers[_VERSION] = self._chip.version
        self._queue_words = dict.fromkeys(self._queues, 0)
        self._queues_written: set[int] = set()
        self._top = dict.fromkeys((*TOP_REGISTERS.values(), _UNUSED_STATUS), 0)
        if not self._chip.tells_outputs:
            del self._top[TOP_REGISTERS["OUTPUT_INT"]], self._top[_UNUSED_STATUS]
        self._engine: Engine | None = None
        self._refused = ""
        self.outbox = Outbox()
        self._unclocked_noted = False

    def new_client(self) -> None:
        """Another client begins: outputs that the one before did not fetch are not for it. All else stays as it is."""
        self.outbox.clear()

    # -- chip-level registers ("spu_top") --

    def top_write(self, address: int, value: int) -> None:
        """Write a chip-level register."""
        name = _TOP_NAMES.get(address)
        if name is None or name in ("PLL_LOCK", "OUTPUT_INT"):
            self._note("address", f"spu_top write to {address:#x}: must go to a register that can be written")
            return
        self._top[address] = value & 0xFFFF
        if name == "PLL_CONF":
            stopped = bool(value & (_PLL_RESET | _PLL_POWER_DOWN))
            self._top[TOP_REGISTERS["PLL_LOCK"]] = int(not stopped)
        if name == "SPI_CONF" and value & _HOLD_CORES:
            self._soft_reset()

    def top_read(self, address: int) -> int:
        """Read a chip-level register; 0 where there is none."""
        if address == TOP_REGISTERS["OUTPUT_INT"] and self._chip.tells_outputs:
            return int(len(self.outbox) > 0)
        if address not in self._top:
            self._note("address", f"spu_top read from {address:#x}: must come from a register")
        return self._top.get(address, 0)

    # -- core registers and memories ("apb") --

    def apb_write(self, address: int, words: BusWords) -> None:
        """Write 32-bit words to ascending addresses."""
        at = 0
        while at < len(words):
            here = address + 4 * at
            found = None if here % 4 else self._memories.locate(here)
            if found is None:
                self._register_write(here, int(words[at]))
                at += 1
                continue
            bank, first = found
            count = min(len(words) - at, len(bank.halves) - first)
            self._memory_write(bank, first, words[at : at + count])
            at += count

    def apb_read(self, address: int, count: int) -> BusWords:
        """Read 32-bit words from ascending addresses; zeros where nothing can be read."""
        words = np.zeros(count, np.uint32)
        at = 0
        while at < count:
            here = address + 4 * at
            found = None if here % 4 else self._memories.locate(here)
            if found is None:
                words[at] = self._register_read(here)
                at += 1
                continue
            bank, first = found
            size = min(count - at, len(bank.halves) - first)
            words[at : at + size] = self._memory_read(bank, first, size)
            at += size
        return words

    # -- messages ("axis") --

    def message(self, words: BusWords) -> None:
        """A message from the host: core, PC, payload (two bus words per 64-bit word)."""
        if len(words) == 2:  # a header alone ("ready") wakes nobody
            return
        if len(words) < 4 or len(words) % 2:
            self._note("message", f"must have a header and a payload of whole 64-bit words, not {len(words)} words")
            return
        core, pc = int(words[0]), int(words[1])
        engine = self._ready(core)
        if engine is None:
            return
        payload = np.ascontiguousarray(words[2:], dtype="<u4").view("<u8").astype(np.uint64)
        try:
            outputs = engine.message(core, pc, payload)
        except MachineFault as fault:
            self._note("fault", f"{fault} The program is halted until the next reset")
            return
        self.frames += bool(outputs)
        for mailbox, result in outputs:
            if not self.outbox.put(mailbox, result):
                self._note("message", "the output buffer is full; an output is dropped")

    def note(self, kind: str, text: str) -> None:
        """A violation that the link has seen."""
        self._note(kind, text)

    def _register_write(self, address: int, value: int) -> None:
        memories = self._memories
        if address in memories.switches:
            self._switch(address, value)
        elif address in self._queues:
            self._queue_words[address] = value
            self._queues_written.add(self._queues[address])
        elif address in self._registers and address != _VERSION:
            self._system_write(address, value)
        else:
            self._note("address", f"apb write to {address:#x}: must go to a register or memory that can be written")

    def _system_write(self, address: int, value: int) -> None:
        if address in _SALTS and value >> 16:
            self._note("address", f"apb write to {address:#x}: a part of the salt has 16 bits, not {value:#x}")
            value &= 0xFFFF
        if address == _KEY and value > NOT_ENCRYPTED:
            self._note("address", f"apb write to {address:#x}: a key index is 0...31, or 32 for none, not {value}")
        if address in (_KEY, *_SALTS) and self._registers[address] != value:
            self._retire()
        self._registers[address] = value
        if address == _RST and value:
            self._soft_reset()

    def _register_read(self, address: int) -> int:
        if address in self._queues:
            return self._queue_words[address]
        if address not in self._registers:
            self._note("address", f"apb read from {address:#x}: must come from a register or memory")
        return self._registers.get(address, 0)

    def _switch(self, address: int, value: int) -> None:
        before = self._memories.banks[self._memories.switches[address]].state
        if self._engine is not None and value >> 14 == 0:
            self._retire()
        wrong = self._memories.switch(address, value)
        if wrong:
            self._note("power", wrong)
        if self._memories.banks[self._memories.switches[address]].state != before:
            self._refused = ""
        self._registers[address] = value

    def _memory_write(self, bank: BoardBank, first: int, words: BusWords) -> None:
        self._check_clock()
        if not bank.awake:
            self._note("power", f"write to {bank.name}: must be on, not {bank.state}; nothing is written")
            return
        self._refused = ""
        if self._engine is not None and self._engine.live(bank) and not self._engine.sealed:
            self._engine.write(bank, first, words)
            return
        self._retire()
        bank.store(first, words)

    def _memory_read(self, bank: BoardBank, first: int, count: int) -> BusWords:
        self._check_clock()
        if not bank.awake:
            self._note("power", f"read of {bank.name}: must be on, not {bank.state}; zeros are read")
            return np.zeros(count, np.uint32)
        if self._engine is not None and self._engine.live(bank):
            return self._engine.read(bank, first, count)
        return bank.halves[first : first + count]

    def _ready(self, core: int) -> Engine | None:
        """The program, if a message to this core can be delivered; else the reason is noted."""
        obstacle = self._obstacle(core)
        if obstacle:
            self._note("clock", f"message to core {core}: {obstacle}")
            return None
        self._check_clock()
        engine = self._engine or self._start()
        if engine is None:
            return None
        if engine.halted:
            self._note("fault", f"message to core {core}: the program is halted since a fault ({engine.halted})")
            return None
        if core not in engine.cores:
            self._note("message", f"the target core must be one with a program, not {core}")
            return None
        asleep = [bank.name for bank in self._memories.banks.values() if bank.used and not bank.awake]
        if asleep:
            self._note("power", f"message to core {core}: {', '.join(asleep)} must be on")
            return None
        return engine

    def _obstacle(self, core: int) -> str:
        conf = self._top[TOP_REGISTERS["SPI_CONF"]]
        if conf & _HOLD_CORES:
            return "the cores are held in reset (SPI_CONF)"
        if core < len(_CORE_GATES) and conf & _CORE_GATES[core]:
            return "its clock is gated (SPI_CONF)"
        if self._registers[_RST] >> min(core, 31) & 1:
            return "it is held in reset (RST)"
        return ""

    def _start(self) -> Engine | None:
        if self._refused:
            self._note("order", f"message: {self._refused}")
            return None
        salt = sum(self._registers.get(address, 0) << (16 * part) for part, address in enumerate(_SALTS))
        try:
            loaded = collect(self._memories, self._registers.get(_KEY, NOT_ENCRYPTED), salt, bool(self._queues_written))
        except ProgramError as error:
            self._refused = str(error)
            self._note("order", f"message: {error}")
            return None
        try:
            self._engine = start(loaded, self.part, self._decipher, self._native)
        except FemtoError as error:
            self._refused = f"the program was refused: {error}"
            self._note("program", str(error))
            return None
        if self._tell is not None:
            cores = ", ".join(str(core) for core in sorted(self._engine.cores))
            words = sum(len(words) for words in loaded.banks.values())
            self._tell(f"program: {words} words are loaded; cores with a program: {cores}")
        return self._engine

    def _soft_reset(self) -> None:
        self.outbox.clear()
        self._refused = ""
        if self._engine is not None:
            self._engine.soft_reset()

    def _retire(self) -> None:
        """The code changes: the program is rebuilt at the next message, from what is in the memories then."""
        if self._engine is not None:
            self._engine.store(self._memories)
        self._engine = None
        self._refused = ""

    def _check_clock(self) -> None:
        if not self._chip.has_gates or self._unclocked_noted or self._top[TOP_REGISTERS["PLL_CONF"]] & _CLOCK_GATE:
            return
        self._unclocked_noted = True
        self._note(
            "clock", "memories are used before the clock gate is open (PLL_CONF = 0x40); a board might not answer"
        )

    def _note(self, kind: str, text: str) -> None:
        self.violations.add(kind, text + ("" if text.endswith(".") else "."))
