"""How good a module is on its calibration, in floats and quantized: accuracy on labels, SNR to targets.

The label of a clip is the largest element of the mean over its frames of the first output, the rule of ``femtodrive
evaluate``; with labels for each frame, that of the frame. An SNR is 10 log10(sum t^2 / sum (y - t)^2) over everything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from femtodriver.arrays import AnyArray, BoolArray, Float64Array
from femtodriver.errors import InputError
from femtodriver.program.plain_records import PlainValue
from femtodriver.pytorch.calibration import LABELS, TARGETS, Calibration


def quality_of(
    calibration: Calibration, floats: AnyArray, quantized: AnyArray, time_axis: int | None
) -> dict[str, PlainValue]:
    """Figures of the first output, (clips, frames, elements), or with the axes as the module gives them: in per cent
    and dB, to one decimal.

    InputError for labels or targets of another shape than the output asks for.
    """
    found: dict[str, PlainValue] = {}
    if calibration.labels is not None:
        found |= _accuracy(calibration, floats, quantized, time_axis)
    if calibration.targets is not None:
        found |= _to_targets(calibration, floats, quantized)
    return {**found, "snr_db": _decibels(floats, quantized)}


def quality_lines(quality: Mapping[str, PlainValue]) -> Iterator[str]:
    """What is told of these figures."""
    of = quality.get("labels_of")
    if quality.get("labels"):
        yield (
            f"Accuracy   {quality['accuracy_floats_percent']} % in floats, {quality['accuracy_quantized_percent']} % "
            f"quantized ({quality['labels']:,} {of} with a label); same answer {quality['same_answer_percent']} %"
        )
    elif of is not None:
        yield f"Accuracy   unknown: no {of} have a label of 0 or more"
    if "targets" in quality:
        before, after = (_shown(quality[f"snr_targets_{which}_db"]) for which in ("floats", "quantized"))
        yield f"SNR        {before} to the targets in floats, {after} quantized ({quality['targets']:,} clips)"
    yield f"SNR        {_shown(quality['snr_db'])}, the quantized output against that in floats"


def _accuracy(
    calibration: Calibration, floats: AnyArray, quantized: AnyArray, time_axis: int | None
) -> dict[str, PlainValue]:
    labels = np.asarray(calibration.labels)
    answers = [_answers(output, labels, time_axis) for output in (floats, quantized)]
    if labels.shape != answers[0].shape or labels.max(initial=-1) >= _classes(floats, time_axis):
        raise InputError(
            f"{calibration.where}: {LABELS}: must be below {_classes(floats, time_axis)}, the elements of the output, "
            f"and have the shape {answers[0].shape[: labels.ndim]}, not {labels.shape} with up to {labels.max()}."
        )
    judged: BoolArray = labels >= 0
    of = "frames" if labels.ndim == 2 else "samples" if time_axis is None else "clips"
    counted: dict[str, PlainValue] = {"labels": int(judged.sum()), "labels_of": of}
    if not judged.any():
        return counted
    before, after = answers
    right = {"accuracy_floats": before == labels, "accuracy_quantized": after == labels, "same_answer": before == after}
    return counted | {f"{name}_percent": round(100 * float(one[judged].mean()), 1) for name, one in right.items()}


def _answers(output: AnyArray, labels: AnyArray, time_axis: int | None) -> AnyArray:
    scores = _elements_last(output, time_axis)
    if labels.ndim == 1 and scores.ndim == 3:
        scores = scores.mean(axis=1)
    return np.asarray(scores.argmax(axis=-1))


def _classes(output: AnyArray, time_axis: int | None) -> int:
    return int(_elements_last(output, time_axis).shape[-1])


def _elements_last(output: AnyArray, time_axis: int | None) -> AnyArray:
    return np.moveaxis(output, 1, -1) if time_axis == 2 and output.ndim == 3 else output


def _to_targets(calibration: Calibration, floats: AnyArray, quantized: AnyArray) -> dict[str, PlainValue]:
    targets = np.asarray(calibration.targets)
    if targets.shape != floats.shape:
        raise InputError(
            f"{calibration.where}: {TARGETS}: must have the shape of the output, {floats.shape}, not {targets.shape}."
        )
    return {
        "targets": calibration.clips,
        "snr_targets_floats_db": _decibels(targets, floats),
        "snr_targets_quantized_db": _decibels(targets, quantized),
    }


def _decibels(signal: AnyArray, output: AnyArray) -> float | str:
    """A text where it is infinite, which JSON has no number for."""
    wanted, got = signal.astype(np.float64), output.astype(np.float64)
    energy, noise = (math.fsum(part) for part in (_squares(wanted), _squares(got - wanted)))
    if not noise:
        return "infinite"
    return round(10 * math.log10(energy / noise), 1) if energy else "-inf"


def _shown(decibels: PlainValue) -> str:
    return "infinite" if decibels == "infinite" else f"{decibels} dB"


def _squares(values: Float64Array) -> Iterator[float]:
    yield from (values * values).reshape(-1).tolist()
