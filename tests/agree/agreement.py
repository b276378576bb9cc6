"""One network, every executor: fqir, fmir and fasmir must give the same numbers in every frame."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unittest import mock

import numpy as np
import numpy.typing as npt

from femtodriver.compiler import ownership, pack
from femtodriver.compiler.fmir_run import FmirExecutor
from femtodriver.compiler.pipeline import DEFAULT_OPTIONS, Compilation, compile_network
from femtodriver.compiler.options import Options
from femtodriver.errors import CapacityError, UnsupportedError
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.machine.machine import Machine
from femtodriver.part import Part

Frame = Mapping[str, npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Target:
    """What to compile for.

    ``eager``: the compiler does also what gains little; ``keep``: look at inner values too.
    """

    part: Part
    options: Options = DEFAULT_OPTIONS
    eager: bool = False
    keep: bool = False


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
        # Accumulators hold what is wide for a moment; the compiler must never need more than there are.
        return Outcome("WRONG capacity" if "accumulators" in str(error) else "capacity", str(error))
    except Exception as error:  # noqa: BLE001
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(f"WRONG {type(error).__name__} in {place.name}", str(error))


def _checked(network: Network, frames: Sequence[Frame], target: Target) -> Outcome:
    names = kept_names(network) if target.keep else []
    compiled = compiled_for(network, target, names)
    wanted, inner = reference(network, frames)
    fmir, machine = FmirExecutor(compiled.fmir), Machine(compiled.data, target.part)
    kept = compiled.data.metadata["femtodriver"]["kept"]
    flat = [{name: values.reshape(-1) for name, values in frame.items()} for frame in frames]
    found = None
    for _ in range(2):  # the second time after a reset
        for number, frame in enumerate(flat):
            for name, step, peek in (
                ("fmir", fmir.step, fmir.internals),
                ("fasmir", machine.step, lambda: {name: machine.peek(**place) for name, place in kept.items()}),
            ):
                found = found or _difference(name, number, step(frame), wanted[number])
                found = found or _difference(
                    f"{name} inner value", number, _known(peek(), inner[number]), inner[number]
                )
        fmir.reset()
        machine.reset()
    return found or Outcome("exact, several cores" if len(compiled.data.mems_per_core) > 1 else "exact")


def compiled_for(network: Network, target: Target, keep: Sequence[str] = ()) -> Compilation:
    """The network, compiled with the target's thresholds."""
    if not target.eager:
        return compile_network(network, target.part, options=target.options, keep=keep)
    with mock.patch.object(ownership, "LEAST_GROUPS", 1), mock.patch.object(pack, "LEAST_SAVING", 0.0):
        return compile_network(network, target.part, options=target.options, keep=keep)


def kept_names(network: Network) -> list[str]:
    """Names of everything that nodes make."""
    return list(dict.fromkeys(tensor.name for _, node in network.frame.walk() for tensor in node.outputs))


def _known(found: Frame, wanted: Frame) -> Frame:
    return {name: values for name, values in found.items() if name in wanted}


def reference(network: Network, frames: Sequence[Frame]) -> tuple[list[Frame], list[Frame]]:
    """Outputs of each frame, and all values after it; flat."""
    executor = Reference(network)
    outputs, inner = [], []
    for frame in frames:
        outputs.append({name: values.reshape(-1) for name, values in executor.step(frame).items()})
        inner.append({name: np.reshape(values, -1).copy() for name, values in executor.values.items()})
    return outputs, inner


def _difference(name: str, number: int, ours: Frame, theirs: Frame) -> Outcome | None:
    if not ours.keys() <= theirs.keys():
        return Outcome(f"WRONG names of {name}", f"frame {number}: {list(ours)} for {list(theirs)}")
    for key, values in ours.items():
        if not np.array_equal(values, theirs[key]):
            return Outcome(f"WRONG {name}", f"frame {number}, {key!r}: {values[:9]} for {theirs[key][:9]}")
    return None
