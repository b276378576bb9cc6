"""Networks as ``.fqir`` files, for those who have no fmot. ``docs/fqir-file.md`` describes the format."""

from __future__ import annotations

from pathlib import Path

from femtodriver.errors import DefectError, ModelError, UsageError
from femtodriver.files.file_access import AnyPath, read_file, shown_path, write_file
from femtodriver.fqir.exchange.decode_network import decode_network
from femtodriver.fqir.exchange.encode_network import encode_network
from femtodriver.fqir.exchange.exchange_layout import split_parts
from femtodriver.fqir.files.load_limits import MAX_FILE_BYTES
from femtodriver.fqir.graph import Network
from femtodriver.fqir.location import named
from femtodriver.safe_text import describe


def load_fqir(source: str | Path | bytes, name: str | None = None) -> Network:
    """The network of a ``.fqir`` file, or of its bytes; nothing in it is executed.

    ``name``: what the network is called (None: the name in the file). Raises ModelError, in one sentence that begins
    with the file, for one that cannot be read, is damaged or hostile, or holds no network; UsageError for a source of
    another type.
    """
    if not isinstance(source, (str, Path, bytes)):
        raise UsageError(f"load_fqir: source must be a path or bytes, not {describe(source)}.")
    where = f"the {len(source)} bytes given" if isinstance(source, bytes) else shown_path(source)
    content = source if isinstance(source, bytes) else read_file(source, MAX_FILE_BYTES, ModelError)
    try:
        return _decoded(content, name)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None


def fqir_bytes(network: Network) -> bytes:
    """The content of the ``.fqir`` file of a network: the same for the same network.

    ModelError for a network that exceeds the limits of such files.
    """
    try:
        content = encode_network(network)
        again = encode_network(_decoded(content, None))
    except ModelError as error:
        raise ModelError(f"network {named(network.name)}: cannot be written as .fqir: {error}") from None
    if again != content:
        raise DefectError(f"network {named(network.name)}: must be the same when it is read back; please report this.")
    return content


def save_fqir(network: Network, path: AnyPath) -> None:
    """Write a network to a ``.fqir`` file, in one step: in place of what is there, or not at all.

    ModelError as for ``fqir_bytes``; ProgramError where the file cannot be written.
    """
    write_file(Path(path), fqir_bytes(network))


def _decoded(content: bytes, name: str | None) -> Network:
    if len(content) > MAX_FILE_BYTES:
        raise ModelError(f"must have at most {MAX_FILE_BYTES} bytes, not {len(content)}.")
    return decode_network(split_parts(content), name)
