"""Our network while it grows from the operators of a file, and which of its values stands for which tensor.

Every tensor of the file is a flat vector, row by row, of centred values: q - zero point, in 16 bits. So padding and
fresh states are 0, and the zeros behind a RELU are zeros that cost nothing. Inputs and outputs of the network hold the
file's own numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log2, prod
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.errors import ModelError
from femtodriver.fqir.graph import Graph, Network, Node, Tensor
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.records import MAIN_GRAPH, FileTensor, Quantization, TfliteModel
from femtodriver.tflite.state_variables import StateVariable
from femtodriver.tflite.value_rules import activation

CENTRED_BITS = 16
MOST_CONSTANTS = 1 << 23
MOST_CHARACTERS = 600
"""Of a tensor's name: converters join the names of all layers that they fuse, and our networks have at most 1,000."""

LIMITS: Mapping[str, tuple[int, int]] = {"INT8": (-128, 127), "UINT8": (0, 255)}
"""Smallest and largest number of each type that inputs, outputs and activations have."""

_PORT_BITS: Mapping[str, int] = {"INT8": 8, "UINT8": 9}
_DTYPES: Mapping[str, str] = {"INT8": "int8", "UINT8": "int16"}


class NetworkInMaking:
    """What the functions that import operators add to. ``requantize``: whose rounding, "tflite" or "xnnpack"."""

    def __init__(self, model: TfliteModel, states: tuple[StateVariable, ...], requantize: str) -> None:
        self.requantize = requantize
        self.graph = model.graphs[MAIN_GRAPH]
        self._names = _distinct_names(self.graph.tensors)
        self._used = set(self._names)
        self._other_names = _signature_names(model)
        self._values: dict[int, Tensor] = {}
        self._quantizations: dict[int, tuple[str, Quantization]] = {}
        self._nodes: list[Node] = []
        self._left = MOST_CONSTANTS
        self._inputs: dict[int, Tensor] = {}
        self._parameters: list[Tensor] = []
        self.handles: dict[int, tuple[str, str]] = {}
        self.variables: dict[tuple[str, str], Tensor] = {}
        self._states = {(one.container, one.name): self._state(one) for one in states}

    # ---- for functions that import operators ------------------------------------------------------------------------

    def value(self, op: CheckedOperator, tensor: FileTensor) -> Tensor:
        """The centred value of a tensor that the operator reads, flat; a parameter if the tensor is a constant."""
        if tensor.index not in self._values:
            constant = tensor.constant()
            if constant is None:
                raise op.unsupported("its input must be quantized, not real", tensor)
            zero_point = int(activation(op, tensor).zero_point[0])
            centred = constant.astype(np.int64).reshape(-1) - zero_point
            self._values[tensor.index] = self.parameter(f"{self._names[tensor.index]} (centred)", centred)
        return self._values[tensor.index]

    def node(
        self, op: CheckedOperator, name: str, inputs: Mapping[str, Tensor], result: FileTensor, **constants: Any
    ) -> Tensor:
        """A node whose result is the centred value of the tensor ``result``, of which it has as many elements."""
        made = self.inner(op, name, inputs, self._value_name(result), (prod(result.shape),), **constants)
        self._values[result.index] = made
        return made

    def inner(
        self,
        op: CheckedOperator,
        name: str,
        inputs: Mapping[str, Tensor],
        result: str,
        axes: tuple[int, ...],
        bits: int = CENTRED_BITS,
        **constants: Any,
    ) -> Tensor:
        """A node whose result, of this name and shape ``axes``, is no tensor of the file: a step on the way to one."""
        made = Tensor(result, f"int{bits}", axes)
        place = f"{op.operator.name} {op.operator.index}"
        self._nodes.append(Node(place, name, dict(inputs), (made,), constants))
        return made

    def repeated(
        self,
        op: CheckedOperator,
        slices: Sequence[tuple[Tensor, int]],
        count: int,
        result: str,
        make: Callable[[list[Tensor]], Tensor],
    ) -> Tensor:
        """A loop: ``make`` adds the nodes of its body, from the next so many elements of each slice to a flat piece of
        the result, which has ``count`` of them side by side."""
        given = [Tensor(self._fresh(f"{result} slice"), part.dtype, (block,)) for part, block in slices]
        outer, self._nodes = self._nodes, []
        made = make(given)
        body = Graph("rows", tuple(given), (made,), (), tuple(self._nodes))
        self._nodes = outer
        constants = {
            "n_iter": count,
            "n_sliced": len(slices),
            "n_recurse": 0,
            "n_scope": 0,
            "n_concat": 1,
            "n_final": 0,
            "block_size_sliced": tuple(block for _, block in slices),
            "reverse_sliced": (False,) * len(slices),
            "reverse_concat": (False,),
        }
        whole = Tensor(result, made.dtype, (count * made.size,))
        inputs = {f"x_sliced_{place}": part for place, (part, _) in enumerate(slices)}
        place = f"{op.operator.name} {op.operator.index}"
        self._nodes.append(Node(place, "loop", inputs, (whole,), constants, {"body": body}))
        return whole

    def step_name(self, tensor: FileTensor, step: str) -> str:
        """A name for a step on the way to a tensor."""
        return self._fresh(f"{self._names[tensor.index]} ({step})")

    def parameter(self, name: str, values: AnyArray, bits: int = CENTRED_BITS) -> Tensor:
        """A constant of the network; the name is changed if there is such a one."""
        self._left -= values.size
        if self._left < 0:
            raise ModelError(
                f"all constants together must have at most {MOST_CONSTANTS} elements; no part has more room."
            )
        array = np.ascontiguousarray(values, np.int64)
        array.setflags(write=False)
        made = Tensor(self._fresh(name), f"int{bits}", array.shape, array)
        self._parameters.append(made)
        return made

    def same_value(self, op: CheckedOperator, source: FileTensor, result: FileTensor) -> None:
        """``result`` has the centred values of ``source``; no work."""
        self.node(op, "copy", {"x": self.value(op, source)}, result)

    def quantized(self, result: FileTensor, quantization: Quantization, kind: str) -> None:
        """A real tensor at the border of the network: there it is handed over as these integers."""
        self._quantizations[result.index] = kind, quantization

    def door(self, op: CheckedOperator, source: FileTensor, result: FileTensor) -> None:
        """Between the real tensor ``source``, an input of the network, and the integers that it is quantized to."""
        if source.index not in self.graph.inputs:
            raise op.unsupported("a real tensor must be an input or an output of the network", source)
        found = activation(op, result, tuple(LIMITS))
        known = self._quantizations.setdefault(source.index, (result.kind, found))
        if known[0] != result.kind or known[1].scale[0] != found.scale[0] or known[1].zero_point[0] != found.zero_point:
            raise op.unsupported("a real input must be quantized in one way, not in several", source)
        if source.index not in self._values:
            self._input(source)
        self._values[result.index] = self.inner(
            op,
            "copy",
            {"x": self._values[source.index]},
            self._value_name(result),
            (prod(result.shape),),
        )

    def assign(self, op: CheckedOperator, state: Tensor, value: Tensor) -> None:
        """The state takes this value."""
        place = f"{op.operator.name} {op.operator.index}"
        self._nodes.append(Node(place, "assign", {"y": state, "x": value}, ()))

    def state(self, key: tuple[str, str]) -> Tensor | None:
        """The state that is known by container and name; None for a variable that has no value at the start."""
        return self._states.get(key)

    # ---- inputs, outputs, the whole ---------------------------------------------------------------------------------

    def begin(self) -> None:
        """Declare the inputs; real ones wait for the operator that quantizes them."""
        for index in self.graph.inputs:
            tensor = self.graph.tensors[index]
            if tensor.kind in LIMITS and tensor.quantization is not None:
                self._quantizations[index] = tensor.kind, tensor.quantization
                self._input(tensor)

    def finish(self, name: str) -> Network:
        """The network; its outputs are the file's."""
        outputs = {index: self._output(self.graph.tensors[index]) for index in dict.fromkeys(self.graph.outputs)}
        inputs = tuple(self._inputs[index] for index in self.graph.inputs if index in self._inputs)
        results = tuple(outputs[index] for index in self.graph.outputs)
        frame = Graph("ARITH", inputs, results, tuple(self._parameters), tuple(self._nodes))
        states = tuple(self._states.values())
        init = Graph("INIT", (), (), states, ()) if states else None
        graphs = {"ARITH": frame} if init is None else {"ARITH": frame, "INIT": init}
        return Network(name, Graph("MAIN", inputs, results, (), (), graphs), frame, init)

    def _input(self, tensor: FileTensor) -> None:
        port = self._port(tensor)
        self._inputs[tensor.index] = port
        flat, size = self._fresh(f"{port.name} (centred)"), (prod(tensor.shape),)
        place = f"input {tensor.index}"
        rows = Tensor(self._fresh(f"{port.name} (flat)"), port.dtype, size)
        self._nodes.append(Node(place, "reshape", {"x": port}, (rows,), {"shape": size}))
        centred = Tensor(flat, f"int{CENTRED_BITS}", size)
        self._nodes.append(Node(place, "viadd", {"x": rows}, (centred,), _added(-(port.zero_point or 0), CENTRED_BITS)))
        self._values[tensor.index] = centred

    def _output(self, tensor: FileTensor) -> Tensor:
        port, bits = self._port(tensor), _PORT_BITS[self._quantizations[tensor.index][0]]
        flat = Tensor(self._fresh(f"{port.name} (flat)"), port.dtype, (prod(tensor.shape),))
        added = _added(port.zero_point or 0, bits)
        place = f"output {tensor.index}"
        self._nodes.append(Node(place, "viadd", {"x": self._values[tensor.index]}, (flat,), added))
        self._nodes.append(Node(place, "reshape", {"x": flat}, (port,), {"shape": port.shape}))
        return port

    def _port(self, tensor: FileTensor) -> Tensor:
        """An input or output of the network, in the file's own numbers; a batch of 1 is no axis of it."""
        kind, quantization = self._quantizations[tensor.index]
        shape = tensor.shape[1:] if tensor.shape[:1] == (1,) and len(tensor.shape) > 1 else tensor.shape
        return Tensor(
            self._names[tensor.index],
            _DTYPES[kind],
            shape,
            quanta=log2(float(quantization.scale[0])),
            zero_point=int(quantization.zero_point[0]),
            other_names=self._other_names.get(tensor.index, ()),
        )

    def _value_name(self, tensor: FileTensor) -> str:
        """The tensor's own name, but for an output of the network, which has the file's numbers under that name."""
        if tensor.index not in self.graph.outputs:
            return self._names[tensor.index]
        if tensor.quantization is not None:
            self._quantizations.setdefault(tensor.index, (tensor.kind, tensor.quantization))
        return self.step_name(tensor, "centred")

    def _state(self, variable: StateVariable) -> Tensor:
        start, quantization = variable.start.constant(), variable.start.quantization
        if start is None or quantization is None:
            raise TypeError(f"the start of {variable.name!r} is not a quantized constant")
        name = "/".join(part for part in (variable.container, variable.name) if part) or "state"
        values = start.astype(np.int64).reshape(-1) - int(quantization.zero_point[0])
        values.setflags(write=False)
        return Tensor(self._fresh(name), f"int{CENTRED_BITS}", values.shape, values)

    def _fresh(self, name: str) -> str:
        number, found = 1, name
        while found in self._used:
            number += 1
            found = f"{name} #{number}"
        self._used.add(found)
        return found


