"""The options of running: what runs, on what, how it is compared and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from femtodriver.device.boards import DEFAULT_HARDWARE, address_help, hardware_help, timeout_help
from femtodriver.options.compile_requests import PlainRequest
from femtodriver.options.input_requests import InputRequest
from femtodriver.options.option import option, options_of
from femtodriver.options.option_groups import BOARDS, FIGURES, RESULTS, RUNNING
from femtodriver.options.value_kinds import (
    CELSIUS,
    FRAME_RANGE,
    FROM_0,
    HERTZ,
    MACHINE,
    MILLIWATT_HOURS,
    NAMES,
    PATH,
    PERIOD,
    SECONDS,
    SWITCH,
    TRIES,
    VOLTS,
    Names,
)
from femtodriver.options.without_effect import COMPARISON, DEADLINE, RUN

if TYPE_CHECKING:
    from femtodriver.files.file_access import AnyPath


@dataclass(frozen=True, kw_only=True, eq=False)
class RunnersRequest:
    """What runs."""

    runners: Names = option(
        "",
        kind=NAMES,
        metavar="A,B,...",
        group=RUNNING,
        aliases=("runner", "comparisons"),
        help="what to run; the first is compared with each of the others",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class MachineRequest:
    """What simulates, and how strictly."""

    machine: str | None = option(
        None,
        kind=MACHINE,
        metavar="native|numpy",
        group=RUNNING,
        acts=("fasmir",),
        help="what simulates: the compiled loop (default where it was built) or NumPy, with equal results",
    )
    check_state: bool = option(
        False,
        kind=SWITCH,
        group=RUNNING,
        acts=("fasmir",),
        help="at the start of every frame, overwrite accumulators and base registers, which are undefined then",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class RunnerRequest(MachineRequest, PlainRequest):
    """What runners are made with."""

    dummy_output_file: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=RUNNING,
        acts=("dummy", "hw", "fakehw"),
        help="recorded outputs (.npy or .npz) for the runner dummy to replay",
    )
    debug_vars: Names = option(
        None,
        kind=NAMES,
        metavar="A,B,...|all",
        group=RUNNING,
        acts=RUN,
        help="values inside the network to compare as well",
    )
    debug_vars_fname: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=RUNNING,
        acts=RUN,
        help="file with the names of such values, one per line",
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
    reconnect: int = option(
        3,
        kind=TRIES,
        metavar="N",
        group=BOARDS,
        acts=("hw",),
        help="tries in a row to go on, at the same frame, after the link to a board was cut; 0: give up (default 3)",
    )
    reply_file: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=BOARDS,
        aliases=("fake_output_file",),
        acts=("hw", "fakehw"),
        help="1-D .npy with the 32-bit words that a fake board answers",
    )
    no_verify: bool = option(
        False,
        kind=SWITCH,
        group=BOARDS,
        acts=("hw",),
        help="do not read the program back after loading it into a board",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class KeepRequest:
    """What is kept of a run."""

    no_outputs: bool = option(
        False, kind=SWITCH, group=RESULTS, acts=RUN, help="do not write the arrays of the runners to outputs/"
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class TraceRequest:
    """What is told of the course of some frames."""

    trace: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=RESULTS,
        acts=("fasmir",),
        help="write a timeline of some frames, for ui.perfetto.dev; runs fasmir if no runner is named (docs/trace.md)",
    )
    trace_frames: Sequence[int] | None = option(
        None,
        kind=FRAME_RANGE,
        metavar="LO,HI",
        group=RESULTS,
        acts=("fasmir",),
        help="which frames of the run the timeline has: LO to HI - 1 (default 0,2); a report shows the first of them",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportRequest(TraceRequest):
    """What is told of a run besides metrics."""

    report: AnyPath | None = option(
        None,
        kind=PATH,
        metavar="FILE",
        group=RESULTS,
        acts=RUN,
        help="write everything about the run as one HTML file; runs fasmir if no runner is named (docs/report.md)",
    )

    @property
    def asks_for_record(self) -> bool:
        """Whether anything is to be written that needs a record of frames."""
        return self.trace is not None or self.report is not None


@dataclass(frozen=True, kw_only=True, eq=False)
class ExecuteRequest(RunnerRequest, ReportRequest, KeepRequest):
    """How one runner runs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ConditionsRequest:
    """Under which conditions the part works."""

    input_period: float | None = option(
        None,
        kind=PERIOD,
        metavar="S",
        group=FIGURES,
        aliases=("sim_est_input_period",),
        acts=(*DEADLINE, "femtocrux"),
        help="seconds from one frame to the next, for power (default 0.016)",
    )
    temperature: float | None = option(
        None,
        kind=CELSIUS,
        metavar="DEGC",
        group=FIGURES,
        acts=("fasmir",),
        help="temperature of the part in degC (default 25)",
    )
    clock: float | None = option(
        None,
        kind=HERTZ,
        metavar="HZ",
        group=FIGURES,
        acts=DEADLINE,
        help="measure at this clock instead of the part's",
    )
    voltage: float | None = option(
        None,
        kind=VOLTS,
        metavar="V",
        group=FIGURES,
        acts=("fasmir",),
        help="measure at this core voltage instead of the part's",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class MeasureRequest(ConditionsRequest):
    """What a run is measured by."""

    battery_mwh: float | None = option(
        None,
        kind=MILLIWATT_HOURS,
        metavar="MWH",
        group=FIGURES,
        acts=("fasmir",),
        help="capacity of a battery in mWh; the metrics say how long it lasts",
    )

    @property
    def asks_for_metrics(self) -> bool:
        """Whether any option of ``MeasureRequest`` was given."""
        return any(getattr(self, one.name) is not None for one in options_of(MeasureRequest))


@dataclass(frozen=True, kw_only=True, eq=False)
class SimulateRequest(MeasureRequest, MachineRequest, ReportRequest, KeepRequest):
    """How the program is simulated and measured."""

    @property
    def execution(self) -> ComparisonRequest:
        """What the runner is made and run with."""
        shared = {one.name for one in options_of(ComparisonRequest)} & {one.name for one in options_of(SimulateRequest)}
        return ComparisonRequest(**{name: getattr(self, name) for name in shared})


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
        help="largest difference allowed between two values (default: none)",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonRequest(MeasureRequest, CompareRequest, InputRequest):
    """A comparison with inputs of its own."""
