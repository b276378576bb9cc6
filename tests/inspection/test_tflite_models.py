"""``inspect_file`` on TFLite files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from femtodriver.cli import main
from femtodriver.inspection import inspect_file, report_json, report_text
from tests.tflite.attack_files import ATTACKS
from tests.tflite.real_models import real_models
from tests.tflite.sample_models import samples
from tests.tflite.tflite_writer import write


def stored(folder: Path, data: bytes, name: str = "model.tflite") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def document(path: Path) -> dict[str, Any]:
    return dict(json.loads(report_json(inspect_file(path))))


def test_a_streaming_model(tmp_path: Path) -> None:
    found = document(stored(tmp_path, write(samples()["streaming"])))
    assert (found["kind"], found["sound"], found["problems"]) == ("tflite", True, [])
    assert found["network"] == {"description": "test", "graphs": 2, "operators": 6, "tensors": 8, "constants": 9}
    value = {"type": "INT8", "scale": 0.5, "zero_point": 0}
    assert found["inputs"] == [{"name": "t0", "signature": "in0", "shape": [1, 1, 3], **value}]
    assert found["outputs"] == [{"name": "t3", "signature": "out0", "shape": [1, 3, 3], **value}]
    start = {"lowest_start": 0, "highest_start": 0}
    assert found["states"] == [{"container": "", "name": "rows", "shape": [1, 2, 3], **value, **start}]
    assert [row["operators"] for row in found["graphs"]] == [6, 2]
    assert found["operators"][3] == {
        "graph": 0,
        "index": 3,
        "operator": "CONCATENATION",
        "version": 1,
        "inputs": ["INT8[1,2,3]", "INT8[1,1,3]"],
        "outputs": ["INT8[1,3,3]"],
        "scale": 0.5,
        "zero_point": 0,
        "options": ["axis=1"],
    }
    assert found["signatures"] == [{"key": "serving", "graph": 0, "inputs": ["in0"], "outputs": ["out0"]}]


def test_the_table_of_a_real_model(tmp_path: Path) -> None:
    text = report_text(inspect_file(stored(tmp_path, real_models()["alexa"])))
    words = "serving_default_input_audio:0 input_audio INT8 1 3 40 0.101960786 -128"
    assert words in " ".join(text.split())
    assert "FULLY_CONNECTED" in text
    assert "padding=VALID stride_w=1 stride_h=3 fused_activation=RELU " in text
    assert text.endswith("no problems found")


def test_a_file_is_known_by_its_content_or_its_ending(tmp_path: Path) -> None:
    data = write(samples()["ADD"])
    assert inspect_file(stored(tmp_path, data, "model.bin")).kind == "tflite"
    report = inspect_file(stored(tmp_path, b"no network", "other.TFLITE"))
    assert (report.kind, report.sound) == ("tflite", False)


def test_an_operator_that_is_unknown_here_is_told_and_the_rest_is_shown(tmp_path: Path) -> None:
    path = stored(tmp_path, ATTACKS["6.2"][1]())
    found = document(path)
    assert not found["sound"]
    assert 'custom operator "Evil' in found["problems"][0]["text"]
    assert found["inputs"][0]["name"] == "t0"
    assert "\x1b" not in report_text(inspect_file(path))


def test_the_command_line_shows_a_file_and_refuses_a_damaged_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write(samples()["CONV_2D"])
    assert main(["inspect", str(stored(tmp_path, data))]) == 0
    assert "CONV_2D" in capsys.readouterr().out
    assert main(["inspect", str(stored(tmp_path, data[:-60])), "--json"]) == 1
    assert not json.loads(capsys.readouterr().out)["sound"]
