"""How the methods of ``Femtodriver`` take their options: by keyword, and by position where the reference does so."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from femtodriver.options.bind_request import R, UnknownArgumentError, bind
from femtodriver.options.compile_requests import CompileRequest, ModelRequest
from femtodriver.options.evaluate_requests import EvaluateRequest
from femtodriver.options.input_requests import FramesRequest
from femtodriver.options.main_requests import DriverRequest, JobRequest
from femtodriver.options.option import options_of
from femtodriver.options.runner_requests import ComparisonRequest, ExecuteRequest, RunnerRequest, SimulateRequest
from femtodriver.options.sweep_requests import SweepRequest

F = TypeVar("F", bound=Callable[..., Any])


class Method(Generic[R]):
    """A method that takes the options of ``request``; ``places``: those that may be given by position, in order."""

    def __init__(self, name: str, request: type[R], places: str = "") -> None:
        self.name, self.request, self.places = name, request, tuple(places.split())

    def bind(self, by_place: tuple[Any, ...], by_name: Mapping[str, Any]) -> R:
        """The request. UnknownArgumentError (a UsageError and a TypeError) for too many values or unknown names."""
        if len(by_place) > len(self.places):
            raise UnknownArgumentError(
                f"{self.name}: values by position must be at most {len(self.places)} after those that it names "
                f"({', '.join(self.places) or 'none'}), not {len(by_place)}. Give the others by name."
            )
        placed = dict(zip(self.places, by_place, strict=False))
        for option in options_of(self.request):
            twice = [name for name in option.names if name in by_name]
            if twice and placed.keys() & set(option.names):
                raise UnknownArgumentError(f"{self.name}: {twice[0]} must be given once, by position or by name.")
        return bind(self.request, {**placed, **by_name}, self.name)

    def signed(self, function: F) -> F:
        """The function with the signature that it has for ``help`` and editors: every option by its usual name."""
        own = [
            one for one in inspect.signature(function).parameters.values()
            if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        ]  # fmt: skip
        options = {name: option for option in options_of(self.request) for name in option.names}
        placed = [options[name] for name in self.places]
        rest = [option for option in options_of(self.request) if option not in placed]
        parameters = [
            inspect.Parameter(option.name, kind, default=option.default, annotation=option.annotation)
            for kind, chosen in (
                (inspect.Parameter.POSITIONAL_OR_KEYWORD, placed),
                (inspect.Parameter.KEYWORD_ONLY, rest),
            )
            for option in chosen
        ]
        ordered = sorted([*own, *parameters], key=lambda one: one.kind)
        whole = inspect.signature(function).replace(parameters=ordered)
        vars(function)["__signature__"] = whole
        return function


_BOARD = "noencrypt hardware dummy_output_file debug_vars debug_vars_fname zynq_host"
DRIVER = Method("Femtodriver", DriverRequest, "model_source_dir debug force_femtocrux_compile force_femtocrux_sim")
COMPILE = Method("compile", ModelRequest, "model_name model_options_file output_dir noencrypt")
COMPILE_METADATA = Method("compile_metadata", CompileRequest, "output_dir model_options_file noencrypt")
GENERATE_AUDIO_INPUTS = Method("generate_audio_inputs", FramesRequest, "n_frames input_sample_indices")
SIMULATE = Method("simulate", SimulateRequest, "input_period")
CREATE_RUNNER = Method("create_runner", RunnerRequest, _BOARD)
CREATE_SPU_RUNNER = Method(
    "create_SPURunner",
    RunnerRequest,
    "noencrypt hardware debug_vars debug_vars_fname dummy_output_file zynq_host",
)
EXECUTE_RUNNER = Method("execute_runner", ExecuteRequest, _BOARD)
COMPARE = Method("compare", ComparisonRequest, _BOARD)
RUN = Method(
    "run",
    JobRequest,
    "model_options_file output_dir n_frames input_file input_sample_indices force_femtocrux_compile "
    "force_femtocrux_sim hardware runners debug_vars debug_vars_fname debug noencrypt input_period dummy_output_file "
    "cleanup_docker zynq_host",
)
EVALUATE = Method("evaluate", EvaluateRequest, "inputs")
SWEEP = Method("sweep", SweepRequest)
METHODS: tuple[Method[Any], ...] = (
    DRIVER,
    COMPILE,
    COMPILE_METADATA,
    GENERATE_AUDIO_INPUTS,
    SIMULATE,
    CREATE_RUNNER,
    CREATE_SPU_RUNNER,
    EXECUTE_RUNNER,
    COMPARE,
    RUN,
    EVALUATE,
    SWEEP,
)
