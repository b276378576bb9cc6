"""From the parts of a ``.fqir`` file to a network. Nothing about meaning: that is for ``fqir.validate``.

A graph may only refer to graphs before it, so that none can contain itself; an array begins where the one before it
ends, so that none can lie outside of the file or over another.
"""

from __future__ import annotations

import math
from types import MappingProxyType

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import ModelError
from femtodriver.fqir.exchange.exchange_layout import ELEMENT_TYPES, MAX_ARRAY_NUMBERS, FqirParts
from femtodriver.fqir.exchange.json_members import Members, index_of, pair_of
from femtodriver.fqir.files.allowed_constructors import MAX_DIMENSIONS, checked_shape
from femtodriver.fqir.files.constant_values import Constant
from femtodriver.fqir.files.load_limits import (
    MAX_CONSTANT_ENTRIES,
    MAX_CONSTANT_LEVELS,
    MAX_DTYPE_NAME,
    MAX_EXPANDED_ENTRIES,
    MAX_GRAPH_NESTING,
    Budget,
)
from femtodriver.fqir.files.typed_fields import (
    bool_of,
    dict_of,
    finite,
    list_of,
    optional_int,
    optional_quanta,
    text_of,
)
from femtodriver.fqir.graph import Graph, Network, Node, Table, Tensor
from femtodriver.fqir.graph_roles import with_distinct_names
from femtodriver.fqir.node_origin import is_source_line
from femtodriver.safe_text import describe, quote


def decode_network(parts: FqirParts, name: str | None) -> Network:
    """The network, called ``name`` (None: as the file calls it).

    Raises ModelError for missing, unknown or mistyped members, identifiers that are given twice or that nobody has,
    what nobody refers to, and what exceeds the limits of network files.
    """
    root = Members(parts.value, "the JSON")
    own_name = text_of(root.required("name"), "the JSON: name")
    reader = _NetworkDecoder(root, parts.data)
    frame = reader.graph_called(root.required("frame"), "the JSON: frame")
    init, main = (
        None if called is None else reader.graph_called(called, f"the JSON: {role}")
        for role, called in ((role, root.optional(role)) for role in ("init", "main"))
    )
    root.end()
    reader.check_use()
    return with_distinct_names(Network(own_name if name is None else name, main or frame, frame, init))


