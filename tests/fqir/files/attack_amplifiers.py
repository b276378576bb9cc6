"""Part 2, continued: small files that ask for much. Rows as in ``attack_containers``."""

from __future__ import annotations

from collections.abc import Callable

from tests.fqir.graph_wire import (
    DTYPE,
    DTYPE_STATE,
    ENCODE,
    GRAPH,
    NODE,
    SET,
    Raw,
    array_state,
    bare,
    constant,
    dtype,
    enc,
    get,
    graph,
    ignored,
    integer,
    name,
    new,
    node,
    operator,
    put,
    reduce,
    shell,
    tensor,
)

Rows = dict[str, tuple[str, Callable[[], bytes]]]

OPCODES_SPENT = "must have at most 524288 opcodes"
REPEAT = "many times its own size"


def repeated(setup: bytes, piece: bytes, times: int) -> bytes:
    """A bare graph with an ignored list: ``setup`` makes memo entries, ``piece`` uses them again and again."""
    return bare(ignored(Raw(b"](" + setup + piece * times + b"e")))


def encode_amplify() -> bytes:
    setup = name(*ENCODE) + put(0) + enc(("a" * (1 << 20), "latin1")) + put(1)
    return repeated(setup, get(0) + get(1) + b"R", 30_000)


def encode_amplify_small() -> bytes:
    setup = name(*ENCODE) + put(0) + enc(("\xe9" * 3000, "latin1")) + put(1)
    return repeated(setup, get(0) + get(1) + b"R", 30_000)


def set_amplify() -> bytes:
    items = [new(NODE)] * 5000
    setup = name(*SET) + put(0) + enc((items,)) + put(1)
    return repeated(setup, get(0) + get(1) + b"R", 30_000)


def array_amplify(order: str = ">") -> bytes:
    kind = Raw(reduce(DTYPE, "i4", False, True) + enc((3, order, *DTYPE_STATE[2:])) + b"b")
    # Two values that stay in the list: the state of the arrays and an empty array shell each time.
    setup = array_state(bytes(1 << 18), (1 << 16,), of=kind) + put(0)
    return repeated(setup, shell() + get(0) + b"b", 3000)


def state_amplify() -> bytes:
    state = {f"attribute {index}": None for index in range(5000)}
    return repeated(enc(state) + put(0) + name(*NODE) + put(1), get(1) + b")\x81" + get(0) + b"b", 30_000)


def wide_texts() -> bytes:
    """Texts that take four times their bytes in memory: one rare character among ASCII."""
    return bare(ignored(["a" * 500_000 + "\U0001f600" for _ in range(30)]))


def very_wide_text() -> bytes:
    return bare(ignored("a" * 20_000_000 + "\U0001f600"))


def deep_list(depth: int = 1_000_000) -> Raw:
    return Raw(b"]" * depth + b"a" * (depth - 1))


def deep_tuple(depth: int) -> Raw:
    return Raw(b")" + b"\x85" * depth)


def billion_laughs() -> Raw:
    parts: list[bytes] = [enc([1] * 200) + put(0)]
    for level in range(1, 6):
        parts.append(b"](" + get(level - 1) * 200 + b"e" + put(level))
    return Raw(b"](" + b"".join(parts) + b"e")


def wide_laughs() -> Raw:
    """Nested only three deep, but 300 * 300 numbers when written out."""
    return Raw(b"](" + enc([1] * 300) + put(0) + get(0) * 300 + b"e")


def shared_node_list() -> bytes:
    listing = b"](" + node() + put(0) + get(0) * 99_999 + b"e" + put(1)
    bodies = {f"s{index}": graph(name="S", nodes=get(1)) for index in range(4000)}
    return bare(graph(nodes=Raw(listing), subgraphs=bodies))


def shared_long_constants() -> bytes:
    """Many nodes that share one state with very many constants."""
    state = {"name": "n", "optype": operator(), "opname": "relu", "inputs": {}, "outputs": [], "subgraphs": {}}
    constants = {f"c{index}": 1 for index in range(10_000)}
    first = Raw(enc({**state, "constants": constants}) + put(0))
    nodes = [Raw(new(NODE) + first + b"b")] + [Raw(new(NODE) + get(0) + b"b")] * 20_000
    return bare(graph(nodes=nodes))


def self_list() -> bytes:
    return bare(constant(Raw(b"]" + put(0) + get(0) + b"a")))


def self_graph() -> bytes:
    inner = node(optype=None, opname="", subgraphs={"body": get(0)})
    outer = Raw(new(GRAPH) + put(0) + enc({"name": "", "nodes": [inner], "inputs": [], "outputs": [],
                                           "parameters": [], "subgraphs": {}}) + b"b")  # fmt: skip
    return bare(outer)


