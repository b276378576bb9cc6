"""The files that cost a reader most, within the limits: ``python -m tests.fqir.exchange.largest_files FOLDER``.

What they cost: ``python -m tests.fqir.files.attack_runner FOLDER/nodes.fqir FOLDER`` prints calls and memory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from femtodriver.fqir.exchange.exchange_layout import MAX_ARRAY_NUMBERS, MAX_BEGINNINGS, MAX_TEXT_BYTES
from tests.fqir.exchange.fqir_samples import DATA, Json, sample, sealed

NODES, TEXTS = 8000, 180_000
ROWS = MAX_ARRAY_NUMBERS // 4096 - 1


def filled(root: Json) -> tuple[Json, bytes]:
    """With an array of as many numbers as there may be."""
    root["arrays"].append({"dtype": "int16", "shape": [ROWS, 4096]})
    root["graphs"][2]["nodes"][0]["constants"]["odd"] = {"array": 3}
    return root, DATA + bytes(2 * 4096 * ROWS)


def padded(text: str) -> bytes:
    """As long as text may be, most of it spaces; a character outside of the first plane makes all of them wide."""
    content = text.encode("utf-8")
    return content + b" " * (MAX_TEXT_BYTES - len(content))


def nodes() -> bytes:
    """A chain of nodes, each with its tensor."""
    root, data = filled(sample())
    for place in range(NODES):
        taken = f"v{place - 1}" if place else "t"
        constants = dict.fromkeys("abcdefgh", 1)
        root["tensors"].append({"id": f"v{place}", "dtype": "fqint16", "shape": [3]})
        step = {"op": "relu", "inputs": [["x", taken]], "outputs": [f"v{place}"], "constants": constants}
        root["graphs"][2]["nodes"].append({**step, "name": f"node{place}", "line": "a.py:3"})
    return sealed(json.dumps(root).encode("ascii"), data)


def texts() -> bytes:
    """Lists of texts, in wide characters."""
    root, data = filled(sample())
    some = ["\U0001f600", *(f"ab{place:06}" for place in range(TEXTS // 3 - 1))]
    root["graphs"][2]["nodes"][0]["constants"]["texts"] = [some, some, some]
    return sealed(padded(json.dumps(root, ensure_ascii=False)), data)


def strangers() -> bytes:
    """As many texts as there may be, which are no network, so that all of it is refused in the end."""
    many = ",".join(f'"{place:08}"' for place in range(MAX_BEGINNINGS - 20))
    return sealed(padded(f'{{"name": "\U0001f600", "odd": [{many}]}}'), filled(sample())[1])


FILES = {"nodes": nodes, "texts": texts, "strangers": strangers}

if __name__ == "__main__":
    for name, make in FILES.items():
        Path(sys.argv[1], f"{name}.fqir").write_bytes(make())
