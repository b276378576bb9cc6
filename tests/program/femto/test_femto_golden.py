"""The golden vectors of the container specification, to the byte."""

import hashlib

import numpy as np
import pytest

from femtodriver.program.femto.femto_records import (
    FemtoCore,
    FemtoHeader,
    FemtoModel,
    FemtoSequence,
    FemtoSpu,
    FemtoVector,
)
from femtodriver.program.femto.femtofile import FemtoFile
from tests.program.program_samples import femto, golden_program

OPTIONS_A = {"model_type": "AINR", "model_version": "1.0", "producer": "1.0", "clock_mhz": 250}
GOLDEN = {
    "A": (1024, "b11d55d05822e63ff1b85bb9f50bd14a035a42858ad19467f93025295c57c29d", OPTIONS_A),
    "B-aligned": (1280, "ea4387ebf8cc2512c8c27a16f40009c7bfefb5c994414b4455e8f85b9f9cfa32", {}),
    "B-packed": (1280, "5273a52dd912dbbb0db62e7e67b5cd1f093d3cdf35993737fe1aeacaa24ee7ba", {}),
}


@pytest.mark.parametrize("layout", GOLDEN)
def test_written_files_are_the_golden_vectors(layout: str) -> None:
    size, digest, options = GOLDEN[layout]
    written = femto(golden_program(), layout, encrypted=True, key_index=0, **options)
    assert (len(written), hashlib.sha256(written).hexdigest()) == (size, digest)


@pytest.mark.parametrize("layout", GOLDEN)
def test_golden_vectors_read_and_write_back(layout: str) -> None:
    written = femto(golden_program(), layout, encrypted=True, **GOLDEN[layout][2])
    file = FemtoFile.parse(written)
    assert (file.layout, file.notes, file.model.name) == (layout, (), "demo")
    assert file.serialize() == written


@pytest.mark.parametrize("layout", GOLDEN)
def test_conversion_gives_the_other_golden_vectors(layout: str) -> None:
    source = FemtoFile.parse(femto(golden_program(), layout, encrypted=True, **GOLDEN[layout][2]))
    for other in ("B-aligned", "B-packed"):
        again = source.converted(other)
        assert FemtoFile.parse(again.serialize()).layout == other
        assert again.banks.keys() == source.banks.keys()
    assert source.converted("A").converted(layout).model.type_code == (40 if layout == "A" else 10)


def _identity() -> FemtoFile:
    """The vendor's sample file as the specification decodes it; its payload words are not given there."""
    vectors = (FemtoVector(0, "input", 0, 16, 16, 16, 0), FemtoVector(1, "output", 0, 16, 16, 16, 0))
    model = FemtoModel(3, "identity", "1.0.0", vectors, (FemtoSequence(0, (0,), (1,)),))
    file = FemtoFile(FemtoHeader("B-packed", "1.6.4"), model, FemtoSpu(1, 0, 180, (FemtoCore(0, 1), FemtoCore(1, 0))))
    for bank, count in {"DM0": 8, "DM1": 40, "TM0": 34, "SB": 4, "PB": 4, "IM": 16}.items():
        file.fill_memory(0, bank, np.arange(count))
    return file


IDENTITY = {
    0x000: "66 33 6d 74 30 01 00 01 00 01",
    0x04A: "00 00 00 00 33 00 00 01 cd 00 33 01 00 06 00 00 00 02 00 00 00 00 00 00 00 08 00 00" + " ff" * 154,
    0x100: "03 00 06 00 02 00 10 00 01 00 28 00 00 00 33 00",
    0x110: "00 00 00 10 10 00 10 00 00 00 00 00 01 01 00 10 10 00 10 00 00 00 00 00",
    0x128: "07 00 04 00 00 01 05 01 06 00 01",
    0x133: "01 00 b4 00 02 06 1e 00 08 00 1e 00 26 00 00 01 0d 04",
    0x145: "00 05 04 05 08 00 0c 00 10 00 14 00 18 00 1c 00 20 05 24 00 28 00 2c 00 30 05",
    0x15F: "01 00 0d 04 00 00 04 00 08 00 0c 00 10 00 14 00 18 00 1c 00 20 00 24 00 28 00 2c 00 30 00",
    0x17D: "ff " * 131 + "00 00 08 00 00 00 10 00",
    0x300: "01 00 28 00 00 00 11 00",
    0x400: "02 00 22 00 00 00 18 00",
    0x500: "03 00 04 00 00 00 1c 00",
    0x600: "04 00 04 00 00 00 1e 00",
    0x700: "05 00 10 00 00 00 1f 00",
}


def test_the_vendors_sample_file_is_laid_out_as_decoded() -> None:
    written = _identity().serialize()
    assert len(written) == 2048
    for offset, expected in IDENTITY.items():
        wanted = bytes.fromhex(expected)
        assert written[offset : offset + len(wanted)] == wanted, hex(offset)
    assert FemtoFile.parse(written).serialize() == written
