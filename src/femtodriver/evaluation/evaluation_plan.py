"""All that is known about an evaluation before its first clip runs, and what can be refused by then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from femtodriver import __version__
from femtodriver.errors import ProgramError, UsageError
from femtodriver.evaluation.clip_job import ClipJob
from femtodriver.evaluation.clips_parquet import check_pyarrow
from femtodriver.evaluation.dask_workers import check_distributed
from femtodriver.evaluation.find_clips import Clips, find_clips, find_references
from femtodriver.evaluation.known_labels import KnownLabels, check_classes, check_labels, read_labels
from femtodriver.evaluation.label_rule import LabelRule, label_rule
from femtodriver.evaluation.signal_to_noise import output_factor
from femtodriver.metrics import ROOM_TEMPERATURE_C, part_as_given
from femtodriver.metrics.energy import load_table
from femtodriver.model.build_model import Built
from femtodriver.options.evaluate_requests import EvaluateRequest
from femtodriver.options.input_requests import ReadingRequest
from femtodriver.options.option import options_of
from femtodriver.options.runner_requests import ConditionsRequest, MachineRequest, RunnerRequest
from femtodriver.options.value_kinds import listed
from femtodriver.options.without_effect import without_effect
from femtodriver.output.atomic_folder import check_writable
from femtodriver.output.file_names import safe_name
from femtodriver.program.digest import digest_of
from femtodriver.program.plain_records import to_plain
from femtodriver.runners.execution import SIMULATOR
from femtodriver.runners.fasmir_runner import check_machine, machine_notes
from femtodriver.runners.fqir_runner import network_for
from femtodriver.runners.runner_table import check_names

# Runners that any number of processes can have at the same time.
RUNNERS = ("fqir", "fmir", SIMULATOR)
_DIGITS = 16


@dataclass(frozen=True, eq=False)
class EvaluationPlan:
    """``references``: paths by clip. ``rule``: None where no labels are asked for. ``factor``: see ``ClipJob``."""

    model: Built
    request: EvaluateRequest
    runners: tuple[str, ...]
    clips: Clips
    labels: KnownLabels
    references: Mapping[str, str]
    rule: LabelRule | None
    factor: float

    @property
    def notes(self) -> tuple[str, ...]:
        """What users should know, one line each."""
        executed = () if self.request.rule is None else ("rule: code of yours is executed, in every worker",)
        ignored = [f"{name}: without effect, because {reason}" for name, reason in self._ignored()]
        objective = self.model.options.objective.value if self.model.source.network else ""
        unused = without_effect(self.request, self.runners, False, objective)
        slower = machine_notes(self.request.machine, self.runners)
        return (*slower, *self.clips.notes, *self.labels.notes, *executed, *ignored, *unused)

    def _ignored(self) -> Iterator[tuple[str, str]]:
        if self.request.delay and self.request.references is None:
            yield "delay", "there are no references"
        inputs = len(self.model.inputs)
        if self.request.input_rate is not None and inputs > 1:
            yield "input_rate", f"the network has {inputs} inputs; --input-period says the period"


def check_evaluation(request: EvaluateRequest, name: str) -> Clips:
    """The clips, and refusal of what can be refused before the model is compiled. Errors as of ``evaluate_clips``."""
    check_pyarrow()
    if request.scheduler is not None:
        check_distributed()
        if request.workers is not None:
            raise UsageError("workers: must not be given together with scheduler, whose cluster has its own.")
    names = check_names(listed(request.runners))
    if not names or any(name not in RUNNERS for name in names):
        raise UsageError(f"runners: must be at least one of {', '.join(RUNNERS)}, not {', '.join(names) or 'none'}.")
    check_machine(RunnerRequest(machine=request.machine), names)
    clips = find_clips(request.inputs)
    check_writable(folder_of(request, name))
    return clips


def folder_of(request: EvaluateRequest, name: str) -> Path:
    """Where the results go."""
    return Path(request.output_dir) / safe_name(name)


def make_plan(model: Built, request: EvaluateRequest, clips: Clips) -> EvaluationPlan:
    """Find labels and references of the clips. UsageError or InputError for what does not fit the model."""
    runners = check_names(listed(request.runners))
    for name in runners:
        if name == SIMULATOR and model.plain is None:
            raise ProgramError(model.obstacle)
        if name != SIMULATOR:
            network_for(name, model)
    if request.references is not None and request.frontend is not None:
        raise UsageError("references: must be left out with --frontend, because clips are heard as features.")
    references = find_references(request.references, clips) if request.references is not None else {}
    factor = output_factor(model.inputs, model.outputs, request.hop) if request.references is not None else 1.0
    classes = listed(request.classes)
    wanted = request.labels is not None or classes or request.label_rule is not None or request.rule is not None
    output = model.outputs[0]
    rule = label_rule(request.label_rule, request.rule, output.name) if wanted else None
    known, notes = read_labels(request.labels, clips.paths) if request.labels is not None else ({}, ())
    if request.rule is None:
        check_classes(classes, output.length, output.name)
        check_labels(known, classes, output.length)
    return EvaluationPlan(model, request, runners, clips, KnownLabels(known, classes, notes), references, rule, factor)


def basis_of(plan: EvaluationPlan) -> dict[str, object]:
    """What results depend on, but for the clips: plain data with names that users know."""
    request, model = plan.request, plan.model
    told = model.plain or model.data
    program = json.dumps(to_plain(digest_of(told.metadata, told.mems_per_core)), sort_keys=True)
    return {
        "version": __version__,
        "model": model.source.name,
        "network": model.source.sha256,
        "program": hashlib.sha256(program.encode("ascii")).hexdigest(),
        "part": model.part.sha256 if model.part else None,
        "runners": list(plan.runners),
        **{option.name: getattr(request, option.name) for option in options_of(MachineRequest)},
        **{option.name: getattr(request, option.name) for option in options_of(ReadingRequest)},
        **{option.name: getattr(request, option.name) for option in options_of(ConditionsRequest)},
        "rule": plan.rule.identity if plan.rule else None,
        "references": request.references is not None,
        "delay": request.delay if request.references is not None else 0,
    }


def _identity(basis: Mapping[str, object]) -> str:
    """A digest of what results depend on."""
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode("utf-8")).hexdigest()[:_DIGITS]


def job_of(plan: EvaluationPlan, basis: Mapping[str, object]) -> ClipJob:
    """What workers are given. ``basis``: that of the plan."""
    request = plan.request
    model = _for_workers(plan.model, {"fqir", "fmir"}.isdisjoint(plan.runners))
    part = part_as_given(model.part, request.clock, request.voltage) if model.part else None
    table = load_table()
    if part is not None:
        temperature = ROOM_TEMPERATURE_C if request.temperature is None else request.temperature
        table = table.at(part.voltage_v, temperature)
    return ClipJob(
        identity=_identity(basis),
        model=model,
        runners=plan.runners,
        request=RunnerRequest(machine=request.machine, check_state=request.check_state),
        part=part,
        table=table,
        period_s=request.input_period,
        reading={
            "scale": request.scale,
            "hop": request.hop,
            "channel": request.channel,
            "rate_hz": request.input_rate,
            "resample_hz": request.resample,
            "frontend": request.frontend,
        },
        hop=request.hop or model.inputs[0].length,
        rule=plan.rule,
        delay=request.delay,
        factor=plan.factor,
    )


def _for_workers(model: Built, program_alone: bool) -> Built:
    """What is handed to other processes: nothing of the user's or the vendor's that may exist in this one only."""
    source = replace(model.source, graph=None, container=None)
    model = replace(model, source=source, vendor=None)
    return replace(model, source=replace(source, network=None), fmir=None) if program_alone else model
