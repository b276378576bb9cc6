"""The options of ``Femtodriver``, of a whole job, and of ``femtodrive MODEL``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from femtodriver.options.compile_requests import BackendRequest, ModelRequest
from femtodriver.options.debug_requests import DebugRequest
from femtodriver.options.option import option
from femtodriver.options.option_groups import BOARDS, KEYS, RUNNING, VENDOR
from femtodriver.options.profile_requests import ProfileRequest
from femtodriver.options.quantization_requests import QuantizationRequest
from femtodriver.options.runner_requests import ComparisonRequest, RunnersRequest
from femtodriver.options.stream_requests import StreamRequest
from femtodriver.options.value_kinds import ANYTHING, CLEANUP, KEY_SALT, PATH, SWITCH, whole

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath
    from femtodriver.program.encryption.keyring import Keyring


@dataclass(frozen=True, kw_only=True, eq=False)
class DriverRequest(BackendRequest, DebugRequest):
    """What a ``Femtodriver`` is made with."""

    model_source_dir: AnyPath | None = option(
        None,
        kind=PATH,
        on_command_line=False,
        help="folder with an options.yaml, used if there is no model_options_file",
    )
    keyring: AnyPath | Keyring | None = option(
        None,
        kind=ANYTHING,
        metavar="FILE",
        group=KEYS,
        help="file with keys: programs are written encrypted (default: FS_KEYRING, else plain)",
    )
    key_index: int | None = option(
        None,
        kind=whole(0, 31),
        metavar="N",
        group=KEYS,
        aliases=("encryption_key_index", "encryption_key_idx"),
        help="which key of the file (default: FS_ENCRYPTION_KEY_IDX, else the lowest)",
    )
    salt: int | None = option(
        None,
        kind=KEY_SALT,
        on_command_line=False,
        aliases=("encryption_salt",),
        help="salt for the key (default: FS_ENCRYPTION_SALT, else 64 random bits)",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class JobRequest(
    ModelRequest,
    ComparisonRequest,
    StreamRequest,
    RunnersRequest,
    ProfileRequest,
    QuantizationRequest,
    BackendRequest,
    DebugRequest,
):
    """A whole job: compile, run, measure, write."""

    norun: bool = option(False, kind=SWITCH, group=RUNNING, help="write files only, whatever else is asked for")
    cleanup_docker: bool | str = option(
        False,
        kind=CLEANUP,
        metavar="own|all",
        group=VENDOR,
        lone=True,
        help="remove containers of the vendor's compiler: those that ended runs of ours have left (own, the default), "
        "or all that run",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class MainRequest(JobRequest, DriverRequest):
    """Everything that ``femtodrive MODEL`` takes."""

    model: Any = option(None, kind=ANYTHING, positional=True, metavar="MODEL", help="the model, see below")
    list_connected_devices: str | None = option(
        None,
        metavar="SPU",
        group=BOARDS,
        lone="all",
        aliases=("list_connected_hardware",),
        help="list the EVK2 boards on USB, and exit",
    )