def self_subgraph() -> bytes:
    state = {"name": "", "nodes": [], "inputs": [], "outputs": [], "parameters": [], "subgraphs": {"ARITH": get(0)}}
    return bare(Raw(new(GRAPH) + put(0) + enc(state) + b"b"))


def deep_graphs(depth: int = 400) -> bytes:
    inner = graph()
    for _ in range(depth):
        inner = graph(nodes=[node(optype=None, opname="ARITH", subgraphs={"body": inner})])
    return bare(inner)


def doubled_graphs() -> bytes:
    """Fourteen levels, each calling the next four times: 4**14 nodes when run."""
    inner = Raw(graph() + put(0))
    for level in range(1, 15):
        calls = [node(optype=None, opname="ARITH", subgraphs={"body": inner})]
        calls += [node(optype=None, opname="ARITH", subgraphs={"body": get(level - 1)}) for _ in range(3)]
        inner = Raw(graph(nodes=calls) + put(level))
    return bare(inner)


def aliased_after_build() -> bytes:
    """A good node list that gets a number appended, through the memo, after the graph was built."""
    nodes = Raw(enc([node()]) + put(0))
    return bare(Raw(b"(" + graph(nodes=nodes) + put(1) + get(0) + enc(5) + b"a" + get(1) + b"t"))


def aliased_in_place() -> bytes:
    nodes = Raw(enc([node()]) + put(0))
    late = Raw(get(0) + enc(5) + b"a")
    return bare(graph(nodes=nodes, later=late))


def many_opcodes() -> bytes:
    return bare(ignored(Raw(b"(" + b"N" * 3_000_000 + b"t")))


AMPLIFIERS: Rows = {
    "encode_amplify": (REPEAT, encode_amplify),
    "encode_amplify_small": (REPEAT, encode_amplify_small),
    "set_amplify": (REPEAT, set_amplify),
    "array_amplify": (REPEAT, array_amplify),
    "array_amplify_little": (REPEAT, lambda: array_amplify("<")),
    "state_amplify": (REPEAT, state_amplify),
    "wide_texts": ("megabytes more in memory", wide_texts),
    "wide_text": ("must be Latin-1", very_wide_text),
    "many_opcodes": (OPCODES_SPENT, many_opcodes),
    "deep_list": (OPCODES_SPENT, lambda: bare(ignored(deep_list()))),
    "deep_tuple": (OPCODES_SPENT, lambda: bare(ignored(deep_tuple(2_000_000)))),
    "deep_constant": ("nested at most", lambda: bare(constant(deep_list(200_000)))),
    "deep_constant_tuple": ("nested at most", lambda: bare(constant(deep_tuple(400_000)))),
    "deep_shape": ("must be a list", lambda: bare(graph(inputs=[tensor(shape=deep_tuple(400_000))]))),
    "deep_shape_list": ("whole numbers from 0", lambda: bare(graph(inputs=[tensor(shape=deep_list(200_000))]))),
    "deep_root": ("must hold a GraphProto", lambda: bare(deep_tuple(500_000))),
    "deep_dict_key": ("keys must be text", lambda: bare(ignored(Raw(b"}" + deep_tuple(400_000) + b"Ns")))),
    "deep_set_element": ("set elements", lambda: bare(ignored(reduce(SET, [deep_tuple(400_000)])))),
    "deep_dtype_state": ("plain number type", lambda: bare(ignored(dtype(state=deep_tuple(400_000))))),
    "deep_name": ("must be text", lambda: bare(graph(name=deep_tuple(400_000)))),
    "billion_laughs_const": ("nested at most|entries", lambda: bare(constant(billion_laughs()))),
    "wide_laughs_const": ("at most 65536 entries", lambda: bare(constant(wide_laughs()))),
    "shared_node_list2": ("entries when written out", shared_node_list),
    "shared_long_constants": ("entries in all its lists|many times its own size", shared_long_constants),
    "self_list_const": ("nested at most", self_list),
    "self_graph": ("must not contain itself", self_graph),
    "self_subgraph": ("must not contain itself", self_subgraph),
    "deep_graphs": ("nested at most", deep_graphs),
    "doubled_graphs": ("entries when written out", doubled_graphs),
    "int_key_dict": ("keys must be text", lambda: bare(ignored({integer(((1 << 61) - 1) * i): 0 for i in range(99)}))),
    "none_key": ("keys must be text", lambda: bare(ignored({None: 1}))),
    "alias_after_build": ("must hold a GraphProto", aliased_after_build),
    "alias_in_place": ("must be a node", aliased_in_place),
}
