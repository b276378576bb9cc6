"""Writes graph files byte by byte: pickles of stand-in graphs, torch zip archives, legacy streams.

No torch, no fmot: the names of their classes are text here. What the attacks need wrong can be passed in wrong.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

GRAPH = ("fmot.fqir.graph_proto.graph_proto", "GraphProto")
NODE = ("fmot.fqir.nodes.node_proto", "NodeProto")
TENSOR = ("fmot.fqir.variables.tensor_proto", "TensorProto")
TABLE = ("fmot.qat.nn.atomics", "Table")
OPTYPES = "fmot.fqir.nodes.optypes"
SET = ("__builtin__", "set")
RECONSTRUCT = ("numpy._core.multiarray", "_reconstruct")
SCALAR = ("numpy._core.multiarray", "scalar")
NDARRAY = ("numpy", "ndarray")
DTYPE = ("numpy", "dtype")
ENCODE = ("_codecs", "encode")


class Raw(bytes):
    """Opcodes that leave one value on the stack."""


def enc(value: Any) -> Raw:
    """The opcodes of a plain Python value, protocol 2 (bytes become latin1 text through ``_codecs.encode``)."""
    if isinstance(value, Raw):
        return value
    if value is None:
        return Raw(b"N")
    if isinstance(value, bool):
        return Raw(b"\x88" if value else b"\x89")
    if isinstance(value, int):
        return integer(value)
    if isinstance(value, float):
        return Raw(b"G" + struct.pack(">d", value))
    if isinstance(value, str):
        raw = value.encode("utf-8", "surrogatepass")
        return Raw(b"X" + struct.pack("<I", len(raw)) + raw)
    if isinstance(value, bytes):
        return reduce(ENCODE, value.decode("latin-1"), "latin1")
    if isinstance(value, tuple):
        return Raw(b"(" + b"".join(map(enc, value)) + b"t")
    if isinstance(value, list):
        return Raw(b"](" + b"".join(map(enc, value)) + b"e")
    items = b"".join(enc(key) + enc(item) for key, item in value.items())
    return Raw(b"}(" + items + b"u")


def integer(value: int) -> Raw:
    if -(1 << 31) <= value < 1 << 31:
        return Raw(b"J" + struct.pack("<i", value))
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return Raw(b"\x8a" + bytes([len(raw)]) + raw)


def name(module: str, qualified: str) -> Raw:
    return Raw(f"c{module}\n{qualified}\n".encode())


def reduce(function: tuple[str, str], *arguments: Any) -> Raw:
    return Raw(name(*function) + enc(tuple(arguments)) + b"R")


def new(cls: tuple[str, str]) -> Raw:
    return Raw(name(*cls) + b")\x81")


def record(cls: tuple[str, str], state: Any) -> Raw:
    return Raw(new(cls) + enc(state) + b"b")


def put(slot: int) -> bytes:
    return b"r" + struct.pack("<I", slot)


def get(slot: int) -> Raw:
    return Raw(b"j" + struct.pack("<I", slot))


# ---- graphs --------------------------------------------------------------------------------------------------


def tensor(label: Any = "x", **changes: Any) -> Raw:
    state = {"name": label, "dtype": "int16", "shape": [4], "value": None, "quanta": -7, "is_bool": False}
    return record(TENSOR, changed(state, changes))


def operator(cls: str = "RELU", label: Any = None) -> Raw:
    return record((OPTYPES, cls), {"name": cls.lower() if label is None else label})


def node(**changes: Any) -> Raw:
    state = {
        "name": "n",
        "optype": operator(),
        "opname": "relu",
        "inputs": {"x": tensor()},
        "outputs": [tensor("y")],
        "constants": {},
        "subgraphs": {},
        "subgraph": None,
    }
    return record(NODE, changed(state, changes))


def graph(**changes: Any) -> Raw:
    state: dict[str, Any] = {
        "name": "ARITH",
        "nodes": [node()],
        "inputs": [tensor()],
        "outputs": [tensor("y")],
        "parameters": [],
        "subgraphs": {},
        "reshaper": None,
        "unbind_dim": None,
    }
    return record(GRAPH, changed(state, changes))


MISSING = object()


def changed(state: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The state with changes; an attribute changed to MISSING is left out."""
    return {key: value for key, value in {**state, **changes}.items() if value is not MISSING}


def constant(value: Any) -> Raw:
    """A bare graph whose node has that constant."""
    return graph(nodes=[node(constants={"c": value})])


