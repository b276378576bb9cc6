"""Load a network file safely: nothing in it is executed, imported or trusted. Neither torch nor fmot is needed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from femtodriver.errors import ModelError, UsageError
from femtodriver.files.file_access import open_file, read_file, shown_path
from femtodriver.fqir.files.foreign_content import END_BYTES, foreign_content
from femtodriver.fqir.files.graph_builder import build_graph
from femtodriver.fqir.files.load_limits import MAX_FILE_BYTES, Budget
from femtodriver.fqir.files.torch_container import read_root, unwrap
from femtodriver.fqir.graph import Graph, Network
from femtodriver.fqir.graph_roles import network_from_graph
from femtodriver.safe_text import describe

Source = str | Path | bytes


def load_network(source: Source, name: str | None = None) -> Network:
    """The network of a ``.pt``/``.pth`` file, or of its bytes.

    ``name`` defaults to the stem of the file name, or "network" for bytes. Raises ModelError, in one sentence that
    begins with the file, for a file that cannot be read, is hostile, or holds no network; UsageError for a source of
    another type.
    """
    where = _where(source)
    if name is None:
        name = "network" if isinstance(source, bytes) else Path(source).stem
    graph = load_graph(source)
    try:
        return network_from_graph(graph, name)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None


def load_graph(source: Source) -> Graph:
    """The main graph of a network file or of its bytes; errors as for ``load_network``."""
    where = _where(source)
    try:
        return _loaded(source, where)
    except ModelError:
        mistake = _mistake(source)
        if mistake is None:
            raise
        raise ModelError(f"{where}: the file must be a graph saved by torch.save, not {mistake}") from None


def _loaded(source: Source, where: str) -> Graph:
    data = source if isinstance(source, bytes) else read_file(source, MAX_FILE_BYTES, ModelError)
    if len(data) > MAX_FILE_BYTES:
        raise ModelError(f"{where}: must have at most {MAX_FILE_BYTES} bytes, not {len(data)}.")
    try:
        budget = Budget(len(data))
        stream = unwrap(data)
        del data  # an archive is twice as large as its pickle otherwise
        root = read_root(stream, budget)
        del stream  # the arrays of the graph need the room
        return build_graph(root, budget)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None


def _mistake(source: Source) -> str | None:
    """What a refused file holds instead of a graph, as ``foreign_content`` says it."""
    if isinstance(source, bytes):
        return foreign_content(source[:END_BYTES], source[-END_BYTES:])
    try:
        with open_file(source, sys.maxsize, ModelError) as file:
            head = file.read(END_BYTES)
            file.seek(max(0, file.seek(0, os.SEEK_END) - END_BYTES))
            return foreign_content(head, file.read(END_BYTES))
    except ModelError:  # it cannot be read, which is what the first error says
        return None


def _where(source: object) -> str:
    if isinstance(source, bytes):
        return f"the {len(source)} bytes given"
    if isinstance(source, (str, Path)):
        return shown_path(source)
    raise UsageError(f"load: source must be a path or bytes, not {describe(source)}.")
