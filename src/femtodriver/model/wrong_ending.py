"""Files whose ending promises a compiled program and that are something else: told what they are."""

from __future__ import annotations

from pathlib import Path

from femtodriver.errors import ProgramError
from femtodriver.files.file_access import open_file, shown_path
from femtodriver.inputs.file_signatures import ENOUGH, SAVED_ARRAYS, SAVED_BY_TORCH, kind_of_file
from femtodriver.program.femto.layout_a import MAGIC as LAYOUT_A
from femtodriver.program.femto.layout_b import MAGIC as LAYOUT_B

MOST_BYTES = 1 << 40
_WANTED = {
    ".zip": ("a zip archive of memory images", (b"PK",)),
    ".femto": ("a .femto container", (LAYOUT_A, LAYOUT_B)),
}


def check_ending(path: Path) -> None:
    """ProgramError for a file that ends in .zip or .femto and begins like something else."""
    wanted, starts = _WANTED[path.suffix.lower()]
    with open_file(path, MOST_BYTES) as file:
        head = file.read(ENOUGH)
    kind = kind_of_file(head)
    if not head.startswith(starts) or kind in (SAVED_BY_TORCH, SAVED_ARRAYS):
        advice = "Check that it is the right file" if kind in ("text", "something else") else "Give it its own ending"
        raise ProgramError(f"{shown_path(path)}: must be {wanted}, not {kind}. {advice}, or compile the model again.")
