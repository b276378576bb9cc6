"""Tables side by side in their banks, in as many copies as fit."""

from __future__ import annotations

import numpy as np
import pytest

from femtodriver.compiler.backend.allocate import allocate
from femtodriver.compiler.fmir.ir import Fmir, Look, View
from femtodriver.errors import CapacityError
from femtodriver.machine.machine import Machine
from femtodriver.part import load_part
from tests.compiler.fmir_samples import buffer, finished, network

SPU = load_part()


def looks(*lengths: int) -> Fmir:
    """One look-up in a table of each length."""
    numbers = np.random.default_rng(0)
    tables = {f"table{k}": numbers.integers(-999, 999, size) for k, size in enumerate(lengths)}
    ops = [
        Look(View(f"out{k}", 0, 16), View("in0", 0, 16), name, bits=len(values).bit_length() - 1)
        for k, (name, values) in enumerate(tables.items())
    ]
    outputs = [buffer(f"out{k}") for k in range(len(lengths))]
    return network([buffer("in0"), *outputs], ops, tables=tables)


def tables_of(*lengths: int) -> list[tuple[int, range, int]]:
    """Copies, banks and row of each table."""
    found = allocate(looks(*lengths), SPU)[0].tables
    places = [found[f"table{k}"] for k in range(len(lengths))]
    return [(1 << place.ways, range(place.bank, place.bank + (1 << place.ways)), place.row) for place in places]


def test_tables_get_as_many_copies_as_fit() -> None:
    assert tables_of(256) == [(4, range(4), 0)]
    assert {copies for copies, _, _ in tables_of(*[256] * 8)} == {4}
    assert {copies for copies, _, _ in tables_of(*[256] * 9)} == {2}
    assert {copies for copies, _, _ in tables_of(*[256] * 32)} == {1}


def test_short_tables_leave_room_for_long_ones() -> None:
    assert {copies for copies, _, _ in tables_of(1024, 1024, 1024, 1024, 2048, 2048)} == {1}


@pytest.mark.parametrize("lengths", [(256,), (256,) * 9, (256,) * 32, (16, 2048, 4, 512, 2048, 2048, 1024)])
def test_every_table_is_read_where_it_is(lengths: tuple[int, ...]) -> None:
    fmir = looks(*lengths)
    machine = Machine(finished(fmir), SPU)
    x = np.arange(-8, 8)
    found = machine.step({"in0": x})
    for k, size in enumerate(lengths):
        middle = size // 2
        wanted = fmir.tables[f"table{k}"][np.clip(x, -middle, middle - 1) + middle]
        assert found[f"out{k}"].tolist() == wanted.tolist()


def test_too_many_tables() -> None:
    with pytest.raises(
        CapacityError, match=r"33 different look-up tables need 16896 bytes in 4 banks, but spu001 has 16384"
    ):
        tables_of(*[256] * 33)
