"""An evaluation from a model to its summary: load, compile, run every clip, report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from femtodriver.evaluation.evaluate_clips import evaluate_clips, report_text
from femtodriver.evaluation.evaluation_plan import check_evaluation, folder_of, make_plan
from femtodriver.job.compiled_model import DriverSettings, compile_model
from femtodriver.model.load_model import converted_name, load_source
from femtodriver.options.compile_requests import CompileRequest
from femtodriver.options.evaluate_requests import EvaluateRequest
from femtodriver.runners.compare_runs import RunProgress


def evaluate_model(
    model: object,
    request: EvaluateRequest,
    settings: DriverSettings,
    say: Callable[[str], None],
    progress: RunProgress | None,
) -> dict[str, Any]:
    """Evaluate a model; gives the document of ``summary.json``, with the ``folder`` of the results."""
    early = converted_name(model, None)  # the conversion of a PyTorch module takes a while
    checked = None if early is None else check_evaluation(request, early)
    source = load_source(model, None, request.requantize, request, say)
    clips = check_evaluation(request, source.name) if checked is None else checked
    compiled = CompileRequest(
        hw_config=request.hw_config,
        compiler_options=request.compiler_options,
        model_options_file=request.model_options_file,
    )
    built = compile_model(source, compiled, settings, request.input_period, request.clock).built
    plan = make_plan(built, request, clips)
    doc = evaluate_clips(plan, say, progress)
    say(report_text(plan, doc))
    return {**doc, "folder": str(folder_of(request, source.name))}