def _added(number: int, bits: int) -> dict[str, Any]:
    """The constants of a viadd."""
    return {"y": number, "shamt_x": 0, "shamt_y": 0, "shamt_bwred": 0, "bw": bits, "rounded": False}


def _distinct_names(tensors: tuple[FileTensor, ...]) -> list[str]:
    """The tensors' names; those that are empty, shared or cut are told apart by the tensor's number."""
    count: dict[str, int] = {}
    for tensor in tensors:
        count[tensor.name] = count.get(tensor.name, 0) + 1
    taken, found = set(count), []
    for tensor in tensors:
        name = tensor.name
        if not name or count[name] > 1 or len(name) > MOST_CHARACTERS:
            name = f"{name[:MOST_CHARACTERS]} tensor {tensor.index}".strip()
            while name in taken:
                name += "'"
            taken.add(name)
        found.append(name)
    return found


def _signature_names(model: TfliteModel) -> dict[int, tuple[str, ...]]:
    """Names that signatures of the main graph give to its inputs and outputs, by tensor."""
    found: dict[int, tuple[str, ...]] = {}
    for signature in model.signatures:
        if signature.graph == MAIN_GRAPH:
            for name, index in (*signature.inputs.items(), *signature.outputs.items()):
                found[index] = tuple(dict.fromkeys((*found.get(index, ()), name)))
    return found
