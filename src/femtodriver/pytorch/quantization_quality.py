"""How good a module is on its calibration, in floats and quantized: accuracy on labels, SNR to targets.

The label of a clip is the largest element of the mean over its frames of the first output, the rule of ``femtodrive
evaluate``; with labels for each frame, that of the frame. An SNR is 10 log10(sum t^2 / sum (y - t)^2) over everything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from femtodriver.arrays import AnyArray, BoolArray, Float64Array
from femtodriver.errors import InputError
from femtodriver.pytorch.calibration import LABELS, TARGETS, Calibration


def quality_lines(calibration: Calibration, floats: AnyArray, quantized: AnyArray, time_axis: int | None) -> list[str]:
    """What is told of the first output: (clips, frames, elements), or with the axes as the module gives them.

    InputError for labels or targets of another shape than the output asks for.
    """
    found = []
    if calibration.labels is not None:
        found.append(_accuracy(calibration, floats, quantized, time_axis))
    if calibration.targets is not None:
        found.append(_to_targets(calibration, floats, quantized))
    return [*found, f"SNR        {_decibels(floats, quantized)}, the quantized output against that in floats"]


def _accuracy(calibration: Calibration, floats: AnyArray, quantized: AnyArray, time_axis: int | None) -> str:
    labels = np.asarray(calibration.labels)
    answers = [_answers(output, labels, time_axis) for output in (floats, quantized)]
    if labels.shape != answers[0].shape or labels.max(initial=-1) >= _classes(floats, time_axis):
        raise InputError(
            f"{calibration.where}: {LABELS}: must be below {_classes(floats, time_axis)}, the elements of the output, "
            f"and have the shape {answers[0].shape[: labels.ndim]}, not {labels.shape} with up to {labels.max()}."
        )
    judged: BoolArray = labels >= 0
    of = "frames" if labels.ndim == 2 else "samples" if time_axis is None else "clips"
    if not judged.any():
        return f"Accuracy   unknown: no {of} have a label of 0 or more"
    shares = [100 * float((answer == labels)[judged].mean()) for answer in answers]
    same = 100 * float((answers[0] == answers[1])[judged].mean())
    judgements = f"{int(judged.sum()):,} {of} with a label"
    return (
        f"Accuracy   {shares[0]:.1f} % in floats, {shares[1]:.1f} % quantized ({judgements}); same answer {same:.1f} %"
    )


def _answers(output: AnyArray, labels: AnyArray, time_axis: int | None) -> AnyArray:
    scores = _elements_last(output, time_axis)
    if labels.ndim == 1 and scores.ndim == 3:
        scores = scores.mean(axis=1)
    return np.asarray(scores.argmax(axis=-1))


def _classes(output: AnyArray, time_axis: int | None) -> int:
    return int(_elements_last(output, time_axis).shape[-1])


def _elements_last(output: AnyArray, time_axis: int | None) -> AnyArray:
    return np.moveaxis(output, 1, -1) if time_axis == 2 and output.ndim == 3 else output


def _to_targets(calibration: Calibration, floats: AnyArray, quantized: AnyArray) -> str:
    targets = np.asarray(calibration.targets)
    if targets.shape != floats.shape:
        raise InputError(
            f"{calibration.where}: {TARGETS}: must have the shape of the output, {floats.shape}, not {targets.shape}."
        )
    before, after = (_decibels(targets, output) for output in (floats, quantized))
    return f"SNR        {before} to the targets in floats, {after} quantized ({calibration.clips:,} clips)"


def _decibels(signal: AnyArray, output: AnyArray) -> str:
    wanted, got = signal.astype(np.float64), output.astype(np.float64)
    energy, noise = (math.fsum(part) for part in (_squares(wanted), _squares(got - wanted)))
    if not noise:
        return "infinite"
    return f"{10 * math.log10(energy / noise):.1f} dB" if energy else "-inf dB"


def _squares(values: Float64Array) -> Iterator[float]:
    yield from (values * values).reshape(-1).tolist()
