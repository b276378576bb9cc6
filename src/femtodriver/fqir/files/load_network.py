"""Load a network file safely: nothing in it is executed, imported or trusted. Neither torch nor fmot is needed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from femtodriver.errors import ModelError, UsageError
from femtodriver.fqir.files.graph_builder import build_graph
from femtodriver.fqir.files.load_limits import MAX_FILE_BYTES, Budget
from femtodriver.fqir.files.torch_container import read_root, unwrap
from femtodriver.fqir.graph import Graph, Network
from femtodriver.fqir.graph_roles import network_from_graph
from femtodriver.fqir.safe_text import describe, plain_name

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
        data = source if isinstance(source, bytes) else _read(os.fspath(source))
        if len(data) > MAX_FILE_BYTES:
            raise ModelError(_too_large(len(data)))
        budget = Budget(len(data))
        stream = unwrap(data)
        del data  # an archive is twice as large as its pickle otherwise
        root = read_root(stream, budget)
        del stream  # the arrays of the graph need the room
        return build_graph(root, budget)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None


def _where(source: object) -> str:
    if isinstance(source, bytes):
        return f"the {len(source)} bytes given"
    if isinstance(source, (str, Path)):
        return plain_path(source)
    raise UsageError(f"load: source must be a path or bytes, not {describe(source)}.")


def plain_path(path: str | Path) -> str:
    """A path for messages: as it is if printable, else quoted."""
    text = str(path)
    return text if text.isprintable() else plain_name(text)


def _too_large(size: int) -> str:
    return f"the file must have at most {MAX_FILE_BYTES >> 20} MiB, not {size / 2**20:.1f}; make the network smaller."


def _read(path: str) -> bytes:
    """All bytes of a regular file of acceptable size; never waits, never reads more than the limit."""
    if "\0" in path:
        raise ModelError("the file name must not contain a NUL character.")
    try:
        _check_regular(os.stat(path))  # before opening: opening some devices acts on them
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            _check_regular(os.fstat(descriptor))
            return file.read(MAX_FILE_BYTES + 1)
    except UnicodeEncodeError:
        raise ModelError("the file name must be valid text of this system.") from None
    except OSError as error:
        raise ModelError(f"the file must exist and be readable: {error.strerror}.") from None


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise ModelError("must be a file, not a directory; give the .pt file itself.")
    if not stat.S_ISREG(status.st_mode):
        raise ModelError("must be a regular file, not a device, pipe or socket.")
    if status.st_size > MAX_FILE_BYTES:
        raise ModelError(_too_large(status.st_size))
