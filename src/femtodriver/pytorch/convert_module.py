"""From a module in memory to fmot's graph: checked, converted, calibrated, quantized, judged and traced.

The module is not changed: a copy is converted. Nothing here depends on the state of random generators.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import importlib.util
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.errors import ModelError, UnsupportedError, UsageError
from femtodriver.program.plain_records import PlainValue
from femtodriver.pytorch.calibration import Calibration
from femtodriver.pytorch.converter_failures import converter_failure
from femtodriver.pytorch.foreign_code import ForeignCode, place_of, raised
from femtodriver.pytorch.forward_rules import TimeAxis
from femtodriver.pytorch.module_inputs import ModuleInputs, module_inputs
from femtodriver.pytorch.quantization_quality import quality_lines, quality_of
from femtodriver.pytorch.stumbling_blocks import StumblingBlock, stumbling_blocks, told

PACKAGES = ("torch", "fmot")
SEED = 0
Stage = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Converted:
    """``graph``: of fmot; ``lines``: what is told; ``quality``: figures of ``quality_of``; ``versions``: of the
    packages that made it; ``time_axis``: of the calibration, None for samples without time.
    """

    graph: Any
    lines: tuple[str, ...]
    quality: dict[str, PlainValue]
    versions: dict[str, str]
    time_axis: int | None


def check_installed() -> None:
    """UsageError unless torch and fmot can be imported; neither is."""
    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if absent:
        raise UsageError(
            f"PyTorch module: the package{'s' if len(absent) > 1 else ''} {' and '.join(absent)} must be installed: "
            "pip install 'open-femtodriver[torch]'"
        )


def convert_module(
    module: Any, where: str, calibration: Calibration, precision: str, time_axis: int | None, stage: Stage
) -> Converted:
    """Convert it; ``stage(text)`` is called with what is being done. ``where`` names the module in messages.

    UsageError for what is no module to convert; InputError for a calibration that does not fit; UnsupportedError for
    what fmot does not trace; ModelError where the module itself fails.
    """
    fmot, torch = importlib.import_module("fmot"), importlib.import_module("torch")
    _check_kind(module, where, fmot, torch)
    stage("copying the module")
    copied = _copied(module, where)
    _check_weights(copied, where)
    supported = fmot.supported_ops()
    _refuse(stumbling_blocks(copied, supported))
    with quiet():
        stage("running the module on the calibration")
        inputs = module_inputs(copied, calibration, precision, time_axis, lambda arrays: _called(copied, arrays, torch))
        floats = _outputs(copied, inputs, torch, where, calibration)
        _check_outputs(floats, where, calibration)
        blocks = stumbling_blocks(copied, supported, TimeAxis(inputs.time_axis))
        _refuse(blocks)
        quantized, graph = _by_fmot(copied, where, inputs, precision, stage, blocks)
    quality = quality_of(calibration, floats, quantized, inputs.time_axis)
    versions = {name: str(importlib.import_module(name).__version__) for name in PACKAGES}
    head = (
        f"{type(module).__name__}: quantized by fmot {versions['fmot']} ({precision}), calibrated on {inputs.shown} of "
        f"{calibration.where}"
    )
    return Converted(
        graph, (head, *(f"  {line}" for line in quality_lines(quality))), quality, versions, inputs.time_axis
    )


def _refuse(blocks: list[StumblingBlock]) -> None:
    """UnsupportedError if tracing is sure to fail."""
    if any(block.sure for block in blocks):
        raise UnsupportedError(told(sorted(blocks, key=lambda block: not block.sure)))


def _check_kind(module: Any, where: str, fmot: Any, torch: Any) -> None:
    wanted = "must be a module of PyTorch (torch.nn.Module)"
    if isinstance(module, fmot.ConvertedModel):
        raise UsageError(f"{where}: {wanted}, not what fmot has made of one; give the graph: model.trace().")
    if isinstance(module, torch.jit.ScriptModule):
        raise UsageError(f"{where}: {wanted}, not a TorchScript module, whose source is gone; give the original.")
    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"{where}: {wanted}, not {type(module).__name__!r:.60}.")


def _copied(module: Any, where: str) -> Any:
    """A copy for inference, in single precision."""
    caught, found = ForeignCode(), None
    with caught:
        found = copy.deepcopy(module).to("cpu").float().eval()
    if caught.error is not None:
        raise ModelError(
            f"{where}: the module must be one that copy.deepcopy can copy, but that raised {raised(caught.error)}; "
            "take off what computes its weights (weight_norm, hooks)."
        )
    return found


def _check_weights(module: Any, where: str) -> None:
    """ModelError for a NaN or an infinity, as training that failed leaves them: they have no integers."""
    for name, weights in module.named_parameters():
        if not weights.isfinite().all():
            raise ModelError(
                f"{where}: {name}: weights must be finite numbers, not NaN or infinity; load those of a training that "
                "has converged."
            )


def _check_outputs(floats: AnyArray, where: str, calibration: Calibration) -> None:
    """ModelError where the module itself makes no numbers of the calibration."""
    if not np.isfinite(floats).all():
        raise ModelError(
            f"{where}: the outputs for {calibration.where} must be finite numbers, but have a NaN or an infinity; look "
            "for buffers that hold one (running_var of a BatchNorm), divisions by 0 and logarithms."
        )


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Meanwhile nothing is shown: what fmot and torch print or warn of while they work is their own affair."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _called(module: Any, arrays: Sequence[AnyArray], torch: Any) -> AnyArray:
    """The first output of a module, as an array."""
    with torch.no_grad():
        found = module(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))
    while isinstance(found, (tuple, list, dict)):
        found = next(iter(found.values())) if isinstance(found, dict) else found[0]
    return np.asarray(found.detach().cpu().numpy())


def _outputs(module: Any, inputs: ModuleInputs, torch: Any, where: str, calibration: Calibration) -> AnyArray:
    caught, found = ForeignCode(), []
    with caught:
        found = [_called(module, batch, torch) for batch in inputs.batches()]
    if caught.error is not None:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(inputs.names, inputs.arrays, strict=True))
        raise ModelError(
            f"{place_of(caught.error) or where}: the module must run on the calibration ({shapes} from "
            f"{calibration.where}), but raised {raised(caught.error)}. "
            "If the shape is not what it takes: docs/pytorch.md says which shapes a calibration may have."
        )
    return np.concatenate(found)


def _by_fmot(
    module: Any, where: str, inputs: ModuleInputs, precision: str, stage: Stage, blocks: list[StumblingBlock]
) -> tuple[AnyArray, Any]:
    """The first output of the quantized module, and the graph."""
    fmot, torch = importlib.import_module("fmot"), importlib.import_module("torch")
    doing = "convert"

    def note(step: str) -> None:
        nonlocal doing
        doing = step
        stage(f"letting fmot {step} the module")

    caught, quantized, graph = ForeignCode(), [], None
    with caught:
        note("convert")
        model = fmot.ConvertedModel(module, precision=precision, batch_dim=0, seq_dim=inputs.time_axis)
        for place, quanta in inputs.quanta.items():
            model.set_input_details(place, quanta)
        note("quantize")
        batches = [tuple(map(torch.from_numpy, batch)) for batch in inputs.batches()]
        batches = batches * 2 if len(batches) == 1 else batches  # fmot wants several; ranges stay what they are
        model.quantize([batch if len(batch) > 1 else batch[0] for batch in batches])
        note("run")
        quantized = [_called(model, batch, torch) for batch in inputs.batches()]
        note("trace")
        graph = model.trace()
    if caught.error is not None:
        if blocks:
            raise UnsupportedError(told(blocks))
        raise UnsupportedError(converter_failure(caught.error, caught.trace, doing, module, where))
    return np.concatenate(quantized), graph
