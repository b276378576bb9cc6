"""What stops fmot is told before fmot is asked, with the place and the way out; what works is not held up."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from femtodriver.errors import UnsupportedError
from femtodriver.pytorch import convert_module as conversion
from femtodriver.pytorch.calibration import read_calibration
from femtodriver.pytorch.convert_module import Converted, convert_module
from femtodriver.pytorch.tracing_advice import FUNCTIONS, LAYERS
from tests.pytorch.written_modules import (
    BLOCKED,
    CONVERTED,
    EXPLAINED,
    FUNCTION_USES,
    SEQUENCE,
    Written,
    function_uses,
    layer_uses,
    line_of,
    write,
)

pytestmark = [pytest.mark.fmot, pytest.mark.slow]
TABLE = {**layer_uses(LAYERS), **function_uses()}
ALL: dict[str, Written] = {
    **{name: row for name, (row, _, _) in {**BLOCKED, **EXPLAINED}.items()},
    **CONVERTED,
    **TABLE,
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All classes in one file."""
    path = tmp_path_factory.mktemp("models") / "written_models.py"
    write(path, ALL)
    return path


def written(file: Path) -> ModuleType:
    assert file.exists()
    return importlib.import_module("written_models")


def calibration(row: Written) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    names = [name.split("=")[0].split(":")[0].strip(" *") for name in row.arguments.split(",")[1:] if "=" not in name]
    return {name: rng.uniform(0, 1, row.shape).astype("f4") for name in names if name != "h"}


def converted(file: Path, name: str) -> Converted:
    module = getattr(written(file), name)()
    return convert_module(module, name, read_calibration(calibration(ALL[name])), "double", None, lambda _: None)


def by_fmot(file: Path, name: str) -> object:
    """fmot's graph, without any check of ours."""
    fmot, torch = importlib.import_module("fmot"), importlib.import_module("torch")
    row = ALL[name]
    arrays = tuple(map(torch.from_numpy, calibration(row).values()))
    time_axis = {2: None}.get(len(row.shape), 1 if row.shape == SEQUENCE else 2)
    model = fmot.ConvertedModel(getattr(written(file), name)().eval(), batch_dim=0, seq_dim=time_axis)
    model.quantize([arrays if len(arrays) > 1 else arrays[0]])
    return model.trace()


def test_every_function_with_advice_is_tried() -> None:
    assert set(FUNCTION_USES) == set(FUNCTIONS)


@pytest.mark.parametrize("name", BLOCKED)
def test_a_stumbling_block_is_told_before_fmot_sees_it(file: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_by_fmot", lambda *_: pytest.fail("fmot was asked"))
    _, what, way = BLOCKED[name]
    with pytest.raises(UnsupportedError) as told:
        converted(file, name)
    sentence = str(told.value)
    assert what in sentence
    assert way in sentence
    assert re.match(r"\S*written_models\.py:\d+: ", sentence)
    assert "\n" not in sentence
    assert len(sentence) < 500


@pytest.mark.parametrize("name", EXPLAINED)
def test_a_failure_of_fmot_is_explained(file: Path, name: str) -> None:
    _, what, way = EXPLAINED[name]
    with pytest.raises(UnsupportedError) as told:
        converted(file, name)
    assert what in str(told.value)
    assert way in str(told.value)


@pytest.mark.parametrize("name", CONVERTED)
def test_ways_out_are_ways_out(file: Path, name: str) -> None:
    made = converted(file, name)
    assert made.graph.subgraphs["ARITH"].nodes


@pytest.mark.parametrize("name", [name for name in (*BLOCKED, *EXPLAINED) if name != "NotSelf"] + list(TABLE))
def test_fmot_does_fail_on_them(file: Path, name: str) -> None:
    with pytest.raises(Exception, match=r".") as failed:
        by_fmot(file, name)
    assert not isinstance(failed.value, UnsupportedError)


@pytest.mark.parametrize("name", TABLE)
def test_rows_of_the_table_name_the_line_and_the_way_out(file: Path, name: str) -> None:
    kind = name.removeprefix("Uses").removeprefix("Calls_")
    advice = LAYERS[kind] if name.startswith("Uses") else FUNCTIONS[kind]
    what = f"nn.{kind}" if name.startswith("Uses") else f"the function {kind}"
    text = f"nn.{kind}(" if name.startswith("Uses") else "return "
    if kind in ("TransformerEncoderLayer", "Conv1d"):
        text = f"self.layer = nn.{kind}("
    with pytest.raises(UnsupportedError) as told:
        converted(file, name)
    place = (
        f"written_models.py:{line_of(file, text, after=f'class {name}(')}: {what}, which fmot does not trace; {advice}."
    )
    assert place in str(told.value)
