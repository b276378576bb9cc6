"""Part 2 of the hostile files: the pickle machine. Rows as in ``attack_containers``."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

from tests.fqir.graph_wire import (
    ENCODE,
    GRAPH,
    NODE,
    SET,
    Archive,
    Raw,
    archive,
    bare,
    enc,
    get,
    graph,
    ignored,
    members,
    name,
    new,
    put,
    record,
    reduce,
    tensor,
)

Rows = dict[str, tuple[str, Callable[[], bytes]]]

NAMES = "must only name classes of graph files"
MISTAKE = "must be a graph saved by torch.save, not (a whole model|tensors of torch)"
OPCODE = "must only use the opcodes"
OBJECTS = "only the classes of graph files have objects"
CALLED = "only the constructors of graph files may be called"

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


# What every file of weights or of a model names: the refusal says that it is one.
OF_TORCH = {
    ("torch.storage", "_load_from_bytes"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch", "FloatStorage"),
    ("torch.nn.modules.linear", "Linear"),
}


def forbidden(module: str, attribute: str) -> Callable[[], bytes]:
    return lambda: archive(Raw(name(module, attribute) + b"(" + enc("id") + b"tR"))


def named_by_stack(module: Any, attribute: Any) -> bytes:
    return bare(ignored(Raw(enc(module) + enc(attribute) + b"\x93")), 4)


GLOBALS: Rows = {
    f"global_{module}_{attribute}".replace(".", "_"): (
        MISTAKE if (module, attribute) in OF_TORCH else NAMES,
        forbidden(module, attribute),
    )
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


def rows() -> Iterator[tuple[str, tuple[str, Callable[[], bytes]]]]:
    for table in (GLOBALS, OPCODES, FORMS, OBJECT_ROWS, LENGTHS):
        yield from table.items()
