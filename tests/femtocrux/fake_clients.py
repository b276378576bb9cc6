"""Client packages without a container, of both generations, and a record of what they were asked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from femtodriver.fqir.files.from_graphproto import adapt
from femtodriver.fqir.reference import Reference
from femtodriver.model.build_model import build
from femtodriver.model.load_model import load_source
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import KEY
from tests.femtocrux.stand_in_client import FQIRModel, ModelAndMetadata


@dataclass
class Asked:
    """What happened, in order, and what is to be raised at "start", "compile" or "simulate"."""

    events: list[str] = field(default_factory=list)
    given: list[Any] = field(default_factory=list)
    failures: dict[str, BaseException] = field(default_factory=dict)

    def note(self, what: str, given: Any = None) -> None:
        self.events.append(what)
        self.given.append(given)
        if what in self.failures:
            raise self.failures[what]


def archive(graph: Any) -> bytes:
    """A foreign program: ours, without what it says about itself."""
    program = build(load_source(graph)).data
    metadata = {key: value for key, value in program.metadata.items() if key not in (KEY, "encrypted")}
    return CompiledData(metadata, program.mems_per_core, {}).to_zip_bytes()


def rows_of(graph: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What our reference gives, as int16."""
    network = adapt(graph)
    reference = Reference(network)
    reference.reset()
    made = []
    for number in range(len(next(iter(inputs.values())))):
        frame = {t.name: inputs[t.name][number].astype(np.int64).reshape(t.shape) for t in network.inputs}
        made.append({name: np.reshape(value, -1) for name, value in reference.step(frame).items()})
    return {name: np.stack([row[name] for row in made]).astype(np.int16) for name in made[0]}


def new_package(asked: Asked) -> Any:
    """A package with the signatures of 3.x."""

    class Simulator:
        def __init__(self, graph: Any) -> None:
            self._graph = graph

        def simulate(self, inputs: Any, input_period: float = 0.016) -> tuple[Any, str]:
            asked.note("simulate", (inputs, input_period))
            return rows_of(self._graph, inputs), '{"Power (W)": 1.5e-4}'

    class CompilerClient:
        def __init__(self, docker_kwargs: dict[str, Any] | None = None) -> None:
            print("Checking container status...")
            asked.note("start", {**(docker_kwargs or {}), "pull": os.environ.get("FS_ALLOW_DOCKER_PULL")})
            self.container = SimpleNamespace(logs=lambda: b"one\\ntwo")

        def compile(
            self,
            model: Any,
            iospec: Any = None,
            opt_profile: Any = None,
            user_configuration: Any = None,
            memory_reservations: Any = None,
        ) -> tuple[bytes, Any, Any]:
            asked.note("compile", (model, iospec, opt_profile, user_configuration))
            if memory_reservations is not None:
                asked.note("reservations", memory_reservations)
            return archive(model.graph_proto), iospec, None

        def get_simulator_object(self, described: Any, options: Any = None) -> Simulator:
            asked.note("simulator", described)
            return Simulator(described.model.graph_proto)

        def close(self) -> None:
            asked.note("close")

    return SimpleNamespace(CompilerClient=CompilerClient, FQIRModel=FQIRModel, ModelAndMetadata=ModelAndMetadata)


def old_package(asked: Asked) -> Any:
    """A package with the signatures that came before."""

    class Simulator:
        def __init__(self, graph: Any) -> None:
            self._graph = graph

        def simulate(self, rows: Any, quantize_inputs: bool, dequantize_outputs: bool) -> tuple[list[Any], str]:
            asked.note("simulate", (rows.shape, quantize_inputs, dequantize_outputs))
            outputs = rows_of(self._graph, {adapt(self._graph).inputs[0].name: rows[0]})
            return [values[np.newaxis] for values in outputs.values()], "Power:\t1.5e-4"

    class CompilerClient:
        def __init__(self, docker_kwargs: dict[str, Any]) -> None:
            asked.note("start", docker_kwargs)
            self.container = SimpleNamespace(logs=lambda: b"")

        def compile(self, model: Any, options: dict[str, Any]) -> bytes:
            asked.note("compile", options)
            return archive(model.graph_proto)

        def simulate(self, model: Any, options: dict[str, Any]) -> Simulator:
            asked.note("simulator", [tensor.quanta for tensor in model.graph_proto.inputs])
            return Simulator(model.graph_proto)

        def close(self) -> None:
            asked.note("close")

    return SimpleNamespace(CompilerClient=CompilerClient, FQIRModel=FQIRModel)
