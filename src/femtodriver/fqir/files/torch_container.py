"""From the bytes of a graph file to the root object of its pickle: zip archive, legacy stream, or bare pickle."""

from __future__ import annotations

from dataclasses import dataclass

from femtodriver.errors import ModelError
from femtodriver.fqir.files.load_limits import Budget
from femtodriver.fqir.files.pickle_reader import PickleMachine
from femtodriver.fqir.files.zip_reader import read_torch_zip
from femtodriver.safe_text import describe

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001


@dataclass(frozen=True)
class PickleStream:
    """Pickles to run: one that fills the stream, or (``bare``) perhaps the series of a legacy stream."""

    data: bytes
    bare: bool


def unwrap(data: bytes) -> PickleStream:
    """The pickles inside a graph file of any of the three forms.

    Raises ModelError for other forms and for zip archives that torch.save would not have written.
    """
    if data.startswith(b"PK\3\4"):
        return PickleStream(read_torch_zip(data), False)
    if len(data) > 1 and data[0] == 0x80 and 2 <= data[1] <= 5:
        return PickleStream(data, True)
    raise ModelError(_unknown_form(data))


def read_root(stream: PickleStream, budget: Budget) -> object:
    """The root object (records and plain values) of the graph pickle.

    Raises ModelError for everything that the pickle machine refuses, and for bytes that belong to no pickle.
    """
    machine = PickleMachine(stream.data, budget)
    root, end = machine.load()
    if stream.bare and type(root) is int and root == _LEGACY_MAGIC:
        return _legacy(machine, end)
    _check_end(machine, end)
    return root


def _unknown_form(data: bytes) -> str:
    wanted = "the file must be a graph saved by torch.save"
    if not data:
        return f"{wanted}, not empty."
    if data[257:262] == b"ustar" or data.startswith(b"storages"):
        return f"{wanted}, not a tar archive of an old torch; load it there and save it again."
    if b"PK\3\4" in data[:4096]:
        return f"{wanted}, not a zip archive after other bytes."
    return f"{wanted} (a zip archive or a pickle), not something else; check that it is the right file."


def _check_end(machine: PickleMachine, end: int) -> None:
    if end != machine.size:
        raise ModelError("the pickle must end at its STOP; there are bytes after it.")


def _legacy(machine: PickleMachine, position: int) -> object:
    """The legacy stream after its magic number: protocol, system, graph, storage keys."""
    protocol, position = machine.load(position)
    if type(protocol) is not int or protocol != _LEGACY_PROTOCOL:
        raise ModelError(f"the legacy stream must have protocol {_LEGACY_PROTOCOL}, not {describe(protocol)}.")
    system, position = machine.load(position)
    if type(system) is not dict or system.get("little_endian") is not True:
        raise ModelError("the legacy stream must come from a little-endian system; save the graph on one.")
    root, position = machine.load(position)
    keys, position = machine.load(position)
    if type(keys) is not list or keys:
        raise ModelError("the legacy stream must not have tensors; graph files have none.")
    _check_end(machine, position)
    return root
