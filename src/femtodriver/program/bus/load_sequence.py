"""The program-load sequence: what is sent to a board to put a program into it (SPU-001 map, hardware 1.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from femtodriver.errors import ProgramError, UsageError
from femtodriver.program.bank_usage import used_banks
from femtodriver.program.bus.transactions import Transaction, read_from, write_to
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.femto_records import PART_SPU001, PART_UNKNOWN
from femtodriver.program.memory_map import (
    OPEN_SPU,
    POWER_SEQUENCES,
    POWER_VALUES,
    SYSTEM_REGISTERS,
    TOP_REGISTERS,
    head_tail_register,
    power_register,
)
from femtodriver.program.metadata import ProgramInfo
from femtodriver.program.packing import split_words

PLL_MULTIPLIER = 122  # about 100 MHz from about 819 kHz
MAX_KEY_INDEX = 31
_PARTS = (None, PART_SPU001, PART_UNKNOWN)


def load_sequence(
    data: CompiledData,
    *,
    key_index: int | None = None,
    salt: int | None = None,
    program_pll: bool = False,
    encrypted: bool | None = None,
) -> tuple[Transaction, ...]:
    """All transactions of one programming reset, in order, without the pauses between them.

    ``key_index``, ``salt`` None: those of the metadata, else 0. ``encrypted`` None: what the metadata says; if it does
    not say, encrypted (as in archives of the vendor).
    Raises UsageError for a key index above 31 or a salt above 64 bits, ProgramError for a program that does not fit
    the memory map, or an encrypted one with a filled ready queue.
    """
    info = data.info()
    if info.part not in _PARTS:
        raise ProgramError(f"program: must be one for the memory map of the SPU-001, not for part number {info.part}.")
    secret = encrypted if encrypted is not None else info.encrypted is not False
    stored = info.key_index if secret else None
    key_index = key_index if key_index is not None else stored or 0
    salt = info.key_salt if salt is None else salt
    return (
        *chip_init(program_pll),
        *key_and_salt(key_index, salt),
        *power_up(info),
        *memory_bursts(data, info),
        *_queue_lengths(data, info, secret),
    )


def chip_init(program_pll: bool = False) -> Iterator[Transaction]:
    """Hard reset, clock, core reset. The board must be given time after the reset and after the PLL settings."""
    yield write_to("host", 0, [0], "hard reset")
    if program_pll:
        for name, value in (
            ("PLL_BWADJ", PLL_MULTIPLIER // 2 - 1),
            ("PLL_CLKOD", 0),
            ("PLL_CLKF", PLL_MULTIPLIER - 1),
            ("PLL_CLKR", 0),
            ("PLL_CONF", 0x01),
            ("PLL_CONF", 0x00),
        ):
            yield write_to("spu_top", TOP_REGISTERS[name], [value], name)
        yield read_from("spu_top", TOP_REGISTERS["PLL_LOCK"], 1, "PLL_LOCK")
    yield write_to("spu_top", TOP_REGISTERS["PLL_CONF"], [0x40], "open clock gate")
    yield write_to("spu_top", TOP_REGISTERS["SPI_CONF"], [0x800], "hold cores in reset")
    yield write_to("spu_top", TOP_REGISTERS["SPI_CONF"], [0], "release cores")


def key_and_salt(key_index: int, salt: int) -> Iterator[Transaction]:
    """Key index and salt; UsageError when one of them is out of range."""
    if not 0 <= key_index <= MAX_KEY_INDEX:
        raise UsageError(f"key index: must be in 0...{MAX_KEY_INDEX}, not {key_index}.")
    if not 0 <= salt < 1 << 64:
        raise UsageError(f"salt: must be below 2^64, not {salt:#x}.")
    yield write_to("apb", SYSTEM_REGISTERS["SPI_ENCRYPTION_KEY_IDX"], [key_index], "encryption key index")
    for part in range(4):
        value = salt >> (16 * part) & 0xFFFF
        yield write_to("apb", SYSTEM_REGISTERS[f"SPI_ENCRYPTION_SALT_{part}"], [value], f"encryption salt {part}")


def power_up(info: ProgramInfo) -> Iterator[Transaction]:
    """Power commands of every used memory, core by core: IM, then data banks, then table banks."""
    for core in range(len(info.inst_counts)):
        data_banks = _used("DM", info.data_bank_sizes.get(core, {}))
        table_banks = _used("TM", info.table_bank_sizes.get(core, {}))
        for name in ("IM", *data_banks, *table_banks):
            for command in POWER_SEQUENCES["on"]:
                register = f"{name[:2]}_CONF{name[2:]}"
                comment = f"core {core} mem {register} to {command}"
                yield write_to("apb", power_register(core, name), [POWER_VALUES[command]], comment)


def _used(memory: str, sizes: Mapping[int, int]) -> list[str]:
    return [f"{memory}{bank}" for bank, words in sizes.items() if words]


def memory_bursts(data: CompiledData, info: ProgramInfo) -> Iterator[Transaction]:
    """One burst per bank that holds something, core by core, in the order DM, TM, SB, RQ, PB, IM."""
    for core, bank, words in used_banks(data.mems_per_core, info, OPEN_SPU):
        start = OPEN_SPU.address(core, bank.name)
        yield write_to("apb", start, split_words(words), f"core {core} {bank.name}")


def _queue_lengths(data: CompiledData, info: ProgramInfo, encrypted: bool) -> Iterator[Transaction]:
    """Programs that are not encrypted get the length of each core's ready queue, once all memories are loaded."""
    for core in range(len(info.inst_counts)):
        length = len(data.image(core, "RQ"))
        if not encrypted:
            yield write_to("apb", head_tail_register(core), [length, 0], f"core {core} HEAD_TAIL_REG")
        elif length:
            raise ProgramError(
                f"core {core}: the ready queue of an encrypted program must be empty, not {length} words; "
                "a program that is not encrypted must say so (encrypted: false) in its metadata."
            )
