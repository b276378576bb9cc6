"""What tests of passes share: small buffers, and a comparison of a network before and after a pass."""

from __future__ import annotations

from collections.abc import Callable

from femtodriver.compiler.fmir.fmir_text import fmir_text
from femtodriver.compiler.fmir.ir import Fmir, View
from femtodriver.compiler.fmir.verify import verify
from femtodriver.part import Part, load_part
from tests.compiler.fmir_samples import SIZE, buffer, outputs

Golden = Callable[[str, str], None]
Run = Callable[[Fmir, Part], Fmir]

SPU = load_part()
IN, OUT = buffer("in0"), buffer("out0")


def half(name: str, offset: int, cursor: str = "") -> View:
    """Half of a buffer, from ``offset`` on."""
    return View(name, offset, SIZE // 2, 1, cursor)


def compare(golden: Golden, name: str, run: Run, before: Fmir, part: Part = SPU) -> Fmir:
    """Run a pass on a valid network; text before and after against a golden file, meaning before and after."""
    verify(before)
    after = run(before, part)
    verify(after)
    golden(f"{name}.txt", f"before\n{fmir_text(before)}\nafter\n{fmir_text(after)}")
    assert outputs(after) == outputs(before)
    return after