class _NetworkDecoder:
    def __init__(self, root: Members, data: memoryview) -> None:
        self._budget = Budget(0, MAX_ARRAY_NUMBERS)
        self._arrays = self._read_arrays(root.entries("arrays"), data)
        self._tables: dict[tuple[str, int, int], Table] = {}
        self._unused_arrays = set(range(len(self._arrays)))
        self._tensors: dict[str, Tensor] = {}
        for index, entry in enumerate(root.entries("tensors")):
            self._add_tensor(entry, f"tensor {index}")
        self._unused_tensors = dict.fromkeys(self._tensors)
        self._graphs: dict[str, tuple[Graph, int, int]] = {}
        self._unused_graphs: dict[str, None] = {}
        for index, entry in enumerate(root.entries("graphs")):
            self._add_graph(entry, f"graph {index}")

    def check_use(self) -> None:
        """ModelError for an array, a tensor or a graph that nothing refers to."""
        for what, left in (
            ("array", self._unused_arrays),
            ("tensor", self._unused_tensors),
            ("graph", self._unused_graphs),
        ):
            for one in left:
                shown = one if isinstance(one, int) else quote(one)
                raise ModelError(f"{what} {shown}: must be used by something; leave it out.")

    # ---- arrays ----------------------------------------------------------------------------------------------

    def _read_arrays(self, entries: list[object], data: memoryview) -> list[Int64Array]:
        self._budget.refer(len(entries))
        found, place = [], 0
        for index, entry in enumerate(entries):
            array, place = self._array(entry, data, place, f"array {index}")
            found.append(array)
        if place != len(data):
            raise ModelError(f"the bytes must be those of the arrays, {place}, not {len(data)}.")
        return found

    def _array(self, entry: object, data: memoryview, place: int, where: str) -> tuple[Int64Array, int]:
        """An array, and where the next one begins."""
        members = Members(entry, where)
        kind = text_of(members.required("dtype"), f"{where}: dtype")
        shape = checked_shape(list_of(members.required("shape"), f"{where}: shape"), f"{where}: the shape")
        members.end()
        if kind not in ELEMENT_TYPES:
            raise ModelError(f"{where}: dtype must be {', '.join(ELEMENT_TYPES)}, not {quote(kind)}.")
        dtype, count = np.dtype(ELEMENT_TYPES[kind]), math.prod(shape)
        end = place + count * dtype.itemsize
        if end > len(data):
            raise ModelError(f"{where}: must end inside the file, not {end - len(data)} bytes behind it.")
        self._budget.numbers(count)
        array = np.frombuffer(data[place:end], dtype).astype(np.int64).reshape(shape)
        array.setflags(write=False)
        return array, end

    def _array_numbered(self, value: object, where: str) -> Int64Array:
        index = index_of(value, len(self._arrays), where)
        self._unused_arrays.discard(index)
        return self._arrays[index]

    # ---- tensors ---------------------------------------------------------------------------------------------

    def _add_tensor(self, entry: object, where: str) -> None:
        members = Members(entry, where)
        identifier = members.text("id")
        if identifier in self._tensors:
            raise ModelError(f"{where}: id must be one of its own, not {quote(identifier)} again.")
        where = f"tensor {quote(identifier)}"
        value = members.optional("value")
        self._tensors[identifier] = Tensor(
            name=text_of(members.optional("name", identifier), f"{where}: name"),
            dtype=text_of(members.required("dtype"), f"{where}: dtype", MAX_DTYPE_NAME),
            shape=checked_shape(list_of(members.required("shape"), f"{where}: shape"), f"{where}: the shape"),
            value=None if value is None else self._array_numbered(value, f"{where}: value"),
            quanta=optional_quanta(members.optional("quanta"), f"{where}: quanta"),
            is_bool=bool_of(members.optional("is_bool", False), f"{where}: is_bool"),
            zero_point=_zero_point(members.optional("zero_point"), f"{where}: zero_point"),
            other_names=self._texts(members.entries("other_names"), f"{where}: other_names"),
        )
        members.end()

    def _texts(self, entries: list[object], where: str) -> tuple[str, ...]:
        self._budget.refer(len(entries))
        return tuple(text_of(entry, where) for entry in entries)

    def _tensor_called(self, value: object, where: str) -> Tensor:
        if not isinstance(value, str) or value not in self._tensors:
            raise ModelError(f"{where}: must be the id of a tensor, not {describe(value)}.")
        self._unused_tensors.pop(value, None)
        return self._tensors[value]

    def _tensor_list(self, entries: list[object], where: str) -> tuple[Tensor, ...]:
        self._budget.refer(len(entries))
        return tuple(self._tensor_called(entry, where) for entry in entries)

    # ---- graphs ----------------------------------------------------------------------------------------------

    def graph_called(self, value: object, where: str) -> Graph:
        """The graph of an identifier, if it comes before."""
        return self._sized_graph(value, where)[0]

    def _sized_graph(self, value: object, where: str) -> tuple[Graph, int, int]:
        """The graph, the number of its entries when everything in it is written out, and how deep it is nested."""
        if not isinstance(value, str) or value not in self._graphs:
            raise ModelError(f"{where}: must be the id of a graph that comes before, not {describe(value)}.")
        self._unused_graphs.pop(value, None)
        return self._graphs[value]

    def _add_graph(self, entry: object, where: str) -> None:
        members = Members(entry, where)
        identifier = members.text("id")
        if identifier in self._graphs:
            raise ModelError(f"{where}: id must be one of its own, not {quote(identifier)} again.")
        where = f"graph {quote(identifier)}"
        nodes = list_of(members.required("nodes"), f"{where}: nodes")
        self._budget.refer(len(nodes))
        built = [self._node(node, f"{where}: node {index}") for index, node in enumerate(nodes)]
        ends = [
            self._tensor_list(members.entries(what), f"{where}: {what}") for what in ("inputs", "outputs", "parameters")
        ]
        bodies = self._bodies(members, where)
        graph = Graph(
            name=text_of(members.optional("name", identifier), f"{where}: name"),
            inputs=ends[0],
            outputs=ends[1],
            parameters=ends[2],
            nodes=tuple(node for node, _, _ in built),
            subgraphs=MappingProxyType({key: body for key, (body, _, _) in bodies.items()}),
            unbind_dim=optional_int(members.optional("unbind_dim"), f"{where}: unbind_dim", MAX_DIMENSIONS),
        )
        members.end()
        inner = list(bodies.values())
        entries = sum(map(len, ends)) + sum(size for _, size, _ in (*built, *inner))
        depth = 1 + max((depth for _, _, depth in (*built, *inner)), default=0)
        if entries > MAX_EXPANDED_ENTRIES:
            raise ModelError(f"{where}: must have at most {MAX_EXPANDED_ENTRIES} entries when written out.")
        if depth > MAX_GRAPH_NESTING:
            raise ModelError(f"{where}: graphs must be nested at most {MAX_GRAPH_NESTING} deep.")
        self._graphs[identifier] = (graph, entries, depth)
        self._unused_graphs[identifier] = None

    def _bodies(self, members: Members, where: str) -> dict[str, tuple[Graph, int, int]]:
        entries = members.entries("subgraphs")
        self._budget.refer(len(entries))
        pairs = [pair_of(entry, f"{where}: subgraphs") for entry in entries]
        bodies = {key: self._sized_graph(value, f"{where}: subgraph {quote(key)}") for key, value in pairs}
        if len(bodies) != len(pairs):
            raise ModelError(f"{where}: subgraphs must have different names.")
        return bodies

    def _node(self, entry: object, where: str) -> tuple[Node, int, int]:
        members = Members(entry, where)
        op = members.optional("op")
        pairs = [pair_of(pair, f"{where}: inputs") for pair in members.entries("inputs")]
        self._budget.refer(len(pairs))
        inputs = {key: self._tensor_called(value, f"{where}: input {quote(key)}") for key, value in pairs}
        if len(inputs) != len(pairs):
            raise ModelError(f"{where}: inputs must have different names.")
        constants = self._constants(members.optional("constants", {}), inputs, where)
        bodies = self._bodies(members, where)
        if op is None and len(bodies) != 1:
            raise ModelError(f"{where}: a node without operator must have one subgraph, not {len(bodies)}.")
        line = text_of(members.optional("line", ""), f"{where}: line")
        if line and not is_source_line(line):
            raise ModelError(f"{where}: line must be a file and a number, as in model.py:12, not {quote(line, 40)}.")
        node = Node(
            name=text_of(members.optional("name", ""), f"{where}: name"),
            op=None if op is None else text_of(op, f"{where}: op"),
            inputs=MappingProxyType(inputs),
            outputs=self._tensor_list(members.entries("outputs"), f"{where}: outputs"),
            constants=MappingProxyType(constants),
            subgraphs=MappingProxyType({key: body for key, (body, _, _) in bodies.items()}),
            line=line,
        )
        members.end()
        size = 1 + len(inputs) + len(node.outputs) + len(constants) + sum(size for _, size, _ in bodies.values())
        return node, size, max((depth for _, _, depth in bodies.values()), default=0)

    # ---- constants -------------------------------------------------------------------------------------------

    def _constants(self, value: object, inputs: dict[str, Tensor], where: str) -> dict[str, Constant]:
        members = dict_of(value, f"{where}: constants")
        self._budget.refer(len(members))
        for key in members:
            if key in inputs:
                raise ModelError(f"{where}: constant {quote(key)} must not have the name of an input.")
        return {key: self._constant(item, f"{where}: constant {quote(key)}", 0) for key, item in members.items()}

    def _constant(self, value: object, where: str, depth: int) -> Constant:
        if isinstance(value, list):
            if depth >= MAX_CONSTANT_LEVELS or len(value) > MAX_CONSTANT_ENTRIES:
                raise ModelError(
                    f"{where}: lists must have at most {MAX_CONSTANT_ENTRIES} entries and {MAX_CONSTANT_LEVELS} levels."
                )
            self._budget.refer(len(value))
            return tuple(self._constant(item, where, depth + 1) for item in value)
        if isinstance(value, dict):
            return self._table_or_array(value, where)
        if isinstance(value, str):
            return text_of(value, where)
        if isinstance(value, float):
            return finite(value, where)
        if type(value) is int and value.bit_length() > 63:
            raise ModelError(f"{where}: must fit 64 bits, not be {describe(value)}.")
        if value is None or isinstance(value, int):
            return value
        raise ModelError(f"{where}: must be a constant, not {describe(value)}.")

    def _table_or_array(self, value: object, where: str) -> Table | Int64Array:
        members = Members(value, where)
        number = members.optional("array")
        if number is not None:
            members.end()
            return self._array_numbered(number, where)
        table = Members(members.required("table"), f"{where}: table")
        members.end()
        name = text_of(table.required("name"), f"{where}: the name")
        numbers = [table.required(what) for what in ("addresses", "values")]
        table.end()
        addresses, values = (self._array_numbered(one, where) for one in numbers)
        if addresses.ndim != 1 or addresses.shape != values.shape:
            raise ModelError(
                f"{where}: addresses and values must be equally long vectors, not of shape {addresses.shape} and "
                f"{values.shape}."
            )
        return self._tables.setdefault((name, id(addresses), id(values)), Table(name, addresses, values))


def _zero_point(value: object, where: str) -> int | None:
    """None, or an integer of 32 bits."""
    if value is not None and (type(value) is not int or not -(1 << 31) <= value < 1 << 31):
        raise ModelError(f"{where}: must be an integer of 32 bits, not {describe(value)}.")
    return value
