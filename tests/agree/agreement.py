"""One network, every executor: fqir, fmir and fasmir must give the same numbers in every frame."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unittest import mock

import numpy as np
import numpy.typing as npt

from femtodriver.compiler import ownership
from femtodriver.compiler.fmir_run import FmirExecutor
from femtodriver.compiler.pipeline import DEFAULT_OPTIONS, compile_network
from femtodriver.compiler.options import Options
from femtodriver.errors import CapacityError, UnsupportedError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.machine.machine import Machine
from femtodriver.part import Part

Frame = Mapping[str, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Target:
    """What to compile for. ``least_groups`` replaces the compiler's threshold for sharing a product out."""

    part: Part
    options: Options = DEFAULT_OPTIONS
    least_groups: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a network. ``kind``: "exact", "exact, several cores", "unsupported", "capacity", or "WRONG ..."."""

    kind: str
    detail: str = ""

    @property
    def wrong(self) -> bool:
        """Whether this is a defect of ours."""
        return self.kind.startswith("WRONG")


def checked(network: Network, frames: Sequence[Frame], target: Target) -> Outcome:
    """Run the network everywhere; never raises, since a traceback is an outcome too."""
    try:
        return _checked(network, frames, target)
    except UnsupportedError as error:
        return Outcome("unsupported", str(error))
    except CapacityError as error:
        return Outcome("capacity", str(error))
    except Exception as error:  # noqa: BLE001
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(f"WRONG {type(error).__name__} in {place.name}", str(error))


def _checked(network: Network, frames: Sequence[Frame], target: Target) -> Outcome:
    wanted = reference(network, frames)
    least = ownership.LEAST_GROUPS if target.least_groups is None else target.least_groups
    with mock.patch.object(ownership, "LEAST_GROUPS", least):
        compiled = compile_network(network, target.part, options=target.options)
    fmir, machine = FmirExecutor(compiled.fmir), Machine(compiled.data, target.part)
    found = _difference("fmir", [fmir.step(frame) for frame in frames], wanted)
    if found is None:
        flat = [{name: values.reshape(-1) for name, values in frame.items()} for frame in frames]
        found = _difference("fasmir", [machine.step(frame) for frame in flat], wanted)
    if found is not None:
        return found
    return Outcome("exact, several cores" if len(compiled.data.mems_per_core) > 1 else "exact")


def reference(network: Network, frames: Sequence[Frame]) -> list[dict[str, npt.NDArray[np.int64]]]:
    """Outputs of each frame, flat; graphs without INIT start anew in every frame."""
    executor = Reference(network)
    results = []
    for frame in frames:
        results.append({name: values.reshape(-1) for name, values in executor.step(frame).items()})
    return results


def _difference(name: str, found: Sequence[Frame], wanted: Sequence[Frame]) -> Outcome | None:
    for number, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        if ours.keys() != theirs.keys():
            return Outcome(f"WRONG {name} outputs", f"frame {number}: {list(ours)} for {list(theirs)}")
        for key, values in theirs.items():
            if not np.array_equal(ours[key], values):
                return Outcome(f"WRONG {name}", f"frame {number}, {key!r}: {ours[key][:9]} for {values[:9]}")
    return None
