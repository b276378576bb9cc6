"""From a network to the JSON and the bytes of a ``.fqir`` file: the same network gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import ModelError
from femtodriver.fqir.exchange.exchange_layout import ELEMENT_TYPES, join_parts
from femtodriver.fqir.files.typed_fields import finite
from femtodriver.fqir.graph import Graph, Network, Node, Table, Tensor
from femtodriver.safe_text import describe

_DEEPEST = 32
Json = dict[str, Any]


def encode_network(network: Network) -> bytes:
    """The bytes of the file.

    ModelError for constants of a type that files cannot hold, and for graphs that contain themselves. Whether the
    network keeps to the limits of files is seen when it is decoded.
    """
    writer = _NetworkEncoder()
    main = network.main if network.main is not network.frame else None
    roles = {"init": network.init, "frame": network.frame, "main": main}
    ends = {role: writer.graph(graph) for role, graph in roles.items() if graph is not None}
    lists = {"arrays": writer.arrays, "tensors": writer.tensors, "graphs": writer.graphs}
    text = "".join(_text_of(network.name, lists, ends))
    return join_parts(text.encode("ascii"), b"".join(writer.data))


def _text_of(name: str, lists: Mapping[str, Sequence[Json]], ends: Json) -> Iterator[str]:
    """One line for each array, tensor, graph and node, so that people can read the text and tools compare it."""
    yield f'{{"name": {_json(name)},\n'
    for what, entries in lists.items():
        yield f'"{what}": {_lines(map(_entry, entries))},\n'
    yield ", ".join(f"{_json(key)}: {_json(value)}" for key, value in ends.items()) + "}\n"


def _entry(entry: Json) -> str:
    """An entry of a list; the nodes of a graph, which stand at its end, have a line each."""
    if "nodes" not in entry:
        return _json(entry)
    head = _json({key: value for key, value in entry.items() if key != "nodes"})
    return f'{head[:-1]}, "nodes": {_lines(map(_json, entry["nodes"]))}}}'


def _lines(entries: Iterable[str]) -> str:
    """A list with a line for each entry."""
    return "[" + ",".join(f"\n{entry}" for entry in entries) + "]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


class _NetworkEncoder:
    """Collects what graphs refer to, each once: arrays by their content, tensors and graphs by their identity."""

    def __init__(self) -> None:
        self.arrays: list[Json] = []
        self.data: list[bytes] = []
        self.tensors: list[Json] = []
        self.graphs: list[Json] = []
        self._array_numbers: dict[tuple[str, tuple[int, ...], bytes], int] = {}
        self._tensor_names: dict[int, str] = {}
        self._graph_names: dict[int, str] = {}
        self._tensor_ids = _Identifiers()
        self._graph_ids = _Identifiers()
        self._depth = 0

    def graph(self, graph: Graph) -> str:
        """The identifier of a graph, which is written after those that it contains."""
        known = self._graph_names.get(id(graph))
        if known is not None:
            return known
        if self._depth >= _DEEPEST:
            raise ModelError(f"graphs must be nested at most {_DEEPEST} deep, and must not contain themselves.")
        self._depth += 1
        entry: Json = {
            "inputs": self._all(graph.inputs),
            "outputs": self._all(graph.outputs),
            "parameters": self._all(graph.parameters),
            "nodes": [self._node(node) for node in graph.nodes],
            "subgraphs": self._bodies(graph.subgraphs),
            "unbind_dim": graph.unbind_dim,
        }
        self._depth -= 1
        # Chosen last, so that its place among those of the same name does not depend on what contains it.
        identifier = self._graph_names[id(graph)] = self._graph_ids.free(graph.name)
        given = {key: value for key, value in entry.items() if value not in (None, []) or key in _ALWAYS}
        self.graphs.append({"id": identifier, **_named(graph.name, identifier), **given})
        return identifier

    def _bodies(self, graphs: Mapping[str, Graph]) -> list[list[str]]:
        return [[key, self.graph(body)] for key, body in graphs.items()]

    def _all(self, tensors: Sequence[Tensor]) -> list[str]:
        return [self._tensor(tensor) for tensor in tensors]

    def _node(self, node: Node) -> Json:
        given: Json = {"op": node.op} if node.op is not None else {}
        given |= {"name": node.name} if node.name else {}
        given["inputs"] = [[key, self._tensor(tensor)] for key, tensor in node.inputs.items()]
        given["outputs"] = self._all(node.outputs)
        if node.constants:
            given["constants"] = {key: self._constant(node.constants[key]) for key in sorted(node.constants)}
        if node.subgraphs:
            given["subgraphs"] = self._bodies(node.subgraphs)
        return given | ({"line": node.line} if node.line else {})

    def _tensor(self, tensor: Tensor) -> str:
        known = self._tensor_names.get(id(tensor))
        if known is not None:
            return known
        identifier = self._tensor_names[id(tensor)] = self._tensor_ids.free(tensor.name)
        given: Json = {"id": identifier, **_named(tensor.name, identifier)}
        given |= {"dtype": tensor.dtype, "shape": list(tensor.shape)}
        given |= {"quanta": _exact(tensor.quanta)} if tensor.quanta is not None else {}
        given |= {"is_bool": True} if tensor.is_bool else {}
        given |= {"zero_point": tensor.zero_point} if tensor.zero_point is not None else {}
        given |= {"other_names": list(tensor.other_names)} if tensor.other_names else {}
        given |= {"value": self._array(tensor.value)} if tensor.value is not None else {}
        self.tensors.append(given)
        return identifier

    def _constant(self, value: object) -> object:
        if value is None or type(value) in (bool, int, str):
            return value
        if isinstance(value, float):
            return finite(value, "a constant")
        if isinstance(value, tuple):
            return [self._constant(item) for item in value]
        if isinstance(value, Table):
            numbers = {"addresses": self._array(value.addresses), "values": self._array(value.values)}
            return {"table": {"name": value.name, **numbers}}
        if isinstance(value, np.ndarray):
            return {"array": self._array(value)}
        raise ModelError(f"a constant must be a plain value, a tuple, a table or an array, not {describe(value)}.")

    def _array(self, values: Int64Array) -> int:
        """The number of an array; those of equal contents are one."""
        kind = _narrowest(values)
        content = np.ascontiguousarray(values, dtype=ELEMENT_TYPES[kind]).tobytes()
        key = (kind, values.shape, content)
        if key not in self._array_numbers:
            self._array_numbers[key] = len(self.arrays)
            self.arrays.append({"dtype": kind, "shape": list(values.shape)})
            self.data.append(content)
        return self._array_numbers[key]


_ALWAYS = ("inputs", "outputs", "nodes")


def _named(name: str, identifier: str) -> Json:
    """The member "name", where it is something else than the identifier."""
    return {} if name == identifier else {"name": name}


class _Identifiers:
    """Gives each thing an identifier of its own: its name, or where that is taken (or empty) the name and a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def free(self, name: str) -> str:
        """One that nothing has yet."""
        found = name
        while not found or found in self._taken:
            number = self._numbers[name] = self._numbers.get(name, 1 if name else 0) + 1
            found = f"{name}#{number}"
        self._taken.add(found)
        return found


def _exact(number: float) -> int | float:
    """A whole number without a point, which says the same."""
    return int(number) if number == int(number) else number


def _narrowest(values: AnyArray) -> str:
    """The narrowest type that holds all values."""
    if values.dtype.kind not in "iub":
        raise ModelError(f"an array must be of whole numbers, not of {values.dtype}.")
    if not values.size:
        return "int8"
    low, high = int(values.min()), int(values.max())
    for kind in ELEMENT_TYPES:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return kind
    raise ModelError(f"an array must hold numbers of 64 bits, not {high}.")
