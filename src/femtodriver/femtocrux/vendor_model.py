"""One network for the vendor's compiler: compiled once, simulated as often as wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from femtodriver.arrays import AnyArray
from femtodriver.errors import UsageError
from femtodriver.femtocrux.client_calls import ClientCalls, Frames, VendorOptions, VendorSimulator
from femtodriver.femtocrux.client_failures import COMPILE, SIMULATE, ClientFailures
from femtodriver.femtocrux.client_settings import stdout_to_log
from femtodriver.femtocrux.compiler_service import CompilerService
from femtodriver.femtocrux.network_graph import graph_in_bytes, graph_in_file


@dataclass(eq=False)
class VendorModel:
    """``where``: the model in messages. ``graph``: the live object it was read from, or what ``torch.save`` wrote of
    it; or ``path``: its file.

    Nothing is loaded or started before it is needed.
    """

    service: CompilerService
    where: str
    graph: Any = None
    path: Path | None = None
    options: VendorOptions = field(default_factory=VendorOptions)
    _archive: bytes | None = field(default=None, init=False, repr=False)
    _simulator: tuple[ClientCalls, VendorSimulator] | None = field(default=None, init=False, repr=False)

    def compiled(self) -> bytes:
        """The archive of the program; the compiler works once. BackendError if it refuses, or cannot be used."""
        if self._archive is None:
            graph, calls = self._loaded(), self.service.calls()
            with ClientFailures(COMPILE, self.where), stdout_to_log():
                self._archive = calls.compile(graph, self.options)
        return self._archive

    def simulate(self, inputs: Frames, period_s: float) -> tuple[dict[str, AnyArray], str]:
        """All frames from the initial state: outputs (frames, elements) by name, and the report as it came.

        BackendError if the simulator refuses, or cannot be used.
        """
        graph, calls = self._loaded(), self.service.calls()
        with ClientFailures(SIMULATE, self.where), stdout_to_log():
            if self._simulator is None or self._simulator[0] is not calls:
                self._simulator = calls, calls.simulator(graph, self.options)
            return self._simulator[1].run(inputs, period_s)

    def _loaded(self) -> Any:
        """The graph. UsageError for a network without one of fmot's."""
        if self.graph is None and self.path is not None:
            self.graph = graph_in_file(self.path)
        if isinstance(self.graph, bytes):
            self.graph = graph_in_bytes(self.graph, self.where)
        if self.graph is None:
            raise UsageError(
                f"{self.where}: the model must be a network file (.pt, .pth) or a GraphProto of fmot, or a PyTorch "
                "module, for the vendor's tools, which take no other graph; leave out --compiler femtocrux."
            )
        return self.graph
