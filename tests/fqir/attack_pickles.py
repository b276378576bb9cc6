"""Part 2 of the hostile files: the pickle machine. Rows as in ``attack_containers``."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

from graph_wire import (
    DTYPE,
    DTYPE_STATE,
    ENCODE,
    GRAPH,
    NODE,
    SET,
    Archive,
    Raw,
    archive,
    array_state,
    bare,
    constant,
    dtype,
    enc,
    get,
    graph,
    ignored,
    integer,
    members,
    name,
    new,
    node,
    operator,
    put,
    record,
    reduce,
    shell,
    tensor,
)

Rows = dict[str, tuple[str, Callable[[], bytes]]]

NAMES = "must only name classes of graph files"
OPCODE = "must only use the opcodes"
OBJECTS = "only the classes of graph files have objects"
CALLED = "only the constructors of graph files may be called"
OPCODES_SPENT = "must have at most 524288 opcodes"
REPEAT = "many times its own size"

FORBIDDEN_NAMES = (
    ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"), ("pty", "spawn"),
    ("builtins", "eval"), ("builtins", "exec"), ("__builtin__", "eval"), ("__builtin__", "exec"),
    ("builtins", "getattr"), ("builtins", "setattr"), ("builtins", "type"), ("builtins", "object"),
    ("builtins", "open"), ("builtins", "__import__"), ("builtins", "compile"), ("builtins", "frozenset"),
    ("operator", "attrgetter"), ("operator", "itemgetter"), ("functools", "partial"), ("copyreg", "_reconstructor"),
    ("copy_reg", "_reconstructor"), ("copyreg", "__newobj__"), ("importlib", "import_module"), ("pickle", "loads"),
    ("numpy", "load"), ("numpy", "fromfile"), ("numpy", "memmap"), ("numpy", "zeros"), ("numpy", "matrix"),
    ("numpy.ma.core", "MaskedArray"), ("numpy.ctypeslib", "load_library"), ("numpy.testing", "runstring"),
    ("numpy.core.multiarray", "fromfile"), ("numpy._core.multiarray", "zeros"), ("numpy.core.records", "recarray"),
    ("torch", "load"), ("torch.storage", "_load_from_bytes"), ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"), ("torch", "FloatStorage"), ("torch.nn.modules.linear", "Linear"),
    ("fmot.fqir.graph_proto.graph_proto", "load"), ("fmot", "load"), ("fmot.fqir.nodes.optypes", "np"),
    ("fmot.fqir.nodes.optypes", "register"), ("fmot.fqir.nodes.optypes", "optype_registry"),
    ("fmot.fqir.nodes.optypes", "vvadd"), ("fmot.fqir.graph_proto.graph_proto", "os"),
    ("fmot.fqir.graph_proto.graph_proto", "GraphProto.run"), ("fmot.fqir.graph_proto", "GraphProto"),
    ("_codecs", "decode"), ("_codecs", "lookup"), ("codecs", "encode"), ("collections", "defaultdict"),
    ("collections", "Counter"), ("builtins", "set "), ("", "set"), ("builtins", ""),
)  # fmt: skip


def forbidden(module: str, attribute: str) -> Callable[[], bytes]:
    return lambda: archive(Raw(name(module, attribute) + b"(" + enc("id") + b"tR"))


def named_by_stack(module: Any, attribute: Any) -> bytes:
    return bare(ignored(Raw(enc(module) + enc(attribute) + b"\x93")), 4)


GLOBALS: Rows = {
    f"global_{module}_{attribute}".replace(".", "_"): (NAMES, forbidden(module, attribute))
    for module, attribute in FORBIDDEN_NAMES
}
GLOBALS |= {
    "stack_global_dotted": (NAMES, lambda: named_by_stack("builtins", "set.__init__")),
    "stack_global_getattr": (NAMES, lambda: named_by_stack("builtins", "getattr")),
    "stack_global_int": ("must be text", lambda: named_by_stack("builtins", 5)),
    "stack_global_marker": ("must be text", lambda: named_by_stack(name(*SET), "set")),
    "stack_global_bytes": ("must be text", lambda: named_by_stack(b"builtins", "set")),
    "global_endless_line": ("lines of at most", lambda: bare(Raw(b"c" + b"a" * 100_000))),
    "global_non_ascii": (NAMES, lambda: bare(Raw("cbuiltıns\nset\n".encode()))),
}

# Forbidden opcode -> bytes that would be legal for the standard unpickler.
FORBIDDEN_OPCODES: dict[str, bytes] = {
    "inst": b"(ios\nsystem\n",
    "obj_opcode": b"(" + name(*SET) + b"o",
    "newobj_ex": name(*GRAPH) + b")}\x92",
    "ext1": b"\x82\x01",
    "ext2": b"\x83\x01\x00",
    "ext4": b"\x84\x01\x00\x00\x00",
    "persid": b"P0\n",
    "binpersid": enc(("storage", "0")) + b"Q",
    "proto0_int": b"I5\n",
    "proto0_long": b"L5L\n",
    "proto0_float": b"F1.5\n",
    "proto0_string": b"S'\\x41'\n",
    "proto0_unicode": b"V\\u0041\n",
    "proto0_list": b"(l",
    "proto0_dict": b"(d",
    "proto0_get": b"Np0\ng0\n",
    "binstring": b"T\x01\0\0\0a",
    "short_binstring": b"U\x01a",
    "dup": b"N20",
    "pop": b"NN0",
    "pop_mark": b"N(N1",
    "long4": b"\x8b\x01\0\0\0\x05",
    "frozenset": b"(\x91",
    "next_buffer": b"\x97",
    "readonly_buffer": b"N\x98",
    "unknown_opcode": b"\xff",
}
OPCODES: Rows = {
    label: (OPCODE, lambda code=code: bare(ignored(Raw(code)), 5))  # type: ignore[misc]
    for label, code in FORBIDDEN_OPCODES.items()
}

FORMS: Rows = {
    "proto_in_middle": (OPCODE, lambda: bare(Raw(b"\x80\x02" + graph()))),
    "proto0_file": ("must be a graph saved", lambda: b"(dp0\n."),
    "proto6": ("protocol 2, 3, 4 or 5", lambda: archive_of(bare(graph(), 6))),
    "proto6_bare": ("must be a graph saved", lambda: bare(graph(), 6)),
    "proto1": ("protocol 2, 3, 4 or 5", lambda: archive_of(bare(graph(), 1))),
    "no_proto": ("protocol 2, 3, 4 or 5", lambda: archive_of(enc(graph()) + b".")),
    "no_stop": ("ends early", lambda: archive_of(bare(graph())[:-1])),
    "stack_left": ("must leave one value", lambda: bare(Raw(b"N" + graph()))),
    "stack_empty": ("must leave one value", lambda: bare(Raw(b""))),
    "mark_left": ("no open mark", lambda: bare(Raw(b"(" + graph()))),
    "trailing": ("bytes after it", lambda: archive_of(bare(graph()) + b"N")),
    "trailing_bare": ("bytes after it", lambda: bare(graph()) + b"N"),
    "empty_pkl": ("protocol 2, 3, 4 or 5", lambda: archive_of(b"")),
    "no_mark": ("empty stack", lambda: bare(Raw(b"t"))),
    "underflow": ("empty stack", lambda: bare(Raw(b"\x87"))),
    "mark_is_fence": ("empty stack", lambda: bare(Raw(b"](Na"))),
    "odd_setitems": ("pairs", lambda: bare(ignored(Raw(b"}(" + enc("a") + b"u")))),
    "append_to_tuple": ("only a list", lambda: bare(ignored(Raw(b")Na")))),
    "append_to_dict": ("only a list", lambda: bare(ignored(Raw(b"}(NNe")))),
    "setitem_of_list": ("only be set in a dict", lambda: bare(ignored(Raw(b"]" + enc("a") + b"Ns")))),
    "setitem_of_record": ("only be set in a dict", lambda: bare(Raw(graph() + enc("name") + b"Ns"))),
    "additems_of_list": ("only be added to a set", lambda: bare(ignored(Raw(b"](N\x90")), 4)),
    "memo_unknown": ("before it is read", lambda: bare(ignored(get(7)))),
    "bad_utf8": ("valid UTF-8", lambda: bare(ignored(Raw(b"X\x01\0\0\0\xff")))),
    "surrogate_text": ("valid UTF-8", lambda: bare(ignored("\ud800"))),
}


def archive_of(pickle: bytes) -> bytes:
    return Archive(members(pickle)).write()


OBJECT_ROWS: Rows = {
    "newobj_marker": (OBJECTS, lambda: bare(ignored(new(SET)))),
    "newobj_type": (OBJECTS, lambda: bare(ignored(new(("builtins", "int"))))),
    "newobj_text": (OBJECTS, lambda: bare(ignored(Raw(enc("a") + b")\x81")))),
    "newobj_args": ("without arguments", lambda: bare(ignored(Raw(name(*NODE) + enc((1,)) + b"\x81")))),
    "newobj_list": ("without arguments", lambda: bare(ignored(Raw(name(*NODE) + b"]\x81")))),
    "reduce_class": (CALLED, lambda: bare(ignored(reduce(NODE)))),
    "reduce_type": (CALLED, lambda: bare(ignored(reduce(("builtins", "int"), "9" * 1000)))),
    "reduce_ndarray": (CALLED, lambda: bare(ignored(reduce(("numpy", "ndarray"), (4,))))),
    "reduce_record": (CALLED, lambda: bare(ignored(Raw(tensor() + b")R")))),
    "reduce_list": (CALLED, lambda: bare(ignored(Raw(name(*SET) + b"]R")))),
    "build_class": ("have a state", lambda: bare(ignored(Raw(name(*NODE) + b"}b")))),
    "build_list": ("have a state", lambda: bare(ignored(Raw(b"]}b")))),
    "build_slots": ("must be a dict", lambda: bare(ignored(record(NODE, (None, {"name": "n"}))))),
    "build_dunder_class": ("private attributes", lambda: bare(ignored(record(NODE, {"__class__": name(*GRAPH)})))),
    "build_dunder_dict": ("private attributes", lambda: bare(graph(__dict__={}))),
    "build_twice": ("once, not twice", lambda: bare(Raw(graph() + enc({"name": "other"}) + b"b"))),
    "ordered_dict_items": ("without arguments", lambda: bare(ignored(reduce(("collections", "OrderedDict"), [])))),
    "set_of_text": ("set elements", lambda: bare(ignored(reduce(SET, ["a"])))),
    "set_of_unhashable": ("set elements", lambda: bare(ignored(reduce(SET, [[1]])))),
    "set_of_int": ("set elements", lambda: bare(ignored(Raw(b"\x8f(" + enc(5) + b"\x90")), 4)),
    "set_of_tuple": ("from one list", lambda: bare(ignored(reduce(SET, (1, 2))))),
    "set_two_arguments": ("from one list", lambda: bare(ignored(reduce(SET, [], [])))),
    "bytes_of_int": ("without arguments", lambda: bare(ignored(reduce(("__builtin__", "bytes"), (1 << 31) - 1)))),
    "int_of_str": (CALLED, lambda: bare(ignored(reduce(("builtins", "int"), "9" * 1_000_000)))),
    "long_of_str": (CALLED, lambda: bare(ignored(reduce(("__builtin__", "long"), "9" * 1_000_000)))),
}

CODECS = [
    "utf-8",
    "zip",
    "hex",
    "idna",
    "punycode",
    "rot13",
    "base64",
    "unicode_escape",
    "raw_unicode_escape",
    "bz2",
    "latin-1",
    "iso-8859-1",
    "cp1252",
    "mbcs",
    "undefined",
    "quopri",
    "uu",
    "ascii",
    "LATIN1",
]
OBJECT_ROWS |= {
    f"encode_{codec}": ("and 'latin1'", lambda codec=codec: bare(ignored(reduce(ENCODE, "abc", codec))))  # type: ignore[misc]
    for codec in CODECS
}
OBJECT_ROWS |= {
    "encode_third": ("and 'latin1'", lambda: bare(ignored(reduce(ENCODE, "a", "latin1", "ignore")))),
    "encode_one": ("and 'latin1'", lambda: bare(ignored(reduce(ENCODE, "a")))),
    "encode_bytes": ("and 'latin1'", lambda: bare(ignored(reduce(ENCODE, b"a", "latin1")))),
    "encode_wide": ("up to 255", lambda: bare(ignored(reduce(ENCODE, "aŁ", "latin1")))),
}


def memo_put(slot: int) -> bytes:
    return bare(ignored(Raw(b"N" + put(slot))))


def lie(opcode: bytes, length: int, bits: str) -> bytes:
    return bare(ignored(Raw(opcode + struct.pack(bits, length) + b"abc")), 5)


LENGTHS: Rows = {
    "memo_index_huge": ("memo slot", lambda: memo_put((1 << 32) - 1)),
    "memo_index_large": ("memo slot", lambda: memo_put(1000)),
    "unicode_len_lie": ("rest of the file", lambda: lie(b"X", (1 << 32) - 1, "<I")),
    "short_unicode_lie": ("rest of the file", lambda: lie(b"\x8c", 255, "<B")),
    "binunicode8_lie": ("rest of the file", lambda: lie(b"\x8d", 1 << 62, "<Q")),
    "binbytes_lie": ("rest of the file", lambda: lie(b"B", (1 << 32) - 1, "<I")),
    "binbytes8_lie": ("rest of the file", lambda: lie(b"\x8e", 1 << 62, "<Q")),
    "bytearray8_lie": ("rest of the file", lambda: lie(b"\x96", (1 << 64) - 1, "<Q")),
    "frame_lie": ("rest of the file", lambda: lie(b"\x95", 1 << 62, "<Q")),
    "long1_255": ("at most 16 bytes", lambda: bare(ignored(Raw(b"\x8a\xff" + b"\x7f" * 255)))),
    "long1_lie": ("rest of the file", lambda: bare(ignored(Raw(b"\x8a\xff\1")))),
    "cut_number": ("ends early", lambda: bare(Raw(b"J\1\1"))[:-1]),
}


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


def rows() -> Iterator[tuple[str, tuple[str, Callable[[], bytes]]]]:
    for table in (GLOBALS, OPCODES, FORMS, OBJECT_ROWS, LENGTHS, AMPLIFIERS):
        yield from table.items()
