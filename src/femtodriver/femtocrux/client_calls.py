"""The two ways in which clients of the vendor take their calls, chosen by the signature of ``compile``."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import UsageError
from femtodriver.femtocrux.client_failures import START, ClientFailures

CLIENT = "femtocrux"
# Older simulators do not name their output.
UNNAMED = ""
Frames = Mapping[str, Int64Array]


@dataclass(frozen=True)
class VendorOptions:
    """``flags`` and ``profile`` of the vendor's compiler; ``iospec``: the YAML of the I/O specification, "" for that
    which follows from the graph; ``reservations``: of memory, None for none."""

    flags: Mapping[str, Any] = field(default_factory=dict)
    profile: str | None = None
    iospec: str = ""
    reservations: Mapping[str, Any] | None = None


class VendorSimulator(Protocol):
    """A network in the vendor's simulator."""

    def run(self, inputs: Frames, period_s: float) -> tuple[dict[str, AnyArray], str]:
        """All frames from the initial state: outputs (frames, elements) by name, and the report as it came.

        The only output of an older client has no name: UNNAMED.
        """


class ClientCalls(Protocol):
    """What is asked of a client. ``graph``: fmot's GraphProto, which is not changed."""

    def compile(self, graph: Any, options: VendorOptions) -> bytes:
        """The archive of the compiled program."""

    def simulator(self, graph: Any, options: VendorOptions) -> VendorSimulator:
        """A simulator of the network."""


def find_client() -> Any:
    """The vendor's client package. BackendError if it is not installed."""
    with ClientFailures(START):
        return import_module(CLIENT)


def calls_of(client: Any, package: Any) -> ClientCalls:
    """How this client is called."""
    if "iospec" in inspect.signature(client.compile).parameters:
        return SpecifiedCalls(client, package)
    return PlainCalls(client, package)


class SpecifiedCalls:
    """Clients from 3.0 on: every call needs an I/O specification, and inputs and outputs have names."""

    def __init__(self, client: Any, package: Any) -> None:
        self._client, self._package = client, package

    def compile(self, graph: Any, options: VendorOptions) -> bytes:
        """As of ``ClientCalls``."""
        made = self._client.compile(
            _model(self._package, graph),
            _iospec(graph, options.iospec),
            opt_profile=options.profile,
            user_configuration=dict(options.flags) or None,
            **({} if options.reservations is None else {"memory_reservations": dict(options.reservations)}),
        )
        return bytes(made[0])

    def simulator(self, graph: Any, options: VendorOptions) -> VendorSimulator:
        """As of ``ClientCalls``."""
        described = self._package.ModelAndMetadata(
            model=_model(self._package, graph),
            iospec=_iospec(graph, options.iospec),
            opt_profile=options.profile,
            user_configuration=dict(options.flags) or None,
        )
        return NamedSimulator(self._client.get_simulator_object(described))


class PlainCalls:
    """Older clients: options alone, one input and one output without names."""

    def __init__(self, client: Any, package: Any) -> None:
        self._client, self._package = client, package

    def compile(self, graph: Any, options: VendorOptions) -> bytes:
        """As of ``ClientCalls``. UsageError for a profile or a specification."""
        _check_options(options)
        return bytes(self._client.compile(_model(self._package, graph), options=dict(options.flags)))

    def simulator(self, graph: Any, options: VendorOptions) -> VendorSimulator:
        """As of ``ClientCalls``. UsageError for several inputs or outputs, a profile or a specification."""
        _check_options(options)
        for name, tensors in (("input", graph.inputs), ("output", graph.outputs)):
            if len(tensors) != 1:
                raise UsageError(
                    f"femtocrux: the network must have one {name} for this version of the client, not {len(tensors)}; "
                    "install a client from 3.0 on."
                )
        integers = copy.deepcopy(graph)
        for tensor in (*integers.inputs, *integers.subgraphs["ARITH"].inputs):
            tensor.quanta = 0  # so that its quantization is a cast
        made = self._client.simulate(_model(self._package, integers), options=dict(options.flags))
        return UnnamedSimulator(made)


class NamedSimulator:
    """A simulator that takes and gives mappings."""

    def __init__(self, simulator: Any) -> None:
        self._simulator = simulator

    def run(self, inputs: Frames, period_s: float) -> tuple[dict[str, AnyArray], str]:
        """As of ``VendorSimulator``."""
        outputs, report = self._simulator.simulate(dict(inputs), input_period=period_s)
        return {str(name): np.asarray(rows) for name, rows in outputs.items()}, str(report)


class UnnamedSimulator:
    """A simulator that takes one array (1, frames, elements) and gives a list of such, of which the first counts."""

    def __init__(self, simulator: Any) -> None:
        self._simulator = simulator

    def run(self, inputs: Frames, period_s: float) -> tuple[dict[str, AnyArray], str]:
        """As of ``VendorSimulator``; the period is not asked for."""
        (rows,) = inputs.values()
        outputs, report = self._simulator.simulate(rows[np.newaxis], quantize_inputs=True, dequantize_outputs=False)
        return {UNNAMED: np.asarray(outputs[0])[0]}, str(report)


def _check_options(options: VendorOptions) -> None:
    given = {
        "opt_profile": options.profile is not None,
        "iospec": options.iospec != "",
        "memory_reservations": options.reservations is not None,
    }
    for name, is_given in given.items():
        if is_given:
            raise UsageError(f"{name}: must be left out with this version of the client; install one from 3.0 on.")


def _model(package: Any, graph: Any) -> Any:
    return package.FQIRModel(graph, batch_dim=0, sequence_dim=1)


def _iospec(graph: Any, given: str) -> Any:
    """The client's object for the YAML of a specification or, if that is empty, for what follows from the graph."""
    derived = import_module("fmot").iospec_from_fqir(graph, latch_input_names=[])
    return type(derived).deserialize_from_string(given) if given else derived
