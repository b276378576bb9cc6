"""The graph object that the vendor's client wants, from bytes that our own loader has accepted first.

Unpickling executes what a file says. So the bytes are read once; our restricted reader, which executes nothing, must
find a network in them, and then the very same bytes are unpickled.
"""

from __future__ import annotations

import importlib
import io
from pathlib import Path
from typing import Any

from femtodriver.errors import BackendError, ModelError
from femtodriver.femtocrux.client_failures import missing_client
from femtodriver.files.file_access import read_file, shown_path
from femtodriver.fqir.files.load_limits import MAX_FILE_BYTES
from femtodriver.fqir.files.load_network import load_network


def graph_in_file(path: Path) -> Any:
    """fmot's GraphProto in a file that ``torch.save`` wrote.

    ModelError for a file that our reader refuses; BackendError where torch or fmot are missing, or cannot read it.
    """
    return graph_in_bytes(read_file(path, MAX_FILE_BYTES, ModelError), shown_path(path))


def graph_in_bytes(content: bytes, where: str) -> Any:
    """The same from what ``torch.save`` wrote; ``where`` names it in messages."""
    try:
        load_network(content, "graph")
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None
    try:
        importlib.import_module("fmot")
        torch = importlib.import_module("torch")
    except ModuleNotFoundError as error:
        raise BackendError(missing_client(error.name or "fmot")) from None
    try:
        return torch.load(io.BytesIO(content), map_location="cpu", weights_only=False)
    except (ImportError, AttributeError, TypeError) as error:  # a class that this fmot does not have
        raise BackendError(
            f"{where}: must be readable by the installed fmot, but is not ({type(error).__name__}); install the "
            "version of fmot that made it."
        ) from None
