"""The options of ``femtodrive evaluate`` and of ``Femtodriver.evaluate``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from femtodriver.options.compile_requests import ModelWordRequest, ProgramRequest
from femtodriver.options.conversion_requests import ConversionRequest
from femtodriver.options.debug_requests import DebugRequest
from femtodriver.options.input_requests import ReadingRequest
from femtodriver.options.option import option
from femtodriver.options.option_groups import KEYS
from femtodriver.options.runner_requests import ConditionsRequest, MachineRequest
from femtodriver.options.value_kinds import ANYTHING, LABEL_RULE, NAMES, PATH, SECONDS, SWITCH, Names, whole

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath
    from femtodriver.program.encryption.keyring import Keyring


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluateRequest(ConditionsRequest, MachineRequest, ReadingRequest, ProgramRequest, ConversionRequest):
    """How a model is evaluated on the clips of a data set."""

    labelling: ClassVar[str] = "labels"
    cleaning: ClassVar[str] = "clean references"
    working: ClassVar[str] = "who works, and where results go"

    inputs: str = option(metavar="PATTERN", help="the clips: 'clips/**/*.wav', or a folder; .wav, .npy and .npz files")
    runners: Names = option("fasmir", kind=NAMES, metavar="A,B,...", help="fasmir (default), fmir, fqir, or several")
    labels: AnyPath | None = option(
        None, kind=PATH, metavar="CSV", group=labelling, help="what is right: a table with the columns path and label"
    )
    classes: Names = option(
        None,
        kind=NAMES,
        metavar="A,B,...",
        group=labelling,
        help="the labels that the elements of the output stand for, in order (default: 0, 1, ...)",
    )
    label_rule: str | None = option(
        None,
        kind=LABEL_RULE,
        metavar="last|mean|max",
        group=labelling,
        help="a clip has the label of the largest element of its last frame, of the mean of its frames (default), or "
        "of the maximum of its frames",
    )
    rule: str | Callable[..., Any] | None = option(
        None,
        kind=ANYTHING,
        metavar="FILE.py:FUNCTION",
        group=labelling,
        help="a function of yours from outputs to a label; the file is executed",
    )
    references: str | None = option(
        None,
        metavar="WHERE",
        group=cleaning,
        help="the clean signals: 'clean/{name}.wav', a folder, or a table (.csv) with the columns path and reference",
    )
    delay: int = option(
        0,
        kind=whole(0, 1 << 20),
        metavar="N",
        group=cleaning,
        help="by how many samples the output is later than the input (default 0)",
    )
    workers: int | None = option(
        None, kind=whole(1, 1024), metavar="N", group=working, help="number of processes (default: all cores)"
    )
    scheduler: str | None = option(
        None,
        metavar="ADDRESS",
        group=working,
        help="let the workers of this Dask cluster do the work, as in tcp://127.0.0.1:8786",
    )
    scheduler_timeout: float | None = option(
        None,
        kind=SECONDS,
        metavar="S",
        group=working,
        help="how long to wait for the cluster in seconds (default 10)",
    )
    output_dir: AnyPath = option(
        "evaluations",
        kind=PATH,
        metavar="DIR",
        group=working,
        help="where the folder with the results goes, named after the model (default evaluations)",
    )
    keep_outputs: bool = option(False, kind=SWITCH, group=working, help="keep the outputs, a .npz file for each clip")


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluateCommandRequest(EvaluateRequest, DebugRequest, ModelWordRequest):
    """What ``femtodrive evaluate`` takes."""

    keyring: AnyPath | Keyring | None = option(
        None,
        kind=ANYTHING,
        metavar="FILE",
        group=KEYS,
        help="file with keys, for encrypted programs (default: FS_KEYRING)",
    )
