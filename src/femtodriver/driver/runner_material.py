"""What the runners of a compiled model are made of: the program that is simulated, and the one that a board gets."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from femtodriver.compiler.fmir.ir import Fmir
from femtodriver.compiler.pipeline import compile_network
from femtodriver.driver.arguments import RunArguments
from femtodriver.errors import ProgramError, UsageError
from femtodriver.inputs import InputSpec
from femtodriver.model.build_model import Built, locked
from femtodriver.model.identity import KEY, completed
from femtodriver.model.model_encryption import Encryption
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.encryption.program_cipher import encrypt_program
from femtodriver.runners import Material
from femtodriver.runners.fqir_runner import debug_names
from femtodriver.runners.hardware_runner import Device

Kept = dict[str, dict[str, int]]


@dataclass(frozen=True, eq=False)
class _Programs:
    """``plain`` is simulated, ``board`` is loaded into a board, with key index and salt for its registers."""

    plain: CompiledData | None
    board: CompiledData
    fmir: Fmir | None
    key_index: int | None = None
    salt: int | None = None
    kept: Kept | None = None


def material(
    built: Built, how: RunArguments, secrecy: Encryption, records_dir: str | os.PathLike[str] | None = None
) -> Material:
    """What runners are made of. With debug variables: of a program of its own, which keeps their values.

    A foreign program, and an encrypted one without its key, can run on a board, but not be simulated. UsageError for
    arguments that contradict each other or that the model cannot fulfil.
    """
    address = how.address
    names = _debug_names(built, how)
    programs = _debugged(built, names, how.noencrypt, secrecy) if names else _given(built, how.noencrypt)
    recording = None if how.dummy_output_file is None else Path(how.dummy_output_file)
    inputs, outputs = specs(built)
    return Material(
        inputs=inputs,
        outputs=outputs,
        network=built.source.network,
        fmir=programs.fmir,
        program=programs.plain,
        part=built.part,
        recording=recording,
        debug_vars=names,
        kept=programs.kept,
        device=Device(
            program=programs.board,
            hardware=how.hardware,
            address=address,
            timeout=how.timeout,
            fake_file=None if how.fake_output_file is None else Path(how.fake_output_file),
            recording=recording,
            records_dir=None if records_dir is None else Path(records_dir),
            key_index=programs.key_index,
            salt=programs.salt,
        ),
        no_simulation=built.obstacle,
    )


def specs(built: Built) -> tuple[tuple[InputSpec, ...], tuple[InputSpec, ...]]:
    """Inputs and outputs of the program, as it tells itself or, if it is foreign, as its records are."""
    if built.told is not None:
        return built.told.inputs, built.told.outputs
    info = built.data.info()
    inputs = tuple(InputSpec(record.name, record.usable, record.bits) for record in info.inputs)
    return inputs, tuple(InputSpec(record.name, record.usable, record.bits) for record in info.outputs)


def _debug_names(built: Built, how: RunArguments) -> tuple[str, ...]:
    wanted = how.debugged
    if not wanted:
        return ()
    if built.source.network is None:
        raise UsageError(
            f"{built.source.where}: debug variables must not be asked for of a compiled program, which has no names of "
            "inner values; use the network itself."
        )
    return debug_names(built.source.network, wanted)


def _given(built: Built, noencrypt: bool) -> _Programs:
    if noencrypt and built.told is not None:
        if built.plain is None:
            raise ProgramError(f"{locked(built.data, built.source.where)} Without it, leave out noencrypt.")
        return _Programs(built.plain, built.plain, built.fmir)
    return _Programs(built.plain, built.data, built.fmir, *built.registers)


def _debugged(built: Built, names: tuple[str, ...], noencrypt: bool, secrecy: Encryption) -> _Programs:
    network, told, part = built.source.network, built.told, built.part
    if network is None or told is None or part is None:
        raise UsageError(f"{built.source.where}: is no network.")
    compilation = compile_network(network, part, options=built.options, keep=names)
    plain = completed(compilation.data, part, told.model, told.compiler)
    board, info = plain, built.data.info()
    if info.encrypted and not noencrypt and secrecy.keyring is not None:
        board = encrypt_program(plain, secrecy.keyring, info.key_index or 0, secrecy.salt)
    places: dict[str, Any] = plain.metadata[KEY]["kept"]
    kept = {name: places[name] for name in names if name in places}
    return _Programs(plain, board, compilation.fmir, kept=kept)
