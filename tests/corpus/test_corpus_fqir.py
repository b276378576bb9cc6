"""Every graph of the corpus as a ``.fqir`` file: the same network, hence the same program and outputs.

``PYTHONPATH=tools python -m tests.corpus.test_corpus_fqir`` compares programs and outputs of all; the suite those of
every twelfth.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import CapacityError
from femtodriver.fqir.exchange import fqir_bytes, load_fqir
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.fqir.reference import Reference
from femtodriver.part import load_part
from tests.agree.random_graphs import random_frames
from tests.corpus.corpus_check import graph_names
from tests.fqir.exchange.same_network import difference

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "corpus"
EVERY, FRAMES = 12, 3


def program(network: Network) -> bytes:
    """All files of the compiled program; what is said where it does not fit."""
    try:
        return compile_network(network, load_part()).data.to_zip_bytes()
    except CapacityError as error:
        return str(error).encode()


def outputs(network: Network) -> list[dict[str, bytes]]:
    reference = Reference(network)
    return [
        {name: array.tobytes() for name, array in reference.step(frame).items()}
        for frame in random_frames(network, 1, FRAMES)
    ]


def differences(names: Sequence[str]) -> list[str]:
    """The graphs whose program or outputs are others from a ``.fqir`` file."""
    found = []
    for name in names:
        before = load_network(FOLDER / name / "graph.pt")
        after = load_fqir(fqir_bytes(before))
        if program(before) != program(after) or outputs(before) != outputs(after):
            found.append(name)
    return found


@pytest.mark.slow
def test_every_graph_is_the_same_network_again(corpus: Path) -> None:
    sizes = np.zeros(2, np.int64)
    for name in graph_names(corpus):
        path = corpus / name / "graph.pt"
        before = load_network(path)
        content = fqir_bytes(before)
        assert difference(before, load_fqir(content)) == "", name
        sizes += path.stat().st_size, len(content)
    assert sizes[1] < 0.25 * sizes[0], f"{sizes[0]:,} bytes of .pt became {sizes[1]:,}"


@pytest.mark.slow
def test_programs_and_outputs_are_the_same(corpus: Path) -> None:
    assert differences(graph_names(corpus)[::EVERY]) == []


if __name__ == "__main__":
    chosen = graph_names(FOLDER)
    print(f"{len(chosen)} graphs, {differences(chosen)} differ")
