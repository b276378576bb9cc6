"""Sweeps of small models: rows, reasons, and how often something is compiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from femtodriver import Femtodriver
from femtodriver.errors import ModelError, ProgramError, UsageError
from femtodriver.job.compiled_model import compile_model
from femtodriver.metrics.named_figures import FIGURES
from femtodriver.part import load_part
from femtodriver.program.encryption.keyring import Keyring
from femtodriver.sweep import measured_program, run_sweep
from tests.driver.reference_models import two_ways

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FS_KEYRING", raising=False)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The requests of all compilations."""
    seen: list[Any] = []

    def counting(source: Any, request: Any, *rest: Any) -> Any:
        seen.append(request)
        return compile_model(source, request, *rest)

    monkeypatch.setattr(measured_program, "compile_model", counting)
    return seen


@pytest.mark.slow
def test_rows_are_what_single_runs_say(compiled: list[Any]) -> None:
    found = run_sweep("LOOPBACK", hw_config=["spu001", "spu001x4"], clock=[50e6, 1e6], input_period=0.01)
    assert [(row.part, row.clock_hz) for row in found.rows] == [
        ("spu001", 50e6),
        ("spu001", 1e6),
        ("spu001x4", 50e6),
        ("spu001x4", 1e6),
    ]
    assert len(compiled) == 2
    for row in found.rows:
        with Femtodriver() as fd:
            fd.compile("LOOPBACK", hw_config=row.part)
            inputs = fd.generate_inputs(n_frames=2)
            doc = yaml.safe_load(fd.simulate(inputs, input_period=0.01, clock=row.clock_hz)[1])
        assert row.figures == {name: figure.of(doc) for name, figure in FIGURES.items()}
        assert row.deadline_met is True
    assert (found.model, found.frames, found.seed) == ("LOOPBACK", 2, 0)
    assert sorted(Path().iterdir()) == [Path("model_datas")]  # of the single runs


def test_a_sweep_writes_nothing() -> None:
    run_sweep("LOOPBACK", voltage=[0.6, 0.8])
    assert list(Path().iterdir()) == []


def test_what_is_impossible_is_a_row_with_the_reason(compiled: list[Any]) -> None:
    found = run_sweep("LOOPBACK", compiler_options={"cores": [9, 1]}, clock=[1e6, 2e6])
    assert [row.fits for row in found.rows] == [False, False, True, True]
    assert found.rows[0].reason == "compiler option cores: must be at most 2 for spu001, not 9."
    assert (found.rows[0].clock_hz, found.rows[0].voltage_v, found.rows[0].temperature_c) == (1e6, 0.8, 25)
    assert found.rows[0].figures == {}
    assert len(compiled) == 2


@pytest.mark.slow
def test_a_network_that_does_not_fit_a_part() -> None:
    part = Path(load_part.__code__.co_filename).parent / "parts" / "spu001.toml"
    text = part.read_text("utf-8").replace("dm_banks = 8", "dm_banks = 2").replace("im_words = 4096", "im_words = 20")
    Path("small.toml").write_text(text)
    found = run_sweep(SPOTTER, hw_config=["small.toml", "spu001"])
    assert [row.fits for row in found.rows] == [False, True]
    assert "small.toml" not in found.rows[0].reason
    assert found.rows[0].part == "small.toml"


def test_the_objective_energy_is_compiled_for_each_deadline(compiled: list[Any]) -> None:
    run_sweep("LOOPBACK", objective=["energy", "cycles"], clock=[1e6, 2e6], voltage=[0.6, 0.7])
    assert [request.objective for request in compiled] == ["energy", "energy", "cycles"]


def test_inputs_decide_the_period() -> None:
    np.save("rows.npy", np.zeros(320, np.int16))
    (row,) = run_sweep("LOOPBACK", input_file="rows.npy", input_rate=16000.0).rows
    assert row.input_period_s == pytest.approx(0.001)
    assert row.deadline_met is True
    (row,) = run_sweep("LOOPBACK").rows
    assert (row.input_period_s, row.deadline_met) == (0.016, None)


