"""Damaged copies of good ``.fqir`` files, for finding anything but "loaded" and "refused".

The suite tries some thousand; for a long run:  python -m tests.fqir.exchange.mutants 300000
"""

from __future__ import annotations

import copy
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from femtodriver.errors import ModelError
from femtodriver.fqir.exchange import fqir_bytes, load_fqir
from femtodriver.fqir.graph_text import graph_text, network_text
from tests.fqir.exchange.fqir_samples import DATA, sample, sealed
from tests.fqir.files.work import Work

MOST_CALLS = 1_000_000
NUMBERS = (0, -1, 1, 7, 16, 1 << 24, 1 << 31, 1 << 63, -(1 << 63), 0.5, -1e300)
TEXTS = ("", "x", "ARITH", "int8", "\ud800", "\x1b[2J", "a" * 1001)
LISTS: tuple[Any, ...] = ([], [[]], [1], ["x", "x"], [2, 3], [1 << 24] * 8)
VALUES: tuple[Any, ...] = (None, True, False, *NUMBERS, *TEXTS, *LISTS, {}, {"array": 0}, {"table": {}})
PIECES = (
    b"",
    b'"',
    b",",
    b"[",
    b"]",
    b"{",
    b"}",
    b":",
    b"-",
    b"0",
    b"1e9",
    b"\\u0000",
    b"\xff",
    b"null",
    b"NaN",
    b"9" * 20,
)


def mutant(source: random.Random) -> bytes:
    """A file with one to three damages: to its values, its text, its arrays, or its bytes as a whole."""
    (form,) = source.choices((_other_values, _other_text, _other_bytes), (70, 20, 10))
    change: Callable[[random.Random], bytes] = form
    return change(source)


def _other_values(source: random.Random) -> bytes:
    """JSON of another content: values that are changed, removed, repeated or taken from elsewhere."""
    root = sample()
    for _ in range(source.randint(1, 3)):
        place, key = source.choice(list(_places(root)))
        kind = source.randrange(4)
        if kind == 0:
            place[key] = copy.deepcopy(source.choice(VALUES))
        elif kind == 1:
            other, its_key = source.choice(list(_places(root)))
            place[key] = copy.deepcopy(other[its_key])
        elif kind == 2:
            del place[key]
        elif isinstance(place, list):
            place.insert(key, copy.deepcopy(place[key]))
        else:
            place[source.choice(("id", "name", "value", "op", "odd"))] = copy.deepcopy(place[key])
    data = DATA if source.random() < 0.9 else DATA[: source.randrange(len(DATA))]
    return sealed(json.dumps(root).encode("ascii"), data)


def _places(value: Any) -> Any:
    """Every place in lists and objects: what holds it, and its key."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield value, key
        yield from _places(inner)


def _other_text(source: random.Random) -> bytes:
    """Text that need not be JSON any more, with the line that belongs to it."""
    found = bytearray(json.dumps(sample()).encode("ascii"))
    for _ in range(source.randint(1, 3)):
        at = source.randrange(len(found) + 1)
        if source.random() < 0.5 and at < len(found):
            found[at] ^= 1 << source.randrange(8)
        else:
            found[at : at + source.choice((0, 1, 4, 40))] = source.choice(PIECES)
    return sealed(bytes(found), DATA)


def _other_bytes(source: random.Random) -> bytes:
    """A file with damages that its line knows nothing of."""
    found = bytearray(sealed(json.dumps(sample()).encode("ascii"), DATA))
    for _ in range(source.randint(1, 3)):
        at = source.randrange(min(len(found), 120) if source.random() < 0.7 else len(found))
        found[at : at + source.choice((0, 1, 3))] = source.choice(PIECES)
    return bytes(found)


def outcome(data: bytes) -> str:
    """ "loaded" or "refused"; anything else is raised, or told.

    What is loaded can be shown, and written again as what gives the same bytes.
    """
    try:
        with Work() as work:
            network = load_fqir(data)
    except ModelError as error:
        return "refused" if str(error).isprintable() and str(error).isascii() else "unprintable"
    if work.calls > MOST_CALLS:
        return "too much work"
    if not (network_text(network) + graph_text(network.main)).isascii():
        return "unprintable"
    again = fqir_bytes(network)
    return "loaded" if fqir_bytes(load_fqir(again)) == again else "not the same again"


def run(count: int, seed: int) -> Counter[str]:
    """How many mutants were loaded and refused; raises what the reader should not have raised, with the file."""
    source = random.Random(seed)
    verdicts: Counter[str] = Counter()
    for _ in range(count):
        data = mutant(source)
        try:
            verdicts[outcome(data)] += 1
        except BaseException:
            print(f"this file is the culprit: {data!r}", file=sys.stderr)
            raise
    return verdicts


if __name__ == "__main__":
    print(dict(run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)))
