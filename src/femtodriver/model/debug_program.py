"""The program as runners get it: one that keeps the debug variables, or one in plain words for a board without keys."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from femtodriver.compiler.pipeline import compile_network
from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import read_file
from femtodriver.fqir.graph import Network
from femtodriver.model.build_model import Built, locked
from femtodriver.model.described_program import completed
from femtodriver.model.load_model import Source
from femtodriver.model.model_encryption import Encryption
from femtodriver.model.specified_io import latched_names, specified_network
from femtodriver.options.runner_requests import RunnerRequest
from femtodriver.options.value_kinds import listed
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.encryption.program_cipher import encrypt_program

ALL = "all"
MOST_BYTES = 1 << 20


def for_runners(built: Built, request: RunnerRequest, encryption: Encryption) -> Built:
    """The model that runners are made of; ``built`` itself unless debug variables or plain words are wanted.

    A program that keeps debug variables is compiled again and encrypted as ``built`` is. UsageError for debug variables
    that the model does not have; ProgramError where plain words are wanted of a program whose key is not here.
    """
    names = wanted_names(built.source, request)
    if names:
        return _keeping(built, names, encryption, request.noencrypt)
    if request.noencrypt and built.description is not None:
        if built.plain is None:
            raise ProgramError(f"{locked(built.data, built.source.where)} Without it, leave out noencrypt.")
        return replace(built, data=built.plain, registers=(0, 0))
    return built


def for_board(built: Built, program: CompiledData | None, request: RunnerRequest, encryption: Encryption) -> Built:
    """The model that a board gets: as ``for_runners`` or, for another program than the model's, that one.

    Nothing is known of another program but what its records say. UsageError for debug variables of it.
    """
    if program is None or program is built.data:
        return for_runners(built, request, encryption)
    if request.debug_vars or request.debug_vars_fname:
        raise UsageError("create_SPURunner: debug variables must be of the compiled model, not another program.")
    return Built(replace(built.source, network=None, program=program), program, registers=(None, None))


def wanted_names(source: Source, request: RunnerRequest) -> tuple[str, ...]:
    """The debug variables that are asked for, in program order. UsageError for those that the model does not have."""
    wanted = (*listed(request.debug_vars), *_names_in(request.debug_vars_fname))
    if wanted and source.network is None:
        raise UsageError(
            f"{source.where}: debug variables must not be asked for of a compiled program, which has no names of "
            "inner values; use the network itself."
        )
    return debug_names(source.network, wanted) if wanted and source.network is not None else ()


def debug_names(network: Network, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted names in program order, "all" spelled out. UsageError for a name that the network does not have."""
    made = [out.name for node in network.frame.nodes for out in node.outputs]
    every = dict.fromkeys([*made, *network.state_names])
    if tuple(wanted) == (ALL,):
        return tuple(every)
    known = dict.fromkeys([*(tensor.name for tensor in network.frame.inputs), *every])
    for name in wanted:
        if name not in known:
            raise UsageError(f"debug variables: must be names of values of the network, not {name!r}.")
    order = [*known]
    return tuple(sorted(dict.fromkeys(wanted), key=order.index))


def _keeping(built: Built, names: tuple[str, ...], encryption: Encryption, noencrypt: bool) -> Built:
    network, told, part = specified_network(built.source), built.description, built.part
    if network is None or part is None or told is None or told.model is None or told.compiler is None:
        raise UsageError(f"{built.source.where}: must be compiled from its network to keep debug variables.")
    compilation = compile_network(network, part, options=built.options, keep=names)
    plain, description = completed(
        compilation.data, compilation.description, network, part, told.model, told.compiler, latched_names(built.source)
    )
    board, info = plain, built.data.info()
    if info.encrypted and not noencrypt and encryption.keyring is not None:
        board = encrypt_program(plain, encryption.keyring, info.key_index or 0, encryption.salt)
    written = board.info()
    places = description.kept or {}
    return replace(
        built,
        data=board,
        plain=plain,
        description=description,
        fmir=compilation.fmir,
        registers=(written.key_index or 0, written.key_salt),
        debug_names=names,
        kept={name: places[name] for name in names if name in places},
    )


def _names_in(path: str | os.PathLike[str] | None) -> tuple[str, ...]:
    """Names from a file, one a line; no names for None. UsageError if the file cannot be read."""
    if path is None:
        return ()
    try:
        text = read_file(path, MOST_BYTES).decode("utf-8")
    except ProgramError as error:
        raise UsageError(f"debug variables: {error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"debug variables: {os.fspath(path)}: must be text in UTF-8.") from None
    return tuple(line.strip() for line in text.splitlines() if line.strip())
