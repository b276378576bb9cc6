"""Damaged copies of good graph files, for finding anything but "loaded" and "refused".

The suite tries a few hundred; for a long run:  python -m tests.fqir.files.mutants 1000000
"""

from __future__ import annotations

import random
import struct
import sys
from collections import Counter
from collections.abc import Callable

from femtodriver.errors import ModelError
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph_text import graph_text, network_text
from tests.fqir.files.work import Work
from tests.fqir.graph_wire import TABLE as TABLE_CLASS
from tests.fqir.graph_wire import Archive, array, constant, graph, legacy, members, node, operator, record, tensor
from tests.fqir.graph_wire import bare as bare_pickle

MOST_CALLS = 1_000_000
INTERESTING = (0, 1, -1, 127, 128, 255, 0x7FFFFFFF, -0x80000000, 1 << 40)


def seeds() -> list[bytes]:
    """Good pickles that between them contain all that graph files contain."""
    table = record(TABLE_CLASS, {"x": array(), "y": array(), "name": "t", "N": 4})
    body = node(optype=operator("LOOP"), opname="loop", subgraphs={"body": graph()}, subgraph=None)
    rich = graph(
        nodes=[node(constants={"table": table, "list": [1, (2, True)], "q": -7.5}), body],
        parameters=[tensor("w", value=array(bytes(24), (2, 3), True), shape=[2, 3])],
    )
    main = graph(name="", nodes=[], subgraphs={"ARITH": rich, "INIT": graph(name="INIT")})
    return [bare_pickle(main), bare_pickle(constant(table)), bare_pickle(rich, 4)]


def mutant(source: random.Random, data: bytes) -> bytes:
    """The bytes with one to four small damages."""
    found = bytearray(data)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(found) + 1)
        source.choice((_flip, _number, _delete, _double, _cut, _insert))(source, found, at)
        if not found:
            break
    return bytes(found)


def _flip(source: random.Random, found: bytearray, at: int) -> None:
    if at < len(found):
        found[at] ^= 1 << source.randrange(8)


def _number(source: random.Random, found: bytearray, at: int) -> None:
    found[at : at + 4] = struct.pack("<q", source.choice(INTERESTING))[: source.choice((1, 4, 8))]


def _delete(source: random.Random, found: bytearray, at: int) -> None:
    del found[at : at + source.randint(1, 8)]


def _double(source: random.Random, found: bytearray, at: int) -> None:
    size = source.randint(1, 60)
    start = source.randrange(len(found))
    found[at:at] = found[start : start + size]


def _cut(source: random.Random, found: bytearray, at: int) -> None:
    if source.random() < 0.1:
        del found[at:]


def _insert(source: random.Random, found: bytearray, at: int) -> None:
    found[at:at] = bytes(source.choice(b"()]}abceghjpqrstu\x81\x85\x86\x87\x8f\x90\x93\x94R.N") for _ in range(2))


def wrapped(source: random.Random, pickle: bytes) -> bytes:
    """A file whose pickle is damaged, or a good one whose container is."""
    form: Callable[[bytes], bytes] = source.choice((_as_archive, _as_bare, _as_legacy))
    if source.random() < 0.8:
        return form(mutant(source, pickle))
    return mutant(source, form(pickle))


def _as_archive(pickle: bytes) -> bytes:
    return Archive(members(pickle)).write()


def _as_bare(pickle: bytes) -> bytes:
    return pickle


def _as_legacy(pickle: bytes) -> bytes:
    good = legacy(0)
    place = good.index(bare_pickle(0))
    return good[:place] + pickle + good[place + len(bare_pickle(0)) :]


def verdict(data: bytes) -> str:
    """ "loaded" or "refused"; anything else is raised, or reported as "too much work"."""
    try:
        with Work() as work:
            network = load_network(data)
        found = "loaded"
        if not (network_text(network) + graph_text(network.main)).isascii():
            found = "unprintable"
    except ModelError as error:
        found = "refused" if str(error).isprintable() else "unprintable"
    return found if work.calls < MOST_CALLS else "too much work"


def run(count: int, seed: int) -> Counter[str]:
    """The verdicts about ``count`` mutants; raises what the loader should not have raised, with the file."""
    source = random.Random(seed)
    pickles = seeds()
    verdicts: Counter[str] = Counter()
    for _ in range(count):
        data = wrapped(source, source.choice(pickles))
        try:
            verdicts[verdict(data)] += 1
        except BaseException:
            print(f"this file is the culprit: {data!r}", file=sys.stderr)
            raise
    return verdicts


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(run(wanted, int(sys.argv[2]) if len(sys.argv) > 2 else 0))
