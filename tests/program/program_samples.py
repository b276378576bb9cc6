"""Compiled programs for tests: a small fixed one (that of the golden vectors) and hypothesis strategies."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from femtodriver.arrays import Words
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.femto_from_program import femto_from_compiled


def words(*values: int) -> Words:
    return np.array(values, dtype=np.uint64)


def golden_program(**metadata: Any) -> CompiledData:
    """The content of the golden vectors: one used core, three one-word memories, one input, one output."""
    return CompiledData(
        {
            "data_bank_sizes": {0: {0: 1}},
            "table_bank_sizes": {0: {0: 0}},
            "inst_counts": {0: 1},
            "inputs": {"x": vector(pc_val=3, words=2)},
            "outputs": {"%x.4": vector(mailbox_id=1, words=1)},
            "fqir_input_padding": {"x": {"fqir": 6, "fasmir": 8}},
            "fqir_output_padding": {"%x.4": {"fqir": 4, "fasmir": 4}},
            **metadata,
        },
        {
            0: {
                "DM": [words(0x1111222233334444)],
                "SB": [words(0xAAAA0000BBBB0001)],
                "IM": [words(0x0102030405060708)],
            }
        },
    )


def vector(words: int = 1, core: int = 0, precision: str = "DBL", **parameter: int) -> dict[str, Any]:
    return {"core": core, **parameter, "len_64b_words": words, "dtype": "V_D", "precision": precision}


def rich_program(second_bank: bool = True) -> CompiledData:
    """Two cores, two inputs and outputs, not encrypted, with other files; ``second_bank``: DM1 too, so a long image."""
    rng = np.random.default_rng(7)

    def image(count: int, bits: int) -> list[Words]:
        return [rng.integers(0, 1 << bits, count, dtype=np.uint64)]

    return CompiledData(
        {
            "data_bank_sizes": {0: {0: 70, 1: 3} if second_bank else {0: 70}, 1: {0: 1}},
            "table_bank_sizes": {0: {0: 5}, 1: {0: 0}},
            "inst_counts": {0: 40, 1: 9},
            "inputs": {"a": vector(2, pc_val=7), "b": vector(1, core=1, precision="STD", pc_val=2)},
            "outputs": {"p": vector(3, mailbox_id=4, precision="QUAD"), "q": vector(1, mailbox_id=0)},
            "fqir_input_padding": {"a": {"fqir": 7, "fasmir": 8}, "b": {"fqir": 8, "fasmir": 8}},
            "fqir_output_padding": {"p": {"fqir": 5, "fasmir": 6}, "q": {"fqir": 1, "fasmir": 4}},
            "encrypted": False,
            "femtodriver": {"layers": [{"name": "gru", "share": 0.25}], "done": True, "note": None},
        },
        {
            0: {
                "DM": image(8195 if second_bank else 70, 63),
                "TM": image(5, 16),
                "SB": image(4, 11),
                "PB": image(4, 13),
                "IM": image(40, 63),
            },
            1: {"DM": image(1, 63), "RQ": image(2, 6), "IM": image(12, 63)},
        },
        {"notes.txt": "für Menschen\n", "blob.bin": b"\xff\x00\x01"},
    )


def femto(data: CompiledData, layout: str = "B-aligned", **options: Any) -> bytes:
    settings: dict[str, Any] = {"name": "demo", "producer": "2.6.0", "clock_mhz": 150, **options}
    return femto_from_compiled(data, layout=layout, **settings)


_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
_BITS = {"STD": 8, "DBL": 16, "QUAD": 32}


@st.composite
def programs(draw: st.DrawFn, layout: str = "B-aligned") -> CompiledData:
    """Programs of one to four cores whose images hold exactly the used words."""
    cores = draw(st.integers(1, 2 if layout == "A" else 4))
    metadata: dict[str, Any] = {"data_bank_sizes": {}, "table_bank_sizes": {}, "inst_counts": {}}
    memories: dict[int, dict[str, list[Words]]] = {}
    for core in range(cores):
        data_banks = draw(st.dictionaries(st.sampled_from([0, 0, 1, 2]), st.integers(0, 130), max_size=2))
        table_banks = draw(st.dictionaries(st.integers(0, 3), st.integers(0, 70), max_size=2))
        metadata["data_bank_sizes"][core] = data_banks
        metadata["table_bank_sizes"][core] = table_banks
        metadata["inst_counts"][core] = draw(st.integers(0, 70))
        seed = draw(st.integers(0, 1 << 16))
        memories[core] = {
            "DM": [_image(seed, _used(data_banks, 8192), 64)],
            "TM": [_image(seed + 1, _used(table_banks, 2048), 16)],
            "SB": [_image(seed + 2, draw(st.integers(0, 64)), 11)],
            "RQ": [_image(seed + 3, draw(st.integers(0, 3)), 6)],
            "PB": [_image(seed + 4, draw(st.integers(0, 64)), 13)],
            "IM": [_image(seed + 5, metadata["inst_counts"][core], 64)],
        }
    for key, parameter in (("inputs", "pc_val"), ("outputs", "mailbox_id")):
        numbers = draw(st.lists(st.integers(0, (1 << 24) - 1), min_size=1, max_size=4, unique=True))
        names = draw(st.lists(_NAMES, min_size=len(numbers), max_size=len(numbers), unique=True))
        metadata[key], padding = {}, {}
        for name, number in zip(names, numbers, strict=True):
            precision = "DBL" if layout == "A" else draw(st.sampled_from(["STD", "DBL", "QUAD"]))
            count = draw(st.integers(0, 40))
            core = draw(st.integers(0, cores - 1))
            metadata[key][name] = vector(count, core, precision, **{parameter: number})
            capacity = count * 64 // _BITS[precision]
            usable = capacity if layout == "A" else draw(st.integers(0, capacity))
            padding[name] = {"fqir": usable, "fasmir": capacity}
        metadata[f"fqir_{key[:-1]}_padding"] = padding
    metadata["encrypted"] = False
    return CompiledData(metadata, memories)


def _used(banks: dict[int, int], stride: int) -> int:
    return max((bank * stride + size for bank, size in banks.items() if size), default=0)


def _image(seed: int, count: int, bits: int) -> Words:
    values = np.random.default_rng(seed).integers(0, 1 << 64, count, dtype=np.uint64, endpoint=False)
    shifted: Words = values >> np.uint64(64 - bits)
    return shifted
