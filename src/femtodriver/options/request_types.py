"""The table of options: one frozen class per request, one field per option.

To add an option, add a field here, use it where its request arrives, and add its row to
``tests/options/option_effects.py``; ``python tools/update_options.py`` writes the rest. The parser of the command line,
the keywords of ``Femtodriver``'s methods, their checks and ``docs/options.md`` follow from the field.

A class that inherits from others has their options too, so that one value can be handed to whoever needs a part of it.
This module loads nothing heavy: the help text of the command line waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from femtodriver.device.boards import DEFAULT_HARDWARE, address_help, hardware_help, timeout_help
from femtodriver.options.option import option
from femtodriver.options.value_kinds import (
    ANYTHING,
    FRAME_RANGE,
    FROM_0,
    KEY_SALT,
    NAMES,
    PAIRS,
    PATH,
    SCALE,
    SECONDS,
    STYLE,
    SWITCH,
    Names,
    whole,
)
from femtodriver.options.without_effect import COMPARISON, GENERATED, RUN

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath
    from femtodriver.inputs.loaded_inputs import InputSource
    from femtodriver.program.encryption.keyring import Keyring

RUNNING = "running"
BOARDS = "boards, for the runner hw"
COMPILING = "compiling and writing"
NOT_YET = "not in this version: refused with a sentence"
GROUPS = (RUNNING, BOARDS, COMPILING, NOT_YET)

_NO_FEMTOCRUX = "the femtocrux backend comes in a later version; leave it out to use our own compiler and simulator"


@dataclass(frozen=True, kw_only=True, eq=False)
class DebugRequest:
    """How much is logged."""

    debug: bool = option(False, kind=SWITCH, help="log everything, and show tracebacks of errors")


@dataclass(frozen=True, kw_only=True, eq=False)
class BackendRequest:
    """Which compiler and simulator."""

    force_femtocrux_compile: bool = option(
        False, kind=SWITCH, group=NOT_YET, refused=_NO_FEMTOCRUX, help="use the compiler of the vendor"
    )
    force_femtocrux_sim: bool = option(
        False, kind=SWITCH, group=NOT_YET, refused=_NO_FEMTOCRUX, help="use the simulator of the vendor"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class PlainRequest:
    """Whether programs are encrypted where there is a keyring."""

    noencrypt: bool = option(
        False, kind=SWITCH, group=COMPILING, help="write plain programs even if there is a keyring"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class RunnerRequest(PlainRequest):
    """What runners are made with."""

    dummy_output_file: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=RUNNING,
        acts=("dummy", "hw", "fakehw"),
        help=".npy or .npz that the runner dummy replays",
    )
    debug_vars: Names = option(
        None,
        kind=NAMES,
        metavar="A,B,...|all",
        group=RUNNING,
        acts=RUN,
        help="values inside the network to compare too",
    )
    debug_vars_fname: AnyPath | None = option(
        None, kind=PATH, metavar="FILE", group=RUNNING, acts=RUN, help="the same from a file, one name a line"
    )
    hardware: str = option(
        DEFAULT_HARDWARE,
        metavar="NAME",
        group=BOARDS,
        acts=("hw", "fakehw"),
        help=hardware_help(),
    )
    address: str | None = option(
        None,
        metavar="HOST[:PORT]",
        group=BOARDS,
        aliases=("zynq_host", "hardware_address"),
        acts=("hw", "fakehw"),
        help=address_help(),
    )
    timeout: float | None = option(
        None,
        kind=SECONDS,
        metavar="S",
        group=BOARDS,
        acts=("hw", "fakehw"),
        help=timeout_help(),
    )
    reply_file: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=BOARDS,
        aliases=("fake_output_file",),
        acts=("hw", "fakehw"),
        help=".npy, 1-D: the 32-bit words that a fake answers",
    )
    no_verify: bool = option(
        False, kind=SWITCH, group=BOARDS, help="do not read the program back after loading it into a board"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class KeepRequest:
    """What is kept of a run."""

    no_outputs: bool = option(
        False, kind=SWITCH, group=RUNNING, acts=RUN, help="do not write the arrays that runners give to outputs/"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ExecuteRequest(RunnerRequest, KeepRequest):
    """How one runner runs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasureRequest:
    """What a run is measured by."""

    input_period: float | None = option(
        None,
        kind=SECONDS,
        metavar="S",
        group=RUNNING,
        acts=("fasmir",),
        help="seconds between two frames, for power (default 0.016)",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulateRequest(MeasureRequest, KeepRequest):
    """How the program is simulated and measured."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FramesRequest:
    """Which frames of the input, or how many at random."""

    n_frames: int | None = option(
        None,
        kind=whole(1),
        metavar="N",
        group=RUNNING,
        acts=GENERATED,
        help="number of frames that are made where no input is given (default 2; varied: 8, one round)",
    )
    input_style: str | None = option(
        None,
        kind=STYLE,
        metavar="random|varied",
        group=RUNNING,
        acts=GENERATED,
        help="frames that are made: random of 12 bits, or varied, which reach the limits (default in a comparison)",
    )
    seed: int = option(
        0,
        kind=whole(0),
        metavar="N",
        group=RUNNING,
        acts=GENERATED,
        help="seed of these frames (default 0)",
    )
    scale: str | float | None = option(
        None,
        kind=SCALE,
        metavar="real|FACTOR",
        group=RUNNING,
        acts=RUN,
        help="take the input as real numbers: as the network reads them, or times this factor (default: as integers)",
    )
    input_sample_indices: Sequence[int] | None = option(
        None,
        kind=FRAME_RANGE,
        metavar="LO,HI",
        group=RUNNING,
        aliases=("input_file_sample_indices",),
        acts=RUN,
        help="keep frames LO to HI - 1 of the input",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class InputRequest(FramesRequest):
    """Where inputs come from."""

    input_file: InputSource = option(
        None,
        kind=ANYTHING,
        metavar="FILE",
        group=RUNNING,
        acts=RUN,
        help=".wav, .npy or .npz (one array per input name); default: random frames",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class CompareRequest(ExecuteRequest):
    """How runners are made and compared."""

    tolerance: float | None = option(
        None,
        kind=FROM_0,
        metavar="T",
        group=RUNNING,
        aliases=("error_tolerance",),
        acts=COMPARISON,
        help="how far apart two values may be (default: not at all)",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonRequest(MeasureRequest, CompareRequest, InputRequest):
    """A comparison with inputs of its own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CompileRequest(PlainRequest):
    """How a model is compiled and where to."""

    output_dir: AnyPath = option(
        "model_datas",
        kind=PATH,
        metavar="DIR",
        group=COMPILING,
        help="where the model's folder goes (default model_datas)",
    )
    hw_config: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="PART",
        group=COMPILING,
        help="name of a part or a .toml file (default spu001)",
    )
    dump_ir: AnyPath | None = option(
        None, kind=PATH, metavar="DIR", group=COMPILING, help="write the text of every stage of the compiler there"
    )
    compiler_options: Mapping[str, Any] | Sequence[str] | None = option(
        None,
        kind=PAIRS,
        metavar="NAME=VALUE",
        group=COMPILING,
        repeated=True,
        aliases=("compiler_option",),
        help="switch a part of the compiler, see docs/compiler.md; may be repeated",
    )
    model_options_file: AnyPath | None = option(
        None, kind=PATH, metavar="FILE", group=COMPILING, help="YAML with options per model"
    )
    opt_profile: str | None = option(
        None,
        metavar="NAME",
        group=NOT_YET,
        lone="",
        refused="profiles belong to another compiler",
        help="choose a profile of the vendor's compiler",
    )
    iospec_file: AnyPath | None = option(
        None,
        metavar="FILE",
        group=NOT_YET,
        lone="",
        aliases=("iospec",),
        refused="I/O specifications come in a later version",
        help="order of inputs and outputs",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelRequest(CompileRequest):
    """How a model is called and compiled."""

    model_name: str | None = option(
        None, on_command_line=False, help="name of the model (default: that of its file, else fqir)"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class DriverRequest(BackendRequest, DebugRequest):
    """What a ``Femtodriver`` is made with."""

    model_source_dir: AnyPath | None = option(
        None, kind=PATH, on_command_line=False, help="folder with an options.yaml, used without a model_options_file"
    )
    keyring: AnyPath | Keyring | None = option(
        None,
        kind=ANYTHING,
        metavar="FILE",
        group=COMPILING,
        help="keys; programs are written encrypted (default: FS_KEYRING, else plain)",
    )
    key_index: int | None = option(
        None,
        kind=whole(0, 31),
        metavar="N",
        group=COMPILING,
        aliases=("encryption_key_index", "encryption_key_idx"),
        help="which key (default: FS_ENCRYPTION_KEY_IDX, else the first)",
    )
    salt: int | None = option(
        None,
        kind=KEY_SALT,
        on_command_line=False,
        aliases=("encryption_salt",),
        help="salt of the key (default: FS_ENCRYPTION_SALT, else 64 random bits)",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class RunnersRequest:
    """What runs."""

    runners: Names = option(
        "",
        kind=NAMES,
        metavar="A,B,...",
        group=RUNNING,
        help="what to run; the first is compared with each of the others",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class JobRequest(ModelRequest, ComparisonRequest, RunnersRequest, BackendRequest, DebugRequest):
    """A whole job: compile, run, measure, write."""

    cleanup_docker: bool = option(
        False, kind=SWITCH, help="stop the containers of compilers; none are started in this version"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class MainRequest(JobRequest, DriverRequest):
    """Everything that ``femtodrive MODEL`` takes."""

    model: Any = option(None, kind=ANYTHING, positional=True, metavar="MODEL", help="what to compile, see below")
    list_connected_devices: str | None = option(
        None,
        metavar="SPU",
        group=BOARDS,
        lone="all",
        aliases=("list_connected_hardware",),
        help="list the EVK2 boards on USB and end",
    )
