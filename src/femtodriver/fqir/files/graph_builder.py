"""From passive records to the frozen graph records of ``graph.py``: structural typing, nothing about meaning.

Objects are converted once each, by identity: a list of 100,000 nodes that 4,000 graphs share is one object on the
wire. Neighbour sets, caches and statistics of the file are never followed, so its cycles do not matter.
"""

from __future__ import annotations

from types import MappingProxyType

from femtodriver.errors import ModelError
from femtodriver.fqir.files.allowed_constructors import MAX_DIMENSIONS, checked_shape
from femtodriver.fqir.files.allowed_names import OPERATOR_CLASSES
from femtodriver.fqir.files.constant_values import ConstantBuilder
from femtodriver.fqir.files.load_limits import MAX_DTYPE_NAME, MAX_EXPANDED_ENTRIES, MAX_GRAPH_NESTING, Budget
from femtodriver.fqir.files.passive_records import (
    GRAPH,
    NODE,
    OPERATOR,
    TENSOR,
    DtypeStub,
    Marker,
    Record,
)
from femtodriver.fqir.files.typed_fields import (
    State,
    bool_of,
    dict_of,
    list_of,
    optional_int,
    optional_quanta,
    required,
    state_of,
    text_of,
)
from femtodriver.fqir.graph import Graph, Node, Tensor
from femtodriver.fqir.node_origin import source_line
from femtodriver.safe_text import describe, quote


def build_graph(root: object, budget: Budget) -> Graph:
    """The graph of a root record.

    Raises ModelError for a root of another kind, missing or mistyped attributes, and graphs that contain themselves
    or grow beyond the budget when written out.
    """
    if type(root) is not Record or root.marker.kind != GRAPH:
        raise ModelError(f"the file must hold a GraphProto, not {describe(root)}; save the traced graph itself.")
    builder = _GraphBuilder(budget)
    graph = builder.graph(root, "the main graph")
    builder.check_copies()
    return graph


