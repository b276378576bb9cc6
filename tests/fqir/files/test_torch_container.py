"""The three forms of a graph file, and the strict zip reader (hostile archives: test_attacks)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from femtodriver.errors import ModelError
from femtodriver.fqir.files.load_limits import Budget
from femtodriver.fqir.files.load_network import load_graph
from femtodriver.fqir.files.passive_records import GRAPH, Record
from femtodriver.fqir.files.torch_container import read_root, unwrap
from tests.fqir.graph_wire import MAGIC, Archive, archive, bare, graph, legacy, members

PICKLE = bare(graph())


def root(data: bytes) -> object:
    return read_root(unwrap(data), Budget(len(data)))


@pytest.mark.parametrize("data", [archive(graph()), PICKLE, legacy(graph())])
def test_every_form_gives_the_graph(data: bytes) -> None:
    found = root(data)
    assert isinstance(found, Record)
    assert found.marker.kind == GRAPH


def test_a_bare_pickle_of_a_number_is_no_legacy_stream() -> None:
    assert root(bare(MAGIC - 1)) == MAGIC - 1


def test_an_archive_holds_no_legacy_stream() -> None:
    with pytest.raises(ModelError, match="bytes after it"):
        root(Archive(members(legacy(graph()))).write())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    for head in (b"", b"PK\3\4", b"\x80\x02", b"\x80\x04"):
        with pytest.raises(ModelError):
            load_graph(head + data)
