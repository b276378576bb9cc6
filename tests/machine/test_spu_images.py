"""Images that do not belong to the part, and what of them is code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from femtodriver.errors import MachineFault, ProgramError
from femtodriver.machine.spu import Processor, Spu
from tests.machine.machine_bench import SMALL, Source, images


def changed(name: str, words: list[int], count: int = 1) -> Processor:
    made = images(Source("end\nt:\nend", threads=[(1, "t")]))
    made[name] = [np.array(words, np.uint64)]
    return Processor(0, made, SMALL, count)


@pytest.mark.parametrize(
    ("name", "words", "count", "sentence"),
    [
        ("DM", [0] * 513, 1, "DM image: must have at most 512 words for this part, not 513."),
        ("TM", [0] * 1201, 1, "TM image: must have at most 1200 words for this part, not 1201."),
        ("TM", [0, 0x10000], 1, "TM image: a word must have 16 bits, not the value 0x10000."),
        ("RQ", [3], 1, "core 0: the ready queue's image must be empty, not 1 words."),
        ("SB", [1, 1], 1, "core 0: SB and PB must have one word per thread, at most 64."),
        ("PB", [], 1, "core 0: SB and PB must have one word per thread, at most 64."),
        ("SB", [0], 1, "core 0: a dependency count must be 1 to 2047, a PC 0 to 8191."),
        ("SB", [2048], 1, "core 0: a dependency count must be 1 to 2047, a PC 0 to 8191."),
        ("PB", [8192], 1, "core 0: a dependency count must be 1 to 2047, a PC 0 to 8191."),
        (
            "IM",
            [33],
            2,
            "core 0: the instruction count must be at most 1 (image and instruction memory of spu001), not 2.",
        ),
        ("IM", [33] * 600, 513, "core 0: the instruction count must be at most 512 (image and instruction memory of"),
    ],
)
def test_images_that_do_not_fit_are_refused(name: str, words: list[int], count: int, sentence: str) -> None:
    with pytest.raises(ProgramError) as caught:
        changed(name, words, count)
    assert str(caught.value).startswith(sentence)


def test_too_many_threads_are_refused() -> None:
    made = images(Source("end"))
    made["SB"] = made["PB"] = [np.ones(65, np.uint64)]
    with pytest.raises(ProgramError, match="at most 64"):
        Processor(0, made, SMALL, 1)


def test_bit_groups_are_refused() -> None:
    made: dict[str, Any] = images(Source("end"))
    made["DM"] = made["DM"] * 2
    with pytest.raises(ProgramError, match=r"^DM: the open SPU has no bit groups, but the image has 2\.$"):
        Processor(0, made, SMALL, 1)


def test_a_core_that_the_part_lacks_is_refused() -> None:
    made = images(Source("end"))
    with pytest.raises(ProgramError) as caught:
        Spu({0: made, 2: made}, SMALL, {0: 1, 2: 1})
    assert str(caught.value) == "program: must use the 2 cores of part spu001 at most, not core 2."


def test_words_after_the_instruction_count_are_not_code() -> None:
    made = images(Source("end\nend"))
    spu = Spu({0: made}, SMALL, {0: 1})
    spu.post(0, 1, np.zeros(0, np.uint64))
    with pytest.raises(MachineFault, match=r"^core 0 pc 1: there is no instruction here\.$"):
        spu.run()


def test_missing_images_are_empty() -> None:
    Spu({0: {}}, SMALL, {0: 0}).run()
