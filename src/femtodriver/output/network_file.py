"""A network of any format, or from memory, as a ``.fqir`` file."""

from __future__ import annotations

from pathlib import Path

from femtodriver.errors import ModelError, UsageError
from femtodriver.files.file_access import shown_path, write_file
from femtodriver.fqir.exchange import fqir_bytes, load_fqir
from femtodriver.fqir.exchange.exchange_layout import FQIR_ENDING
from femtodriver.fqir.validate import validate
from femtodriver.model.load_model import load_source
from femtodriver.options.import_requests import ImportRequest
from femtodriver.output.file_names import safe_name
from femtodriver.output.told_places import check_place
from femtodriver.pytorch.module_reference import Say
from femtodriver.safe_text import plain_name


def write_network(request: ImportRequest, say: Say) -> None:
    """Write the network of a model, and ``say`` line by line what there is to say.

    A network from a .fqir keeps the name that it has in there, unless it gets another one. Raises UsageError for a
    compiled program and for a path that does not end in .fqir, ModelError for a network that cannot be read or exceeds
    the limits of the format, ProgramError where the file cannot be written.
    """
    path, name = request.output, request.model_name
    if path is not None and Path(path).suffix.lower() != FQIR_ENDING:
        raise UsageError(f"output: must be a file that ends in {FQIR_ENDING}, not {shown_path(path)}.")
    check_place(path, "output")
    source = load_source(request.model, name, request.requantize, request, say)
    network = source.network
    if network is not None and name is None and Path(source.where).suffix.lower() == FQIR_ENDING:
        network = load_fqir(source.where)
    if network is None:
        raise UsageError(f"{source.where}: must be a network, not a compiled program, which holds no network any more.")
    place = Path(safe_name(source.name) + FQIR_ENDING if path is None else path)
    content = fqir_bytes(network)
    write_file(place, content)
    say(f"{plain_name(network.name, 60)}: {network.node_count:,} nodes, {network.parameter_count:,} parameters")
    say(f"wrote {shown_path(place)} ({len(content):,} bytes)")
    try:
        validate(network)
    except ModelError as error:
        say(f"note: as it is, the network cannot be compiled: {error}")
