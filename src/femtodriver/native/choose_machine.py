"""Which machine runs a program: the native loop where it was built, or NumPy."""

from __future__ import annotations

from femtodriver.machine.machine import Machine, Program
from femtodriver.native.library import find_library
from femtodriver.native.native_machine import NativeMachine
from femtodriver.part import Part


def make_machine(program: Program, part: Part, *, native: bool | None = None, check_state: bool = False) -> Machine:
    """The machine for a program. ``native``: None takes the loop where it is, True insists on it, False does without.

    UnsupportedError if the loop is insisted on and not there; ProgramError as ``Machine``.
    """
    if native is None:
        native = not isinstance(find_library(), str)
    return (NativeMachine if native else Machine)(program, part, check_state=check_state)
