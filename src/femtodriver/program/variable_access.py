"""``get_vars`` and ``set_vars``: the variables of a network between two frames, in the same way on every runner."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

import numpy.typing as npt

from femtodriver.arrays import Int64Array
from femtodriver.errors import UsageError
from femtodriver.program.program_states import VariableLimits, checked_values

_MOST_NAMES = 8


class VariableAccess(ABC):
    """What has variables. ``name`` is what messages call it.

    States are what the network keeps from frame to frame. They can be read and set between two frames, so a run can be
    saved after any frame and continued elsewhere, bit for bit. Inputs, outputs and debug variables of the last frame
    can be read; the runner ``fqir`` gives every value of the network.
    """

    name: str
    _last: Mapping[str, Int64Array] = {}

    @property
    def state_names(self) -> tuple[str, ...]:
        """The states that ``get_vars`` gives when it is not told any names."""
        return tuple(name for name in self._limits() if self._has_state(name))

    def get_vars(self, names: Iterable[str] | None = None) -> dict[str, Int64Array]:
        """Values of variables after the last frame (before the first one: those at its beginning), by name.

        ``names``: None for all states. The arrays are copies, int64, shape (elements,), row by row.
        UsageError out of order, for a name that cannot be had, and where there are no states and none is named.
        DeviceError when a board does not answer.
        """
        self._check_between_frames()
        if names is None and (reason := self._no_states()):
            raise UsageError(f"{self.name}: states cannot be had: {reason}.")
        wanted = self.state_names if names is None else (names,) if isinstance(names, str) else tuple(names)
        states = [name for name in wanted if name in self._limits() and self._has_state(name)]
        others = {name: self._other(name) for name in wanted if name not in states}
        found = self._read_states(states) if states else {}
        return {name: found[name] if name in found else others[name].reshape(-1).copy() for name in wanted}

    def set_vars(self, values: Mapping[str, npt.ArrayLike]) -> None:
        """Give states other values, which the next frame finds; states that are not named stay as they are.

        ``values``: integers of any type and shape with as many elements as the state has. A state that no output
        depends on may be named too; the program has no place for it.
        UsageError out of order and for what is no state, InputError for values that the state cannot hold. Nothing is
        set then. DeviceError when a board does not answer.
        """
        self._check_between_frames()
        self._write_states(self._settable(values))

    def _settable(self, values: Mapping[str, npt.ArrayLike]) -> dict[str, Int64Array]:
        """The checked values; errors as of ``set_vars``."""
        reason = self._no_states() or self._no_setting()
        if values and reason:
            raise UsageError(f"{self.name}: variables cannot be set: {reason}.")
        return checked_values(values, self._limits(), self.name)

    def _other(self, name: str) -> Int64Array:
        """The value of what is no state after the last frame."""
        last = self._last_values()
        if name in last:
            return last[name]
        known = [*self.state_names, *last]
        more = ", ..." if len(known) > _MOST_NAMES else ""
        told = ", ".join(f"{one!r:.60}" for one in known[:_MOST_NAMES]) + more or "none before the first frame"
        raise UsageError(f"{self.name}: variables that can be had are {told}, not {name!r:.60}.")

    def _last_values(self) -> Mapping[str, Int64Array]:
        """Inputs, outputs and debug variables of the last frame; none before the first one."""
        return self._last

    def _no_states(self) -> str:
        """Why there are no states, "" where there are."""
        return ""

    def _no_setting(self) -> str:
        """Why states can be read but not set, "" where they can."""
        return ""

    def _has_state(self, name: str) -> bool:
        """Whether the value of a state is anywhere."""
        return True

    def _limits(self) -> Mapping[str, VariableLimits]:
        """All states that may be named, and what they may be set to."""
        return {}

    def _read_states(self, names: Iterable[str]) -> dict[str, Int64Array]:
        """The values of states of ``state_names``, shape (elements,)."""
        raise NotImplementedError

    def _write_states(self, values: Mapping[str, Int64Array]) -> None:
        """Set states to checked values, shape (elements,)."""
        raise NotImplementedError

    @abstractmethod
    def _check_between_frames(self) -> None:
        """UsageError before a reset, in a frame, and after the end or a failure."""
