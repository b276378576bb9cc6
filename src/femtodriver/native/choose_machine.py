"""What runs a program: the native loop where it was built, or NumPy."""

from __future__ import annotations

from collections.abc import Mapping

from femtodriver.machine.machine import Machine, Program
from femtodriver.machine.spu import Images, Spu
from femtodriver.native.library import find_library, needed_library
from femtodriver.native.native_machine import NativeMachine
from femtodriver.native.native_spu import NativeSpu
from femtodriver.part import Part


def make_machine(program: Program, part: Part, *, native: bool | None = None, check_state: bool = False) -> Machine:
    """The machine for a program. ``native``: None takes the loop where it is, True insists on it, False does without.

    UnsupportedError if the loop is insisted on and not there; ProgramError as ``Machine``.
    """
    return (NativeMachine if takes_loop(native) else Machine)(program, part, check_state=check_state)


def make_spu(
    images: Mapping[int, Images], part: Part, inst_counts: Mapping[int, int], *, native: bool | None = None
) -> Spu:
    """The chip for images, which takes messages one by one. ``native`` and errors: as ``make_machine``."""
    return (NativeSpu if takes_loop(native) else Spu)(images, part, inst_counts)


def takes_loop(native: bool | None) -> bool:
    """Whether the loop is taken. UnsupportedError if it is insisted on and not there."""
    if native is None:
        return not isinstance(find_library(), str)
    if native:
        needed_library()
    return native


def machine_text(native: bool | None = None) -> str:
    """What runs programs, in words. UnsupportedError if the loop is insisted on and not there."""
    return f"native loop, {needed_library().instructions}" if takes_loop(native) else "NumPy machine"
