"""Hostile and meaningless files, by the numbers that they have in docs/fqir-file.md, with what the refusal says."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.fqir.exchange.fqir_samples import DATA, Json, changed, sample, sealed, written

Attack = tuple[str, Callable[[], bytes]]
"""A pattern for the message, and what makes the file."""

HUGE = 1 << 62
GOOD = json.dumps(sample()).encode("ascii")


def altered(change: Callable[[Json], object], data: bytes = DATA) -> Callable[[], bytes]:
    """The sample with a change."""
    return lambda: written(changed(change), data)


def tensor(index: int, **members: Any) -> Callable[[], bytes]:
    return altered(lambda root: root["tensors"][index].update(members))


def node(graph: int, index: int, **members: Any) -> Callable[[], bytes]:
    return altered(lambda root: root["graphs"][graph]["nodes"][index].update(members))


def graph(index: int, **members: Any) -> Callable[[], bytes]:
    return altered(lambda root: root["graphs"][index].update(members))


def array(index: int, **members: Any) -> Callable[[], bytes]:
    return altered(lambda root: root["arrays"][index].update(members))


def constant(value: Any, key: str = "odd") -> Callable[[], bytes]:
    return altered(lambda root: root["graphs"][2]["nodes"][0]["constants"].update({key: value}))


def text(source: bytes) -> Callable[[], bytes]:
    return lambda: sealed(source, b"")


def instead(old: bytes, new: bytes) -> Callable[[], bytes]:
    """The sample with other JSON text."""

    def make() -> bytes:
        assert old in GOOD
        return sealed(GOOD.replace(old, new, 1), DATA)

    return make


def line(make: Callable[[bytes], bytes]) -> Callable[[], bytes]:
    """The sample with another first line, which is given without its end."""

    def build() -> bytes:
        head, _, body = sealed(GOOD, DATA).partition(b"\n")
        return make(head) + b"\n" + body

    return build


def chain(levels: int, times: int) -> Callable[[], bytes]:
    """Graphs that contain the one before so many times."""

    def change(root: Json) -> None:
        last = "act"
        for level in range(levels):
            bodies = [[str(time), last] for time in range(times)]
            last = f"level {level}"
            root["graphs"].append({"id": last, "nodes": [], "subgraphs": bodies})
        root["main"] = last
        root["graphs"].append(root["graphs"].pop(3))

    return altered(change)


def many_nodes(root: Json) -> None:
    """One list of 20,000 references in each of 15 nodes."""
    root["graphs"][2]["nodes"] += [{"op": "cat", "inputs": [], "outputs": ["m"] * 20_000} for _ in range(15)]


def damaged(place: int) -> Callable[[], bytes]:
    def make() -> bytes:
        content = bytearray(sealed(GOOD, DATA))
        content[place] ^= 1
        return bytes(content)

    return make


def appended(what: str, entry: Json, data: bytes = b"") -> Callable[[], bytes]:
    """The sample with one entry more in a list."""
    return altered(lambda root: root[what].append(entry), DATA + data)


ATTACKS: dict[str, Attack] = {
    # 1: the line
    "1.1": ("must begin with 'fqir 1 '", lambda: b""),
    "1.2": (r"not with b'PK\\x03\\x04", lambda: b"PK\3\4" + bytes(300)),
    "1.3": ("the first line must be", lambda: b"fqir 1"),
    "1.4": ("the first line must be", lambda: b"fqir 1 " + b"9" * 200_000),
    "1.5": ("version must be 1, not 2", line(lambda head: head.replace(b"fqir 1", b"fqir 2"))),
    "1.6": ("the first line must be", line(lambda head: head.replace(b"fqir 1", b"fqir 01"))),
    "1.7": ("the first line must be", line(lambda head: head.replace(b"fqir 1 ", b"fqir 1 +"))),
    "1.8": ("the first line must be", line(lambda head: b"fqir 1 99999999999 0 " + head[-64:])),
    "1.9": ("JSON must have at most", line(lambda head: b"fqir 1 999999999 0 " + head[-64:])),
    "1.10": ("must be followed by 5 [+] 999999999", line(lambda head: b"fqir 1 5 999999999 " + head[-64:])),
    "1.11": ("the first line must be", line(lambda head: head[:-64] + head[-64:].upper())),
    "1.12": ("copy the file as binary", line(lambda head: head + b"\r")),
    "1.13": ("the file is damaged", lambda: sealed(GOOD, DATA)[:-1]),
    "1.14": ("the file is damaged", lambda: sealed(GOOD, DATA) + b"\0"),
    "1.15": ("SHA-256 .* the file is damaged", damaged(-1)),
    "1.16": ("SHA-256 .* the file is damaged", damaged(200)),
    "1.17": ("must have at most 33554432 bytes", lambda: sealed(GOOD, DATA + bytes(32 << 20))),
    # 2: the JSON
    "2.1": ("must be JSON", text(b"")),
    "2.2": ("must be JSON in UTF-8", text(b'{"name": "\xff"}')),
    "2.3": ("must be JSON: ", text(b"\xef\xbb\xbf{}")),
    "2.4": ("must be JSON: Extra data", text(GOOD + b"{}")),
    "2.5": ("nested at most 32 deep", text(b"[" * 200_000)),
    "2.6": ("must be JSON|nested at most", text(b'{"a":' * 100_000)),
    "2.7": ("at most 524,288 of the characters", text(b"[" + b"[],[]," * 200_000 + b"0]")),
    "2.8": ("at most 524,288 of the characters", text(b"[" + b'"ab",' * 600_000 + b"0]")),
    "2.9": ("JSON must have at most 8388608 bytes", text(b" " * (9 << 20))),
    "2.10": ("each member once, not 'name' twice", instead(b'{"name"', b'{"name": "other", "name"')),
    "2.11": ("each member once, not 'op' twice", instead(b'"op": "relu"', b'"op": "relu", "op": "vneg"')),
    "2.12": ("a number must be finite, not 'NaN'", instead(b"-4.5", b"NaN")),
    "2.13": ("a number must be finite, not '1e999'", instead(b"-4.5", b"1e999")),
    "2.14": ("at most 40 characters", instead(b"-4.5", b"9" * 100_000)),
    "2.15": ("at most 64 bits", instead(b"-4.5", b"9" * 39)),
    "2.16": ("the JSON: must be an object, not a list", text(b"[]")),
    "2.17": ('must not have the member "extra"', altered(lambda root: root.update(extra=1))),
    "2.18": ('must not have the member "scale"', tensor(0, scale=0.5)),
    "2.19": ('must not have the member "hook"', node(2, 0, hook="os.system")),
    "2.20": ('must have the member "frame"', altered(lambda root: root.pop("frame"))),
    "2.21": ("name: must be text", altered(lambda root: root.update(name=["a"]))),
    "2.22": ("at most 1000 characters", altered(lambda root: root.update(name="n" * 1001))),
    "2.23": ('must not have the member "__class__"', altered(lambda root: root.update({"__class__": "os.system"}))),
    # 3: arrays
    "3.1": ("dtype must be int8, int16, int32, int64", array(0, dtype="object")),
    "3.2": ("dtype must be int8, int16, int32, int64", array(0, dtype=">i8")),
    "3.3": ("dtype: must be text", array(0, dtype=["int8", [1000]])),
    "3.4": ("whole numbers from 0 to 16777216", array(0, shape=[HUGE])),
    "3.5": ("whole numbers from 0 to 16777216", array(0, shape=[-2, -3])),
    "3.6": ("whole numbers from 0 to 16777216", array(0, shape=[True, 6])),
    "3.7": ("whole numbers from 0 to 16777216", array(0, shape=[2.0, 3])),
    "3.8": ("at most 8 dimensions", array(0, shape=[1] * 9)),
    "3.9": ("array 0: must end inside the file", array(0, shape=[1 << 24, 1 << 24])),
    "3.10": ("array 2: must end inside the file, not 2 bytes behind", array(2, shape=[5])),
    "3.11": ("the bytes must be those of the arrays, 16, not 18", array(2, shape=[3])),
    "3.12": ('must not have the member "offset"', array(0, offset=0)),
    "3.13": (
        "array 3: must be used",
        appended("arrays", {"dtype": "int8", "shape": [2]}, b"ab"),
    ),
    "3.14": (
        "at most 8388608 numbers in all",
        appended("arrays", {"dtype": "int8", "shape": [9, 1 << 20]}, bytes(9 << 20)),
    ),
    "3.15": ("array 3: must end inside the file", appended("arrays", {"dtype": "int8", "shape": [1 << 24]})),
    # 4: tensors
    "4.1": ("value: must be the number of one of 3 arrays, from 0, not 3", tensor(1, value=3)),
    "4.2": ("value: must be the number of one of 3 arrays, from 0, not -1", tensor(1, value=-1)),
    "4.3": ("value: must be the number of one of 3 arrays, from 0, not True", tensor(1, value=True)),
    "4.4": ("value: must be the number of one of 3 arrays", tensor(1, value=[1, 2])),
    "4.5": ("id must be one of its own", tensor(1, id="x")),
    "4.6": ("id: must be text", tensor(1, id=0)),
    "4.7": ("quanta: must be None or a number from -1000", tensor(0, quanta=5000)),
    "4.8": ("quanta: must be None or a number", tensor(0, quanta="-7")),
    "4.9": ("is_bool: must be True or False", tensor(0, is_bool=1)),
    "4.10": ("whole numbers from 0 to 16777216", tensor(0, shape=[1 << 40])),
    "4.11": ("dtype: must have at most 64 characters", tensor(0, dtype="int" + "9" * 5000)),
    "4.12": (
        'tensor "new": must be used',
        appended("tensors", {"id": "new", "dtype": "", "shape": []}),
    ),
    "4.13": ("tensor 0: must be an object, not the text", altered(lambda root: root.update(tensors=["x"]))),
    "4.14": ("tensors: must be a list", altered(lambda root: root.update(tensors={"x": {}}))),
    "4.15": ("zero_point: must be an integer of 32 bits, not 2147483648", tensor(0, zero_point=1 << 31)),
    "4.16": ("zero_point: must be an integer of 32 bits, not the real number 0.0", tensor(0, zero_point=0.0)),
    "4.17": ("other_names: must be text, not 5", tensor(0, other_names=["a", 5])),
    # 5: graphs and nodes
    "5.1": ("must be the id of a graph that comes before", graph(2, subgraphs=[["self", "ARITH"]])),
    "5.2": ("must be the id of a graph that comes before", graph(0, subgraphs=[["later", "ARITH"]])),
    "5.3": ("must be the id of a graph that comes before", altered(lambda root: root.update(frame="nothing"))),
    "5.4": ("must be the id of a graph that comes before", altered(lambda root: root.update(frame=["ARITH"]))),
    "5.5": ("nested at most 16 deep", chain(16, 1)),
    "5.6": ("at most 262144 entries when written out", chain(12, 4)),
    "5.7": ("id must be one of its own", graph(1, id="INIT")),
    "5.8": ('graph "act": must be used', altered(lambda root: root["graphs"][2]["nodes"].pop())),
    "5.9": ('input "x": must be the id of a tensor, not the text "no"', node(2, 0, inputs=[["x", "no"], ["y", "w"]])),
    "5.10": ("inputs must have different names", node(2, 0, inputs=[["x", "x"], ["x", "w"]])),
    "5.11": ("inputs: must be a list of two, not of 3", node(2, 0, inputs=[["x", "x", "w"]])),
    "5.12": ("inputs: must be a list, not a dict", node(2, 0, inputs={"x": "x", "y": "w"})),
    "5.13": ("outputs: must be a list", node(2, 0, outputs="m")),
    "5.14": ("must be the id of a tensor, not None", node(2, 0, outputs=[None])),
    "5.15": ("without operator must have one subgraph, not 0", node(2, 3, subgraphs=[])),
    "5.16": ("subgraphs must have different names", node(2, 3, subgraphs=[["body", "act"], ["body", "INIT"]])),
    "5.17": ("op: must be text", node(2, 0, op={"name": "relu"})),
    "5.18": ("line must be a file and a number", node(2, 0, line="../../etc/x:1")),
    "5.19": ("line must be a file and a number", node(2, 0, line="\x1b[2J:1")),
    "5.20": ('constant "x" must not have the name of an input', constant(1, "x")),
    "5.21": ("unbind_dim: must be None or a whole number from 0 to 8", graph(3, unbind_dim=1 << 40)),
    "5.22": ("262144 entries in all", altered(many_nodes)),
    "5.23": ("node 0: must be an object", graph(0, nodes=[[]])),
    "5.24": ('input "h" must have a name of its own', tensor(8, name="h")),
    "5.25": ("inputs must have different names", graph(2, inputs=["x", "x"])),
    # 6: constants
    "6.1": ("must fit 64 bits", constant(1 << 63)),
    "6.2": ("at most 65536 entries and 4 levels", constant([[[[[1]]]]])),
    "6.3": ("at most 65536 entries and 4 levels", constant([0] * 70_000)),
    "6.4": ("262144 entries in all", constant([[0] * 60_000 for _ in range(5)])),
    "6.5": ("must be the number of one of 3 arrays", constant({"array": 9})),
    "6.6": ('must not have the member "fill"', constant({"array": 0, "fill": 5})),
    "6.7": ('must have the member "table"', constant({"code": "os.system"})),
    "6.8": ("equally long vectors", constant({"table": {"name": "t", "addresses": 0, "values": 0}})),
    "6.9": ("equally long vectors", altered(lambda root: root["arrays"][1].update(shape=[2, 2]))),
    "6.10": ('must have the member "values"', constant({"table": {"name": "t", "addresses": 1}})),
    "6.11": ("at most 1000 characters", constant("n" * 5000)),
    "6.12": ("must have at most 1000 characters", constant(1, "n" * 5000)),
    "6.13": ("constants: must be a dict", node(2, 0, constants=[["bw", 1]])),
}