def ignored(value: Any) -> Raw:
    """A bare graph with that value where nobody looks for meaning."""
    return graph(_runtime_plan_cache=value)


# ---- numpy ---------------------------------------------------------------------------------------------------

DTYPE_STATE = (3, "<", None, None, None, -1, -1, 0)


def dtype(code: str = "i4", state: Any = DTYPE_STATE) -> Raw:
    made = reduce(DTYPE, code, False, True)
    return made if state is None else Raw(made + enc(state) + b"b")


def shell() -> Raw:
    return reduce(RECONSTRUCT, name(*NDARRAY), (0,), b"b")


def array_state(payload: Any = b"\1\0\0\0" * 4, shape: Any = (4,), fortran: Any = False, of: Raw | None = None) -> Raw:
    return enc((1, shape, dtype() if of is None else of, fortran, payload))


def array(payload: Any = b"\1\0\0\0" * 4, shape: Any = (4,), fortran: Any = False, of: Raw | None = None) -> Raw:
    return Raw(shell() + array_state(payload, shape, fortran, of) + b"b")


# ---- files ---------------------------------------------------------------------------------------------------


def bare(value: Any, protocol: int = 2) -> bytes:
    return b"\x80" + bytes([protocol]) + enc(value) + b"."


MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def legacy(root: Any, magic: Any = MAGIC, protocol: Any = 1001, system: Any = SYSTEM, keys: Any = ()) -> bytes:
    return b"".join(map(bare, (magic, protocol, system, root, list(keys))))


@dataclass(frozen=True)
class Member:
    """One member of an archive, as the central directory tells it; what is None agrees with the data."""

    path: bytes
    data: bytes
    flags: int = 0x0808
    method: int = 0
    crc: int | None = None
    size: int | None = None
    local_path: bytes | None = None
    header: int | None = None
    """Tell this position of the local header, and write no local record."""

    @property
    def checksum(self) -> int:
        return zlib.crc32(self.data) if self.crc is None else self.crc

    @property
    def told_size(self) -> int:
        return len(self.data) if self.size is None else self.size

    def local(self) -> bytes:
        path = self.path if self.local_path is None else self.local_path
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 0, self.flags, self.method, 0, 0, 0, 0, 0, len(path), 0)
        tail = struct.pack("<4s3L", b"PK\7\10", self.checksum, self.told_size, self.told_size)
        return head + path + self.data + tail

    def central(self, header: int) -> bytes:
        at = header if self.header is None else self.header
        size = self.told_size
        head = struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 0, 0, self.flags, self.method, 0, 0, self.checksum, size, size,
            len(self.path), 0, 0, 0, 0, 0, at,
        )  # fmt: skip
        return head + self.path


@dataclass(frozen=True)
class Archive:
    """A zip archive as torch writes it; the numbers of its end records can be told otherwise."""

    members: tuple[Member, ...]
    end: dict[str, int] = field(default_factory=dict)
    end64: dict[str, int] = field(default_factory=dict)
    with64: bool = True

    def write(self) -> bytes:
        body, central = b"", b""
        for member in self.members:
            central += member.central(len(body))
            body += member.local() if member.header is None else b""
        true = {"count": len(self.members), "size": len(central), "start": len(body)}
        tail = body + central
        if self.with64:
            told = {**true, **self.end64}
            count = told["count"]
            at = len(tail)
            tail += struct.pack("<4sQ2H2L", b"PK\6\6", 44, 0, 0, 0, 0)
            tail += struct.pack("<4Q", count, count, told["size"], told["start"])
            tail += struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
        told = {**true, **self.end}
        count = told["count"]
        return tail + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, told["size"], told["start"], 0)


def members(pickle: bytes, root: str = "a") -> tuple[Member, ...]:
    contents = {
        "data.pkl": pickle,
        ".format_version": b"1",
        ".storage_alignment": b"64",
        "byteorder": b"little",
        "version": b"3\n",
        ".data/serialization_id": b"0" * 40,
    }
    return tuple(Member(f"{root}/{path}".encode(), data) for path, data in contents.items())


def archive(value: Any) -> bytes:
    """A good archive of the pickle of a value."""
    return Archive(members(bare(value))).write()


def with_member(found: tuple[Member, ...], changed_path: str, **changes: Any) -> tuple[Member, ...]:
    """The members with one changed."""
    return tuple(replace(one, **changes) if one.path == changed_path.encode() else one for one in found)
