"""The options of compiling: what with, where to, encrypted or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from femtodriver.errors import UsageError
from femtodriver.options.conversion_requests import ConversionRequest
from femtodriver.options.option import option
from femtodriver.options.option_groups import COMPILING, KEYS, VENDOR
from femtodriver.options.value_kinds import (
    ANYTHING,
    COMPILER,
    MAPPING,
    OBJECTIVE,
    OBJECTIVE_OF_PROFILE,
    OPT_PROFILE,
    PAIRS,
    PATH,
    REQUANTIZE,
    SWITCH,
    TREE,
)

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath


@dataclass(frozen=True, kw_only=True, eq=False)
class BackendRequest:
    """Which compiler and simulator."""

    force_femtocrux_compile: bool = option(
        False, kind=SWITCH, group=VENDOR, help="use the vendor's compiler; the same as --compiler femtocrux"
    )
    force_femtocrux_sim: bool = option(
        False,
        kind=SWITCH,
        group=VENDOR,
        acts=("fasmir", "femtocrux"),
        help="use the vendor's simulator: the runner femtocrux in place of fasmir",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelWordRequest:
    """The model of a subcommand."""

    model: Any = option(kind=ANYTHING, positional=True, metavar="MODEL", help="the model, as for femtodrive MODEL")


@dataclass(frozen=True, kw_only=True, eq=False)
class PlainRequest:
    """Whether programs are encrypted where there is a keyring."""

    noencrypt: bool = option(False, kind=SWITCH, group=KEYS, help="write plain programs even if there is a keyring")


@dataclass(frozen=True, kw_only=True, eq=False)
class RequantizeRequest:
    """How the sums of a TFLite file are rounded."""

    requantize: str | None = option(
        None,
        kind=REQUANTIZE,
        metavar="tflite|xnnpack",
        group=COMPILING,
        help="of a TFLite file: round as the reference kernels of its runtime (tflite, the default) or as the "
        "accelerated ones (xnnpack), see docs/tflite.md",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ProgramRequest(RequantizeRequest):
    """What a network is compiled for, and how."""

    hw_config: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="PART",
        group=COMPILING,
        aliases=("target_spu",),
        help="name of a part, or a .toml file (default spu001)",
    )
    compiler_options: Mapping[str, Any] | Sequence[str] | None = option(
        None,
        kind=PAIRS,
        metavar="NAME=VALUE",
        group=COMPILING,
        repeated=True,
        aliases=("compiler_option",),
        help="set an option of the compiler, see docs/compiler.md; may be repeated",
    )
    model_options_file: AnyPath | None = option(
        None, kind=PATH, metavar="FILE", group=COMPILING, help="YAML file with options for each model"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class CompileRequest(ProgramRequest, PlainRequest):
    """How a model is compiled and where to."""

    output_dir: AnyPath = option(
        "model_datas",
        kind=PATH,
        metavar="DIR",
        group=COMPILING,
        help="where the model's folder goes (default model_datas)",
    )
    tree: str | None = option(
        None,
        kind=TREE,
        metavar="VERSION",
        group=COMPILING,
        help="1.3 or 2.6: name folders as that version of the reference does, and write its files too "
        "(docs/compatibility.md)",
    )
    dump_ir: AnyPath | None = option(
        None, kind=PATH, metavar="DIR", group=COMPILING, help="write the text of every compiler stage into this folder"
    )
    compiler: str | None = option(
        None,
        kind=COMPILER,
        metavar="own|femtocrux",
        group=VENDOR,
        help="what compiles networks: ours (default), or the vendor's in its container (docs/femtocrux.md)",
    )
    objective: str | None = option(
        None,
        kind=OBJECTIVE,
        metavar="WHAT",
        group=COMPILING,
        help="what to choose the number of cores for: cycles (quickest), energy (fewest cores and banks that meet the "
        "deadline of the input period) or balanced (default); the report then says what the other choice would cost",
    )
    opt_profile: str | None = option(
        None,
        kind=OPT_PROFILE,
        metavar="NAME",
        group=VENDOR,
        help="the objective by the names of the vendor's compiler: efficient (energy), fast (cycles) or conservative "
        "(balanced); with --compiler femtocrux its profile",
    )
    iospec_file: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=COMPILING,
        help="YAML file with the I/O specification: order of inputs and outputs, and inputs that keep their last value "
        "(docs/inputs.md)",
    )

    @property
    def wanted_objective(self) -> str | None:
        """The objective by either of its names; None if none was given. UsageError if they contradict each other."""
        profile = None if self.opt_profile is None else OBJECTIVE_OF_PROFILE[self.opt_profile]
        if self.objective and profile and self.objective != profile:
            raise UsageError(
                f"opt_profile: {self.opt_profile} means the objective {profile}, so it must not be given together with "
                f"{self.objective}."
            )
        return self.objective or profile


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelRequest(CompileRequest, ConversionRequest):
    """How a model is called and compiled."""

    model_name: str | None = option(
        None, on_command_line=False, help="name of the model (default: the name of its file, else fqir)"
    )
    user_configuration: Mapping[str, Any] | None = option(
        None,
        kind=MAPPING,
        on_command_line=False,
        help="settings of the vendor's compiler, over those of the file of model options; with compiler femtocrux only",
    )
    memory_reservations: Mapping[str, Any] | None = option(
        None,
        kind=MAPPING,
        on_command_line=False,
        help="memory that the vendor's compiler is to leave alone; with compiler femtocrux only",
    )
    model_type: str | None = option(
        None,
        metavar="TEXT",
        group=COMPILING,
        help="type that the .femto states, such as KWS (default: that of the file of model options, else custom)",
    )
    model_version: str | None = option(
        None, metavar="X.Y.Z", group=COMPILING, help="version that the .femto states (default 1.0.0)"
    )
