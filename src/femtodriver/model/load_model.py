"""The model argument: a path, LOOPBACK or a graph, read and checked."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.errors import ModelError, UsageError
from femtodriver.files.file_access import MissingFileError, read_file, shown_path
from femtodriver.files.file_digest import file_digest
from femtodriver.fqir.files.from_graphproto import adapt
from femtodriver.fqir.files.load_limits import MAX_FILE_BYTES
from femtodriver.fqir.graph import Graph, Network, Table
from femtodriver.fqir.graph_text import graph_text
from femtodriver.iospec import IOSpec
from femtodriver.model.loopback import NAME as LOOPBACK
from femtodriver.model.loopback import loopback
from femtodriver.model.network_formats import NETWORK_FORMATS, NetworkFormat
from femtodriver.model.wrong_ending import check_ending
from femtodriver.options.conversion_requests import ConversionRequest
from femtodriver.options.option import is_default, options_of
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import ConversionOrigin
from femtodriver.program.femto.femto_records import MAX_FILE as MAX_FEMTO
from femtodriver.program.femto.femtofile import FemtoFile
from femtodriver.program.femto.user_data import with_user_data
from femtodriver.pytorch.module_reference import Say, is_module, is_module_class, module_reference, names_python

OWN_META = "meta_from_femtodriver"
ZIP_META = "meta_from_zipfile"
FEMTO_META = "meta_from_femtofile"
FEMTOCRUX_META = "meta_from_femtocrux"
VENDOR_METAS = ("meta_from_femtomapper", FEMTOCRUX_META)
META_NAMES = (OWN_META, *VENDOR_METAS, ZIP_META, FEMTO_META)
DEFAULT_NAME = "fqir"
_SURROGATE = re.compile("[\ud800-\udfff]")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Source:
    """A model before compilation: a network, or a program that was compiled before.

    ``where`` names it in messages; ``meta_name`` is the folder for its images; ``sha256`` belongs to the network;
    ``container`` has the bytes of the ``.femto`` that it came from; ``path`` is the file of a network, ``graph`` the
    live object that it was read from, or bytes of ``torch.save``, for the vendor's compiler, where it can read them.
    ``iospec``: the order of inputs and outputs, and which inputs are latched, where somebody has said so; see
    ``specified_io``. ``requantize``: whose rounding the network has, where that can be chosen. ``conversion``: how it
    was made of a PyTorch module; ``sample``: real numbers by input, (frames, length), to run that on.
    """

    name: str
    where: str
    meta_name: str
    network: Network | None = None
    program: CompiledData | None = None
    sha256: str | None = None
    container: bytes | None = None
    path: Path | None = None
    graph: object = None
    requantize: str | None = None
    iospec: IOSpec | None = None
    conversion: ConversionOrigin | None = None
    sample: Mapping[str, AnyArray] = field(default_factory=dict)


NO_CONVERSION = ConversionRequest()


def load_source(
    model: object,
    name: str | None = None,
    requantize: str | None = None,
    conversion: ConversionRequest = NO_CONVERSION,
    say: Say = _log.info,
) -> Source:
    """The model that the argument means; ``name`` overrides the name that it would get.

    ``requantize``: for formats whose rounding can be chosen (``network_formats``), which one. ``conversion``: how a
    PyTorch module is converted, in a process of its own if it is in a file; ``say(text)`` gets what is told of that.

    Raises UsageError for an argument of another type, a file name extension that is none of ours, and options for
    another format; ModelError for a network that cannot be read, ProgramError for a damaged program.
    """
    name = None if name is None else _storable(name)
    source = _from_pytorch(model, name, conversion, say) or _source(model, name, requantize)
    if requantize is not None and source.requantize is None:
        raise UsageError(
            f"requantize: the model must be a file that ends in {_REQUANTIZED}, not {source.where}; leave it out."
        )
    kind = "network" if source.network is not None else "program"
    _log.debug("loaded the %s %s from %s, sha256 %s", kind, source.name, source.where, source.sha256 or "unknown")
    return source


def converted_name(model: object, name: str | None) -> str | None:
    """What ``load_source`` will call a PyTorch module, before it is converted; None for any other model.

    UsageError for a file of Python without the name of what builds it.
    """
    if names_python(model):
        usual = module_reference(model).model_name
    elif is_module(model):
        usual = type(model).__name__
    else:
        return None
    return _storable(name or usual)


def _from_pytorch(model: object, name: str | None, conversion: ConversionRequest, say: Say) -> Source | None:
    """None for anything but a module of PyTorch. UsageError for options of its conversion then."""
    called = converted_name(model, name)
    if called is not None:
        return _converted(model, called, conversion, say)
    if inspect.isfunction(model) or is_module_class(model):
        maker = str(getattr(model, "__name__", "it"))
        raise UsageError(f"model: must be the module that {maker}() gives, not {maker} itself; call it.")
    given = [one for one in options_of(ConversionRequest) if not is_default(one, getattr(conversion, one.name))]
    for option in given:
        raise UsageError(
            f"{option.name}: must be left out, because this model is not a PyTorch module (FILE.py:NAME, or one in "
            "memory)."
        )
    return None


def _converted(model: object, name: str, conversion: ConversionRequest, say: Say) -> Source:
    from femtodriver.pytorch.convert_model import convert_live, convert_reference  # other models need not wait for it

    if names_python(model):
        made = convert_reference(module_reference(model), name, conversion, say)
    else:
        made = convert_live(model, name, conversion, say)
    return Source(
        name,
        made.where,
        OWN_META,
        made.network,
        sha256=_network_digest(made.network),
        graph=made.graph,
        conversion=made.origin,
        sample=made.sample,
    )


def _source(model: object, name: str | None, requantize: str | None) -> Source:
    if isinstance(model, str) and model == LOOPBACK:
        network = loopback()
        return Source(name or LOOPBACK, LOOPBACK, OWN_META, network, sha256=_network_digest(network))
    if isinstance(model, (str, os.PathLike)):
        if not os.fspath(model):
            raise UsageError("model: must be LOOPBACK, a graph or the path of a model, not empty.")
        return _from_path(Path(os.fsdecode(model)), name, requantize)
    if isinstance(model, Network):
        network = replace(model, name=name or _storable(model.name) or DEFAULT_NAME)
        return Source(network.name, network.name, OWN_META, network, sha256=_network_digest(network))
    network = adapt(model, name or DEFAULT_NAME)
    return Source(network.name, network.name, OWN_META, network, sha256=_network_digest(network), graph=model)


def _from_path(path: Path, name: str | None, requantize: str | None) -> Source:
    reader = _reader(path.suffix.lower(), requantize)
    if os.path.isdir(path) or (reader is None and not path.suffix and not os.path.exists(path)):
        return _from_directory(path, name)
    if reader is None:
        ending = f"a file that ends in {path.suffix!r}" if path.suffix else "a file without an ending"
        raise UsageError(f"{shown_path(path)}: the model must be {_FORMS}, not {ending}.")
    return reader(path, name or _storable(path.stem))


def _storable(name: str) -> str:
    """A model's name as text that every file can hold: bytes of a file name that are no UTF-8 become ``%`` and digits.

    Where the system takes file names for ASCII, those that are UTF-8 become the characters that they mean.
    """
    with contextlib.suppress(UnicodeEncodeError):
        name = name.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    return _SURROGATE.sub(lambda found: f"%{ord(found.group()) & 0xFF:02X}", name)


def _reader(ending: str, requantize: str | None) -> Callable[[Path, str], Source] | None:
    """What reads files with this ending; None for one that is none of ours."""
    if ending in NETWORK_FORMATS:
        return partial(_from_network, NETWORK_FORMATS[ending], requantize)
    return _PROGRAM_READERS.get(ending)


def _from_network(row: NetworkFormat, requantize: str | None, path: Path, name: str) -> Source:
    chosen = (requantize or row.requantize[0]) if row.requantize else None
    network = row.reader(path, name) if chosen is None else row.requantizing_reader(path, name, chosen)
    return Source(
        name,
        str(path),
        OWN_META,
        network,
        sha256=file_digest(path, MAX_FILE_BYTES, ModelError)[1],
        path=path if row.for_vendor else None,
        requantize=chosen,
    )


def _from_zip(path: Path, name: str) -> Source:
    check_ending(path)
    return Source(name, str(path), ZIP_META, program=CompiledData.read_from_zip(path))


def _from_femto(path: Path, name: str) -> Source:
    check_ending(path)
    content = read_file(path, MAX_FEMTO)
    program = CompiledData.from_femto(FemtoFile.parse(content, str(path)), str(path))
    return Source(name, str(path), FEMTO_META, program=with_user_data(program, str(path)), container=content)


_PROGRAM_READERS: Mapping[str, Callable[[Path, str], Source]] = {
    ".zip": _from_zip,
    ".femto": _from_femto,
}
_REQUANTIZED = ", ".join(ending for ending, row in NETWORK_FORMATS.items() if row.requantize)
_ENDINGS = ", ".join([*NETWORK_FORMATS, *_PROGRAM_READERS])
_FORMS = f"LOOPBACK, a file that ends in {_ENDINGS}, a PyTorch module (FILE.py:NAME), or the folder of a compiled model"


def _from_directory(path: Path, name: str | None) -> Source:
    """A model's folder with one of the known folders of images in it, or such a folder itself."""
    if not os.path.exists(path):
        raise MissingFileError(f"{path}: the model must be {_FORMS}; there is no such folder.")
    whole = path.resolve()
    for meta_name in META_NAMES:
        if os.path.isdir(path / meta_name):
            return Source(
                name or whole.name, str(path), meta_name, program=CompiledData.read_from_files(path / meta_name)
            )
    program = CompiledData.read_from_files(path)
    if whole.name in META_NAMES:
        return Source(name or whole.parent.name, str(path), whole.name, program=program)
    return Source(name or whole.name, str(path), OWN_META, program=program)


def _network_digest(network: Network) -> str:
    """SHA-256 of a network in memory: of its text and of every array in it, whatever it is called."""
    digest = hashlib.sha256(graph_text(network.main).encode("utf-8", "surrogatepass"))
    for graph in (network.frame, network.init):
        if graph is not None:
            _add_arrays(digest, graph)
    return digest.hexdigest()


def _add_arrays(digest: hashlib._Hash, graph: Graph) -> None:
    nodes = [node for _, node in graph.walk()]
    nested = [inner for node in nodes for inner in node.subgraphs.values()]
    for one in (graph, *nested):
        for tensor in one.parameters:
            if tensor.value is not None:
                digest.update(tensor.value.tobytes())
    for node in nodes:
        for value in node.constants.values():
            arrays = (value.addresses, value.values) if isinstance(value, Table) else (value,)
            for array in arrays:
                if isinstance(array, np.ndarray):
                    digest.update(array.tobytes())