class _GraphBuilder:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._constants = ConstantBuilder(budget)
        self._tensors: dict[int, Tensor] = {}
        self._nodes: dict[int, tuple[Node, int]] = {}
        self._graphs: dict[int, tuple[Graph, int]] = {}
        self._published: dict[int, Tensor] = {}
        self._copies: list[str] = []
        self._open: set[int] = set()

    # ---- graphs ----------------------------------------------------------------------------------------------

    def graph(self, record: object, where: str) -> Graph:
        return self._graph(record, where)[0]

    def _graph(self, record: object, where: str) -> tuple[Graph, int]:
        """The graph, and the number of its entries when every nested graph is written out."""
        state = state_of(record, GRAPH, where)
        found = self._graphs.get(id(record))
        if found is None:
            if id(record) in self._open:
                raise ModelError(f"{where}: a graph must not contain itself; the file is hostile.")
            if len(self._open) >= MAX_GRAPH_NESTING:
                raise ModelError(f"{where}: graphs must be nested at most {MAX_GRAPH_NESTING} deep.")
            self._open.add(id(record))
            found = self._graphs[id(record)] = self._new_graph(state, where)
            self._open.discard(id(record))
        if found[1] > MAX_EXPANDED_ENTRIES:
            raise ModelError(f"{where}: must have at most {MAX_EXPANDED_ENTRIES} entries when written out.")
        return found

    def _new_graph(self, state: State, where: str) -> tuple[Graph, int]:
        name = text_of(state.get("name", ""), f"{where}: the name")
        where = f"graph {quote(name)}" if name else where
        if state.get("reshaper") is not None:
            raise ModelError(f"{where}: reshaper must be None, not {describe(state['reshaper'])}.")
        inputs = self._tensor_list(state, "inputs", where)
        parameters = self._tensor_list(state, "parameters", where)
        records = self._entries(state, "nodes", where)
        built = [self._node(record, f"{where}: node {index}") for index, record in enumerate(records)]
        nodes = [node for node, _ in built]
        outputs = self._outputs(state, records, nodes, where)
        subgraphs = self._bodies(state.get("subgraphs", {}), f"{where}: subgraphs")
        graph = Graph(
            name=name,
            inputs=inputs,
            outputs=tuple(outputs),
            parameters=parameters,
            nodes=tuple(nodes),
            subgraphs=MappingProxyType({key: body for key, (body, _) in subgraphs.items()}),
            unbind_dim=optional_int(state.get("unbind_dim"), f"{where}: unbind_dim", MAX_DIMENSIONS),
        )
        sizes = [len(inputs), len(parameters), len(outputs), *(size for _, size in built)]
        return graph, sum(sizes) + sum(size for _, size in subgraphs.values())

    def _entries(self, state: State, key: str, where: str) -> list[object]:
        entries = list_of(required(state, key, where), f"{where}: {key}")
        self._budget.refer(len(entries))
        return entries

    def _tensor_list(self, state: State, key: str, where: str) -> tuple[Tensor, ...]:
        entries = self._entries(state, key, where)
        return tuple(self._tensor(entry, f"{where}: {key}[{index}]") for index, entry in enumerate(entries))

    def _bodies(self, value: object, where: str) -> dict[str, tuple[Graph, int]]:
        bodies = dict_of(value, where)
        self._budget.refer(len(bodies))
        return {key: self._graph(body, f"{where}: {quote(key)}") for key, body in bodies.items()}

    # ---- outputs, and the repair of a producer's mistake -----------------------------------------------------

    def _outputs(self, state: State, records: list[object], nodes: list[Node], where: str) -> list[Tensor]:
        outputs = []
        for index, entry in enumerate(self._entries(state, "outputs", where)):
            place = f"{where}: outputs[{index}]"
            if type(entry) is Record and entry.marker.kind == NODE:
                outputs.append(self._publish(entry, records, nodes, place))
            else:
                outputs.append(self._tensor(entry, place))
        return outputs

    def _publish(self, entry: Record, records: list[object], nodes: list[Node], where: str) -> Tensor:
        """Repair of a known defect: a model that returns one tensor twice lists the copying *node* as output.

        The value of that node is published under the node's name by one more ``copy`` node at the end of the graph;
        ``nodes`` grows by it.
        """
        if id(entry) in self._published:
            return self._published[id(entry)]
        if not any(record is entry for record in records):
            raise ModelError(f"{where}: must be a tensor, not a node of another graph.")
        source = self._nodes[id(entry)][0]
        if len(source.outputs) != 1 or not source.name:
            raise ModelError(f"{where}: must be a tensor, not a node without name or with several outputs.")
        value = result = source.outputs[0]
        if value.name != source.name:
            result = Tensor(source.name, value.dtype, value.shape, None, value.quanta, value.is_bool)
            nodes.append(Node(source.name, "copy", MappingProxyType({"x": value}), (result,)))
            self._copies.append(result.name)
        self._published[id(entry)] = result
        return result

    def check_copies(self) -> None:
        """The names of repaired outputs must be new: names are identities, in all graphs together."""
        names = {tensor.name for tensor in self._tensors.values()}
        for name in self._copies:
            if name in names or self._copies.count(name) > 1:
                raise ModelError(f"the node {quote(name)} must not be named like a tensor to be an output.")

    # ---- nodes -----------------------------------------------------------------------------------------------

    def _node(self, record: object, where: str) -> tuple[Node, int]:
        state = state_of(record, NODE, where)
        found = self._nodes.get(id(record))
        if found is None:
            found = self._nodes[id(record)] = self._new_node(state, where)
        return found

    def _new_node(self, state: State, where: str) -> tuple[Node, int]:
        name = text_of(required(state, "name", where), f"{where}: the name")
        where = f"{where} ({quote(name)})" if name else where
        op = self._operator(required(state, "optype", where), where)
        self._check_opname(state, op, where)
        inputs = dict_of(required(state, "inputs", where), f"{where}: inputs")
        constants = dict_of(required(state, "constants", where), f"{where}: constants")
        self._budget.refer(len(inputs) + len(constants))
        for key in constants:
            if key in inputs:
                raise ModelError(f"{where}: constant {quote(key)} must not have the name of an input.")
        bodies = self._bodies(_node_bodies(state, where), f"{where}: subgraphs")
        if op is None and len(bodies) != 1:
            raise ModelError(f"{where}: a node without operator must have one subgraph, not {len(bodies)}.")
        node = Node(
            name=name,
            op=op,
            inputs=MappingProxyType(
                {key: self._tensor(x, f"{where}: input {quote(key)}") for key, x in inputs.items()}
            ),
            outputs=self._tensor_list(state, "outputs", where),
            constants=MappingProxyType(
                {key: self._constants.convert(x, f"{where}: constant {quote(key)}") for key, x in constants.items()}
            ),
            subgraphs=MappingProxyType({key: body for key, (body, _) in bodies.items()}),
            line=source_line(state.get("sourceref")),
        )
        size = 1 + len(inputs) + len(node.outputs) + len(constants)
        return node, size + sum(size for _, size in bodies.values())

    def _operator(self, value: object, where: str) -> str | None:
        if value is None:
            return None
        name = text_of(required(state_of(value, OPERATOR, f"{where}: optype"), "name", where), f"{where}: operator")
        cls = value.marker.name if type(value) is Record else ""
        if OPERATOR_CLASSES.get(cls, name) != name:
            raise ModelError(
                f"{where}: an operator of class {cls} must be named {OPERATOR_CLASSES[cls]}, not {quote(name)}."
            )
        return name

    def _check_opname(self, state: State, op: str | None, where: str) -> None:
        opname = text_of(state.get("opname", op or ""), f"{where}: opname")
        if op is not None and opname != op:
            raise ModelError(f"{where}: opname must agree with the operator {op}, not be {quote(opname)}.")

    # ---- tensors ---------------------------------------------------------------------------------------------

    def _tensor(self, record: object, where: str) -> Tensor:
        found = self._tensors.get(id(record))
        if found is None:
            found = self._tensors[id(record)] = self._new_tensor(state_of(record, TENSOR, where), where)
        return found

    def _new_tensor(self, state: State, where: str) -> Tensor:
        name = text_of(required(state, "name", where), f"{where}: the name")
        where = f"{where} ({quote(name)})"
        value = required(state, "value", where)
        return Tensor(
            name=name,
            dtype=_dtype_name(required(state, "dtype", where), where),
            shape=checked_shape(list_of(required(state, "shape", where), f"{where}: shape"), f"{where}: shape"),
            value=None if value is None else self._constants.array(value, f"{where}: value"),
            quanta=optional_quanta(required(state, "quanta", where), f"{where}: quanta"),
            is_bool=bool_of(state.get("is_bool", False), f"{where}: is_bool"),
        )


def _node_bodies(state: State, where: str) -> object:
    """The nested graphs; files of older producers have a single ``subgraph`` only."""
    single = state.get("subgraph")
    if "subgraphs" not in state:
        return {} if single is None else {"body": single}
    bodies = state["subgraphs"]
    if single is not None and type(bodies) is dict and not any(body is single for body in bodies.values()):
        raise ModelError(f"{where}: subgraph must be one of subgraphs.")
    return bodies


def _dtype_name(value: object, where: str) -> str:
    """The producer's text; "" for the type markers of hand-made graphs."""
    if isinstance(value, DtypeStub) or (isinstance(value, Marker) and value.role == "type"):
        return ""
    return text_of(value, f"{where}: dtype", MAX_DTYPE_NAME)
