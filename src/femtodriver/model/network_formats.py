"""Formats of network files, by the ending of the file's name. A format exists because its row is in this table.

To add one: a function that reads the file, and a row here; CONTRIBUTING.md has the recipe. Messages, help texts and
``femtodrive inspect`` follow from the row. Modules are loaded when a file is read, so that the help text need not wait
for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from femtodriver.options.value_kinds import KERNELS

if TYPE_CHECKING:
    from femtodriver.fqir.graph import Network


class NetworkReader(Protocol):
    """Reads the network in a file, and calls it ``name`` (None: as the file calls it, or else the stem of its name).

    ModelError, in one sentence that begins with the file, for one that cannot be read, is hostile, or holds no network.
    """

    def __call__(self, path: Path, name: str | None = None) -> Network: ...


class RequantizingReader(Protocol):
    """Likewise, with the rounding that the network is to have."""

    def __call__(self, path: Path, name: str | None, requantize: str) -> Network: ...


@dataclass(frozen=True)
class NetworkFormat:
    """One format: the endings of its files, the module (below ``femtodriver``) and the function that read them.

    ``requantize``: where the rounding can be chosen, the choices of ``--requantize``, the usual one first.
    ``for_vendor``: whether the vendor's compiler reads these files, too.
    """

    endings: tuple[str, ...]
    module: str
    function: str
    requantize: tuple[str, ...] = ()
    for_vendor: bool = False

    @property
    def reader(self) -> NetworkReader:
        """The function that reads such a file."""
        return cast(NetworkReader, getattr(import_module(f"femtodriver.{self.module}"), self.function))

    @property
    def requantizing_reader(self) -> RequantizingReader:
        """The same function, for those who choose the rounding."""
        return cast(RequantizingReader, self.reader)


_ROWS = (
    NetworkFormat((".pt", ".pth"), "fqir.files.load_network", "load_network", for_vendor=True),
    NetworkFormat((".tflite",), "tflite.import_network", "load_tflite", KERNELS),
    NetworkFormat((".fqir",), "fqir.exchange.exchange_files", "load_fqir"),
)
NETWORK_FORMATS: Mapping[str, NetworkFormat] = {ending: row for row in _ROWS for ending in row.endings}
NETWORK_ENDINGS = ", ".join(NETWORK_FORMATS)