def test_a_compiled_program_is_measured() -> None:
    with Femtodriver() as fd:
        fd.compile("LOOPBACK")
    found = run_sweep("model_datas/LOOPBACK", voltage=[0.6, 0.8])
    assert [row.part for row in found.rows] == ["spu001", "spu001"]
    assert found.rows[0].figures["power"] < found.rows[1].figures["power"]  # type: ignore[operator]


@pytest.mark.slow
def test_processes_give_the_same_rows() -> None:
    options: dict[str, Any] = {"hw_config": ["spu001", "spu001x4"], "compiler_options": {"cores": [1, 2, 3]}}
    alone = run_sweep(SPOTTER, **options)
    assert run_sweep(SPOTTER, workers=2, **options) == alone
    assert [row.fits for row in alone.rows] == [True, True, False, True, True, True]


@pytest.mark.slow
def test_other_processes_need_no_graph_that_only_this_one_can_have() -> None:
    graph = two_ways()
    graph.made_by = lambda: None
    assert len(run_sweep(graph, hw_config=["spu001", "spu001x4"], workers=2).optimal) > 0


def test_a_driver_sweeps_as_the_function_does() -> None:
    options: dict[str, Any] = {"clock": [1e6, 2e6], "voltage": [0.6, 0.8], "sort": "power"}
    with Femtodriver() as fd:
        assert fd.sweep("LOOPBACK", **options) == run_sweep("LOOPBACK", **options)
        assert fd.compiled_data is None


def test_a_driver_sweeps_with_its_settings(compiled: list[Any]) -> None:
    keys = Keyring({3: bytes(range(16))})
    with Femtodriver(keyring=keys, key_index=3) as fd:
        fd.compile("LOOPBACK")
        rows = fd.sweep("model_datas/LOOPBACK", voltage=[0.6, 0.8]).rows
    assert [row.fits for row in rows] == [True, True]
    Path("options.yaml").write_text("DEFAULT: [1]\n")
    with Femtodriver(model_source_dir=".") as fd:
        assert "options.yaml" in fd.sweep("LOOPBACK").rows[0].reason


@pytest.mark.slow
def test_other_processes_sweep_with_the_settings_too() -> None:
    with Femtodriver(keyring=Keyring({3: bytes(range(16))}), key_index=3) as fd:
        rows = fd.sweep("LOOPBACK", compiler_options={"cores": [1, 2]}, workers=2).rows
    assert [row.fits for row in rows] == [True, True]


@pytest.mark.parametrize("setting", ["force_femtocrux_compile", "force_femtocrux_sim"])
def test_the_vendors_tools_sweep_nothing(setting: str, compiled: list[Any]) -> None:
    options: dict[str, Any] = {setting: True}
    with (
        Femtodriver(**options) as fd,
        pytest.raises(UsageError, match="sweep: must be done with our own compiler and simulator"),
    ):
        fd.sweep("LOOPBACK")
    assert compiled == []


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"clok": 5}, UsageError, "run_sweep: arguments must be among those that it knows, not 'clok'"),
        ({"clock": 0.5}, UsageError, "clock: must be from 1 to 1e"),
        ({"hw_config": "nope"}, UsageError, "hw-config: must be one of spu001"),
        ({"compiler_options": {"fuze": 1}}, UsageError, "compiler option 'fuze': must be one of"),
        ({"sort": "cost"}, UsageError, "sort: must be a figure or a setting, not 'cost'"),
        ({"model": "gone.pt"}, ModelError, "gone.pt: the file must exist"),
        ({"model": "gone"}, ProgramError, "gone: the model must be"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_compiled(
    options: dict[str, Any], kind: type[Exception], sentence: str, compiled: list[Any]
) -> None:
    with pytest.raises(kind, match=sentence):
        run_sweep(**{"model": "LOOPBACK", **options})
    assert compiled == []
