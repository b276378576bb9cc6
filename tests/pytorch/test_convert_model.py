"""Modules in memory and in files, with the real torch and fmot: what comes of them, and what stays as it was."""

from __future__ import annotations

import importlib
import importlib.util
import linecache
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver
from femtodriver.errors import InputError, ModelError, UnsupportedError, UsageError
from femtodriver.model.load_model import Source, load_source
from femtodriver.options.conversion_requests import ConversionRequest
from femtodriver.pytorch.module_reference import is_module
from tests.pytorch.written_modules import CHANNELS, CONVERTED, RECURRENT, SEQUENCE, Written, function, write

ROWS = {
    **{name: CONVERTED[name] for name in ("Gru", "Conv", "Perceptron", "Silu")},
    "Pointwise": Written("return torch.relu(x) * 2.0", "pass"),
    "TwoInputs": Written("return self.a(x) + torch.relu(z)", arguments="self, x, z"),
    "Strange": function("torch.stack([x, y], -1)"),
    "Unknown": function("torch.logsumexp(y, dim=-1, keepdim=True)"),
    "Wrong": Written("return self.a(x[0].nothing)"),
}
pytestmark = [pytest.mark.fmot, pytest.mark.slow]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The classes, in a file of the current folder."""
    monkeypatch.chdir(tmp_path)
    yield write(tmp_path / "some_models.py", ROWS)
    sys.modules.pop("some_models", None)


def clips(shape: tuple[int, ...] = SEQUENCE) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def loaded(module: object, calibration: object, **given: Any) -> tuple[Source, list[str]]:
    told: list[str] = []
    request = ConversionRequest(calibration=calibration, **given)
    return load_source(module, None, None, request, told.append), told


def test_a_module_and_what_torch_knows_stay_as_they_were(written: ModuleType) -> None:
    torch = importlib.import_module("torch")
    module = written.Gru().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    kinds = {name: type(one) for name, one in module.named_modules()}
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    source, told = loaded(module, clips())
    assert source.name == "Gru"
    assert source.network is not None
    said = r"Gru: quantized by fmot \S+ \(double\), calibrated on 4 clips of 6 frames .* of the calibration"
    assert re.fullmatch(said, told[0])
    assert module.training
    assert kinds == {name: type(one) for name, one in module.named_modules()}
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in module.modules())
    assert torch.equal(state, torch.get_rng_state())
    assert threads == torch.get_num_threads()
    assert torch.is_grad_enabled()


def test_the_same_module_gives_the_same_network(written: ModuleType) -> None:
    torch = importlib.import_module("torch")
    module = written.Gru()
    first, _ = loaded(module, clips())
    torch.manual_seed(99)
    second, _ = loaded(module, clips())
    assert first.sha256 == second.sha256


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("Gru", SEQUENCE, "4 clips of 6 frames (time is axis 1)"),
        ("Conv", CHANNELS, "4 clips of 6 frames (time is axis 2)"),
        ("Perceptron", (16, 12), "16 samples"),
    ],
)
def test_the_axis_of_time_is_found(written: ModuleType, name: str, shape: tuple[int, ...], said: str) -> None:
    source, told = loaded(getattr(written, name)(), clips(shape))
    assert said in told[0]
    (sample,) = source.sample.values()
    assert sample.shape == (shape[0] if len(shape) == 2 else 6, 12)


def test_the_axis_of_time_that_is_named_must_be_one(written: ModuleType) -> None:
    _, told = loaded(written.Conv(), clips(CHANNELS), time_axis=2)
    assert "(time is axis 2)" in told[0]
    with pytest.raises(
        UsageError, match="time_axis: must be 2 for the calibration, not 1: without the last part of axis 1"
    ):
        loaded(written.Conv(), clips(CHANNELS), time_axis=1)
    _, told = loaded(written.Pointwise(), clips((4, 6, 6)), time_axis=2)
    assert "(time is axis 2)" in told[0]


@pytest.mark.parametrize(("precision", "bits", "weights"), [("standard", 8, 4), ("eights", 8, 8), ("double", 16, 8)])
def test_precisions(written: ModuleType, precision: str, bits: int, weights: int) -> None:
    source, _ = loaded(written.Perceptron(), clips((16, 12)), precision=precision)
    assert source.network is not None
    assert source.network.inputs[0].dtype == f"fqint{bits}"
    assert source.network.frame is not None
    assert f"fqint{weights}" in {tensor.dtype for tensor in source.network.frame.parameters}


@pytest.mark.parametrize(("precision", "quanta"), [("double", -15), ("eights", -7)])
def test_integers_are_shares_of_full_scale(written: ModuleType, precision: str, quanta: int) -> None:
    sound = np.round(clips((16, 12)) * 32767).astype(np.int16)
    source, _ = loaded(written.Perceptron(), sound, precision=precision)
    assert source.network is not None
    assert source.network.inputs[0].quanta == quanta
    assert np.array_equal(next(iter(source.sample.values())) * 32768, sound)


def test_several_inputs_go_by_the_names_of_forward(written: ModuleType) -> None:
    module = written.TwoInputs()
    one, _ = loaded(module, {"x": clips(), "z": clips() * 2})
    other, _ = loaded(module, {"z": clips() * 2, "x": clips()})
    assert one.sha256 == other.sha256
    wrong = (
        r"must have an array for each argument of forward \(x, z\), not for x, y; .* arrays named labels or targets\.$"
    )
    with pytest.raises(InputError, match=wrong):
        loaded(module, {"x": clips(), "y": clips()})


def test_errors_of_the_module_are_told_with_their_place(written: ModuleType) -> None:
    with pytest.raises(ModelError) as told:
        loaded(written.Wrong(), clips())
    assert re.match(
        r"some_models\.py:\d+: the module must run on the calibration \(x \(4, 6, 12\) from ", str(told.value)
    )
    assert "AttributeError: 'Tensor' object has no attribute 'nothing'" in str(told.value)
    assert str(told.value).endswith("docs/pytorch.md says which shapes a calibration may have.")
    with pytest.raises(ModelError, match=r"some_models\.py:\d+: .*mat1 and mat2 shapes"):
        loaded(written.Perceptron(), clips((16, 5)))


def test_weights_that_are_no_numbers_are_refused(written: ModuleType) -> None:
    torch = importlib.import_module("torch")
    module = written.Gru()
    for bad in (float("nan"), float("inf")):
        weights = next(iter(module.parameters()))
        with torch.no_grad():
            weights.view(-1)[0] = bad
        with pytest.raises(ModelError, match="weights must be finite numbers, not NaN or infinity"):
            loaded(module, clips())


def test_outputs_that_are_no_numbers_are_refused(written: ModuleType) -> None:
    torch = importlib.import_module("torch")
    layer = torch.nn.BatchNorm1d(6)
    layer.running_mean[0] = float("nan")
    with pytest.raises(ModelError, match="must be finite numbers, but have a NaN or an infinity"):
        loaded(torch.nn.Sequential(torch.nn.Linear(6, 6), layer), clips((40, 6)))


def test_one_clip_is_enough_to_convert(written: ModuleType) -> None:
    one, _ = loaded(written.Gru(), clips()[:1])
    assert one.network is not None


@pytest.mark.parametrize("name", ["Strange", "Unknown"])
def test_errors_that_nobody_knows_are_one_sentence_and_a_file(written: ModuleType, name: str) -> None:
    with pytest.raises(UnsupportedError) as told:
        loaded(getattr(written, name)(), clips())
    sentence = str(told.value)
    found = re.search(r"fmot cannot \w+ this module: (.+)\. The whole text \((\d+) lines\) is in (\S+)\.$", sentence)
    assert found
    assert re.match(r"some_models\.py:\d+: |Strange: ", sentence)
    assert len(sentence) < 500
    text = Path(found[3]).read_text()
    assert len(text.splitlines()) == int(found[2])
    assert "Traceback" in text
    Path(found[3]).unlink()


def test_what_is_no_module_to_convert_is_refused(written: ModuleType, fmot: ModuleType) -> None:
    torch = importlib.import_module("torch")
    converted = fmot.ConvertedModel(written.Perceptron().eval(), batch_dim=0)
    with pytest.raises(UsageError, match=r"not what fmot has made of one; give the graph: model\.trace\(\)"):
        loaded(converted, clips((16, 12)))
    with pytest.raises(UsageError, match="not a TorchScript module"):
        loaded(torch.jit.script(torch.nn.Linear(3, 3)), clips((16, 3)))
    with pytest.raises(UsageError, match="calibration: must be given for a PyTorch module"):
        loaded(written.Gru(), None)
    with pytest.raises(UsageError, match="time_axis: must be left out for a calibration of samples without time"):
        loaded(written.Perceptron(), clips((16, 12)), time_axis=1)
    assert not is_module(written.Gru)
    for model, name in ((written.Gru, "Gru"), (clips, "clips")):
        with pytest.raises(UsageError, match=rf"model: must be the module that {name}\(\) gives, not {name} itself"):
            loaded(model, clips())
    assert not is_module("some_models.py")


def test_the_class_of_an_interactive_python_has_no_source(written: ModuleType) -> None:
    with pytest.raises(UnsupportedError, match="the source of the class Typed is in no file"):
        loaded(in_a_cell("return self.b(self.g(x)[0])", None), clips())


def test_the_class_of_a_notebook_has_the_source_of_its_forward(written: ModuleType) -> None:
    source, _ = loaded(in_a_cell("return self.b(self.g(x)[0])", "cell-1"), clips())
    assert source.name == "Typed"
    with pytest.raises(
        UnsupportedError, match=r"cell-2:8: the slice self\.g\(x\)\[0\]\[:, -1\], which fmot does not trace"
    ):
        loaded(in_a_cell("return self.b(self.g(x)[0][:, -1])", "cell-2"), clips())


def in_a_cell(forward: str, file: str | None) -> object:
    """A module whose class is written as in a notebook: its lines are remembered under a name, or not at all."""
    lines = Written(forward, RECURRENT).source("Typed").lstrip("\n")
    if file is not None:
        linecache.cache[file] = (len(lines), None, lines.splitlines(keepends=True), file)
    torch = importlib.import_module("torch")
    made: dict[str, Any] = {"nn": torch.nn, "torch": torch, "__name__": "nowhere"}
    exec(compile(lines, file or "<string>", "exec"), made)
    return made["Typed"]()


def test_without_torch_one_sentence_says_what_to_install(written: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "fmot" else found(name, *rest))
    for model in (written.Gru(), "some_models.py:Gru"):
        with pytest.raises(
            UsageError, match=r"the package fmot must be installed: pip install 'open-femtodriver\[torch\]'"
        ):
            loaded(model, clips())


def test_compile_takes_a_module_in_memory(written: ModuleType, tmp_path: Path) -> None:
    told: list[str] = []
    with Femtodriver() as driver:
        driver.say = told.append
        labels = np.zeros(4, int)
        driver.compile(
            written.Gru(), calibration={"x": clips(), "labels": labels}, model_name="word", output_dir="made"
        )
        assert driver.modelname == "word"
        compiled = driver.compiled_data
    assert "Accuracy" in told[1]
    assert compiled is not None
    origin = compiled.metadata["femtodriver"]["model"]["conversion"]
    assert origin["function"] == "Gru"
    assert origin["precision"] == "double"
    assert set(origin["versions"]) == {"torch", "fmot"}
    assert "source" not in origin


def test_a_module_in_memory_runs_into_a_report(written: ModuleType) -> None:
    with Femtodriver() as driver:
        assert driver.conversion is None
        driver.run(written.Gru(), calibration=clips(), runners="fqir,fasmir", report="report.html")
        made = driver.conversion
        assert driver.compare_status["pass"]
        name, network, _, _ = driver.load_model(written.Silu(), "other", calibration=clips(), precision="eights")
        assert driver.conversion is not None
        assert driver.conversion.precision == "eights"
    metadata = yaml.safe_load(Path("model_datas/Gru/meta_from_femtodriver/metadata.yaml").read_text("utf-8"))
    recorded = metadata["femtodriver"]["model"]["conversion"]
    assert made is not None
    assert made.quality is not None
    assert recorded["quality"] == dict(made.quality)
    assert list(made.quality) == ["snr_db"]
    assert name == "other"
    assert network is not None
    assert network.inputs[0].dtype == "fqint8"
    page = Path("report.html").read_text()
    assert re.search(r"calibration</[^>]+>\s*<[^>]+>[0-9a-f]{64}", page)
    assert "calibration" in re.findall(r"Given in Python, and not in the command: ([^<]*)", page)[0]


def test_a_file_is_converted_elsewhere_with_the_same_result(
    written: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also from another folder; the module's weights are drawn, so that the generator counts."""
    np.save("clips.npy", clips())
    source = Path("some_models.py").read_text()
    Path("printing.py").write_text(source + "\nprint('made', 5)\nmodel = Gru()\n")
    first, told = loaded("printing.py:model", "clips.npy")
    assert told[:2] == [
        "printing.py:model: runs as code, in a process of its own (a .pt file is never run)",
        "note: printing.py printed: made 5",
    ]
    assert first.name == "printing"
    assert "torch" in sys.modules
    assert "printing" not in sys.modules
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    second, _ = loaded("../printing.py:model", "../clips.npy")
    assert first.sha256 == second.sha256
    assert first.conversion == second.conversion
