"""The states of a network as variables of its program: where they are in data memory, reading and setting them.

A state is whole between two frames. Whoever can reach data memory (the simulated machine, a board) gives the functions
that do so; the same places serve both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import Int64Array, is_masked
from femtodriver.errors import InputError, ProgramError, UsageError
from femtodriver.program.packing import WORD_BITS
from femtodriver.program.plain_records import PlainValue

POSITION_BYTES = 2
LOST_STATES = (
    "the program does not say where they are (a .femto file loses that, and older versions did not note it); use the "
    "network, or compile it again"
)
_WORD_BYTES = WORD_BITS // 8
_WIDTHS = (8, 16, 32)

Peek = Callable[[int, int, int, int], Int64Array]
"""``peek(core, byte address, bits, length)`` gives elements of data memory, int64, shape (length,)."""
Poke = Callable[[int, int, int, Int64Array], None]
"""``poke(core, byte address, bits, elements)`` stores elements that have so many bits."""


@dataclass(frozen=True)
class StatePlace:
    """Elements ``first`` to ``first + length`` - 1 of a state: ``bits`` each, from byte ``address`` of a core on.

    ``position``: None, or the byte address of the 16-bit number that says at which 64-bit word the first element is.
    Such a place is a circular line: it is in memory twice, one copy behind the other.
    """

    first: int
    length: int
    core: int
    address: int
    bits: int
    position: int | None = None


@dataclass(frozen=True)
class ProgramState:
    """A state: ``length`` elements, each of which always holds a number from ``low`` to ``high``.

    ``places``: every place of every element, none for elements that no output depends on.
    """

    length: int
    low: PlainValue
    high: PlainValue
    places: tuple[StatePlace, ...]

    @property
    def limits(self) -> VariableLimits:
        """What it may be set to."""
        low, high = self.low, self.high
        if isinstance(low, int) and isinstance(high, int):
            return VariableLimits(self.length, low, high)
        raise ProgramError(f"state: its range must be whole numbers, not {low!r:.40} to {high!r:.40}.")

    @property
    def is_whole(self) -> bool:
        """Whether every element is somewhere."""
        found = np.zeros(self.length, np.bool_)
        for place in self.places:
            found[place.first : place.first + place.length] = True
        return bool(found.all())


@dataclass(frozen=True)
class VariableLimits:
    """What a variable may be set to: so many elements, each from ``low`` to ``high``."""

    length: int
    low: int
    high: int


def checked_values(
    values: Mapping[str, npt.ArrayLike], known: Mapping[str, VariableLimits], where: str
) -> dict[str, Int64Array]:
    """The values as int64 arrays of shape (elements,).

    UsageError for a name that is not among the known ones, InputError for values that it cannot hold.
    """
    return {name: _checked(f"{where}: variable {name!r:.60}", value, known.get(name)) for name, value in values.items()}


def _checked(where: str, value: npt.ArrayLike, limits: VariableLimits | None) -> Int64Array:
    if limits is None:
        raise UsageError(f"{where}: must be a state of the network to be set; see `state_names`.")
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        raise InputError(f"{where}: must be an array, not ragged lists.") from None
    if is_masked(value) or array.dtype.kind not in "iu" or array.size != limits.length:
        raise InputError(f"{where}: must be {limits.length} integers, not {array.dtype} of shape {array.shape}.")
    if array.size and not limits.low <= int(array.min()) <= int(array.max()) <= limits.high:
        raise InputError(
            f"{where}: must hold numbers from {limits.low} to {limits.high}, which the network can give it, not "
            f"{array.min()} to {array.max()}."
        )
    return array.reshape(-1).astype(np.int64)


def read_state(variable: ProgramState, peek: Peek) -> Int64Array:
    """The elements of a whole state, int64, shape (length,)."""
    found = np.zeros(variable.length, np.int64)
    for place in variable.places:
        words = 0 if place.position is None else int(peek(place.core, place.position, 8 * POSITION_BYTES, 1)[0])
        begin = place.address + _WORD_BYTES * words
        found[place.first : place.first + place.length] = peek(place.core, begin, place.bits, place.length)
    return found


def write_state(variable: ProgramState, values: Int64Array, peek: Peek, poke: Poke) -> None:
    """Store checked elements, shape (length,), in all places."""
    for place in variable.places:
        mine = values[place.first : place.first + place.length]
        if place.position is not None:
            words = int(peek(place.core, place.position, 8 * POSITION_BYTES, 1)[0])
            mine = np.tile(np.roll(mine, words * WORD_BITS // place.bits), 2)
        poke(place.core, place.address, place.bits, mine)


def check_states(states: Mapping[str, ProgramState], where: str) -> None:
    """ProgramError for states of another form than the documented one."""
    for name, variable in states.items():
        here = f"{where}[{name!r:.60}]"
        if not (_is_whole(variable.low) and _is_whole(variable.high)):
            raise ProgramError(
                f"{here}: low and high must be whole numbers, not {variable.low!r:.40} and {variable.high!r:.40}."
            )
        for place in variable.places:
            if place.bits not in _WIDTHS or not place.length or place.first + place.length > variable.length:
                raise ProgramError(f"{here}: a place must have 8, 16 or 32 bits and be inside the state, not {place}.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
