"""Accuracy and signal-to-noise ratio, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from femtodriver.errors import InputError
from femtodriver.pytorch.calibration import Calibration
from femtodriver.pytorch.quantization_quality import quality_lines, quality_of

# Two clips of two frames, three elements: the means are largest at 0 and 2.
FLOATS = np.array([[[3.0, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 0.5, 1]]])
QUANTIZED = FLOATS + np.array([[[0, 0, 4.0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]])


def told(time_axis: int | None = 1, **given: Any) -> list[str]:
    clips = Calibration("clips.npz", {"x": FLOATS}, given.get("labels"), given.get("targets"), "")
    floats, quantized = (np.moveaxis(one, -1, 1) if time_axis == 2 else one for one in (FLOATS, QUANTIZED))
    if time_axis is None:
        floats, quantized = floats[:, 0], quantized[:, 0]
    return list(quality_lines(quality_of(clips, floats, quantized, time_axis)))


def test_without_labels_and_targets_only_the_outputs_are_compared() -> None:
    assert told() == ["SNR        -1.2 dB, the quantized output against that in floats"]  # 10 log10(12.25 / 16)


def test_a_clip_has_the_label_of_the_mean_of_its_frames() -> None:
    line = told(labels=np.array([0, 2]))[0]
    assert line == "Accuracy   100.0 % in floats, 50.0 % quantized (2 clips with a label); same answer 50.0 %"
    assert told(time_axis=2, labels=np.array([0, 2]))[0] == line


def test_frames_may_have_labels_of_their_own_or_none() -> None:
    line = told(labels=np.array([[0, -1], [2, 1]]))[0]
    assert line == "Accuracy   66.7 % in floats, 33.3 % quantized (3 frames with a label); same answer 66.7 %"
    assert told(labels=np.array([-1, -1]))[0] == "Accuracy   unknown: no clips have a label of 0 or more"


def test_samples_without_time() -> None:
    line = told(time_axis=None, labels=np.array([0, 2]))[0]
    assert line == "Accuracy   100.0 % in floats, 50.0 % quantized (2 samples with a label); same answer 50.0 %"


def test_targets_have_the_shape_of_the_output() -> None:
    lines = told(targets=FLOATS + 0.5)  # 10 log10(21.75 / 3), 10 log10(21.75 / 15)
    assert lines[0] == "SNR        8.6 dB to the targets in floats, 1.6 dB quantized (2 clips)"
    assert told(targets=FLOATS)[0] == "SNR        infinite to the targets in floats, -1.2 dB quantized (2 clips)"


def test_the_figures_are_plain_values() -> None:
    clips = Calibration("clips.npz", {"x": FLOATS}, np.array([0, 2]), FLOATS, "")
    assert quality_of(clips, FLOATS, QUANTIZED, 1) == {
        "labels": 2,
        "labels_of": "clips",
        "accuracy_floats_percent": 100.0,
        "accuracy_quantized_percent": 50.0,
        "same_answer_percent": 50.0,
        "targets": 2,
        "snr_targets_floats_db": "infinite",
        "snr_targets_quantized_db": -1.2,
        "snr_db": -1.2,
    }


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"labels": np.array([0, 3])}, "labels: must be below 3"),
        ({"labels": np.array([[0], [1]])}, "have the shape (2, 2), not (2, 1)"),
        ({"targets": np.zeros((2, 2))}, "targets: must have the shape of the output, (2, 2, 3), not (2, 2)"),
    ],
)
def test_labels_and_targets_that_do_not_fit_are_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        told(**given)
    assert sentence in str(error.value)
