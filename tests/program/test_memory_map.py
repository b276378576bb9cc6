"""The memory map: addresses of the specification, and the bank of every address."""

from __future__ import annotations

import pytest

from femtodriver.errors import ProgramError
from femtodriver.program.memory_map import OPEN_SPU, SPU001, SPU150, Geometry, head_tail_register, power_register


def test_the_map_of_the_specification() -> None:
    assert [SPU001.address(0, name) for name in ("DM0", "TM3", "IM")] == [0x100000, 0x1B0000, 0x1F0000]
    assert [SPU001.address(1, name) for name in ("DM0", "IM")] == [0x200000, 0x2F0000]
    assert head_tail_register(0) == 0x1FFFE8
    assert [power_register(0, name) for name in ("DM0", "DM7", "TM0", "TM3", "IM")] == [0x34, 0x50, 0x54, 0x60, 0x64]
    assert [power_register(1, name) for name in ("DM0", "IM")] == [0x68, 0x98]
    uids = [bank.uid for bank in SPU001.switched_banks]
    assert uids == [*range(0, 0x20, 4), 0x20, 0x24, 0x28, 0x2C, 0x30]
    assert SPU150.address(3, "IM") == 0x20980000


@pytest.mark.parametrize("geometry", [SPU001, SPU150, OPEN_SPU])
def test_every_address_belongs_to_one_bank(geometry: Geometry) -> None:
    for core in range(geometry.cores):
        for bank in geometry.banks:
            start = geometry.address(core, bank.name)
            assert geometry.locate(start) == (core, bank, 0)
            assert geometry.locate(start + bank.size - 1) == (core, bank, bank.size - 1)
    for address in (0, geometry.base - 1, geometry.base + geometry.cores * geometry.stride, 1 << 40):
        with pytest.raises(ProgramError, match="must lie in a memory bank of the part"):
            geometry.locate(address)


def test_unknown_places() -> None:
    with pytest.raises(ProgramError, match=r"SPU001: a bank must be one of DM0, .*, not 'DM8'"):
        SPU001.bank("DM8")
    with pytest.raises(ProgramError, match=r"SPU001: the core must be in 0\.\.\.1, not 2"):
        SPU001.address(2, "DM0")
