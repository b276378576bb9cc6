"""The driver with the vendor's tools behind it: clients of both generations, without a container."""

from __future__ import annotations

import copy
import gc
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from femtodriver import Femtodriver
from femtodriver.cli import main
from femtodriver.errors import BackendError, ModelError, ProgramError, UsageError
from femtodriver.femtocrux import compiler_service
from femtodriver.fqir.exchange import fqir_bytes
from femtodriver.fqir.files.from_graphproto import adapt
from femtodriver.iospec import IOSpec
from femtodriver.job import compiled_model
from femtodriver.model.build_model import build_by_vendor
from tests.femtocrux import fake_clients
from tests.femtocrux.fake_clients import Asked, new_package, old_package

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"

torch = pytest.importorskip("torch")
pytest.importorskip("fmot")
pytestmark = [pytest.mark.fmot, pytest.mark.slow]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Asked:
    """What a client of 3.x was asked; no container engine is looked for."""
    asked = Asked()
    monkeypatch.setitem(sys.modules, "femtocrux", new_package(asked))
    monkeypatch.setattr(compiler_service, "remove_marked", lambda mark: asked.events.append("removed"))
    monkeypatch.delenv("FS_HW_CFG", raising=False)
    monkeypatch.delenv("FS_ALLOW_DOCKER_PULL", raising=False)
    monkeypatch.chdir(tmp_path)
    return asked


@pytest.fixture
def old(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The same of an older client."""
    monkeypatch.setitem(sys.modules, "femtocrux", old_package(asked))
    return asked


def graph() -> Any:
    return torch.load(SPOTTER, weights_only=False)


def test_a_compiled_archive_becomes_files_like_any_other(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    with Femtodriver() as driver:
        meta, femto, size = driver.compile(SPOTTER, compiler="femtocrux")
        assert driver.get_docker_logs() == "one\ntwo"
        assert driver.femtocrux_client is not None
    assert Path(meta).name == "meta_from_femtocrux"
    assert Path(meta, "metadata.yaml").is_file()
    assert Path(femto).stat().st_size == size
    assert asked.events == ["start", "compile", "close", "removed"]
    assert capsys.readouterr().out == ""  # the client's lines went elsewhere
    assert (driver.femtocrux_client, driver.get_docker_logs()) == (None, "No logs available")
    again = Femtodriver()
    again.compile("model_datas/keyword_spotter", output_dir="again")
    assert again.compiled_data is not None
    assert again.meta_dir == "again/keyword_spotter/meta_from_femtocrux"


def test_the_container_is_marked_and_nobody_is_asked_for_a_password(asked: Asked) -> None:
    with Femtodriver() as driver:
        driver.compile(SPOTTER, compiler="femtocrux", opt_profile="fast")
    environment = asked.given[0]["environment"]
    assert environment["FS_HW_CFG"] == "spu1p3v1.dat"
    assert environment["OPEN_FEMTODRIVER_SESSION"].count(":") == 2
    assert asked.given[0]["pull"] == "no"
    model, iospec, profile, configuration = asked.given[1]
    assert (model.batch_dim, model.sequence_dim, profile, configuration) == (0, 1, "fast", None)
    assert "features" in iospec.serialize_to_string()


def test_one_compilation_serves_repeated_runs(asked: Asked) -> None:
    with Femtodriver(force_femtocrux_compile=True) as driver:
        driver.compile(SPOTTER)
        inputs = driver.generate_audio_inputs(n_frames=3)
        for _ in range(3):
            result = driver.compare(inputs, "femtocrux,fqir")
            assert result["pass"] is True
        driver.execute_runner("femtocrux", inputs)
    assert asked.events == ["start", "compile", "simulator", *["simulate"] * 4, "close", "removed"]


def test_nothing_is_started_for_runners_of_ours(asked: Asked) -> None:
    with Femtodriver() as driver:
        driver.run(SPOTTER, runners="fqir,fasmir")
    assert asked.events == []


def test_its_report_is_kept_as_it_came_beside_ours(asked: Asked) -> None:
    with Femtodriver() as driver:
        result = driver.run(SPOTTER, runners="fasmir,femtocrux", input_period=0.5)
    assert result["pass"] is True
    folder = Path("model_datas/keyword_spotter")
    assert (folder / "femtocrux_report.json").read_text() == '{"Power (W)": 1.5e-4}'
    assert (folder / "metrics.yaml").is_file()
    assert asked.given[asked.events.index("simulate")][1] == 0.5
    Femtodriver().compile(SPOTTER)
    assert not (folder / "femtocrux_report.json").exists()


def test_force_femtocrux_sim_takes_the_place_of_our_simulator(asked: Asked) -> None:
    with Femtodriver(force_femtocrux_sim=True) as driver:
        result = driver.run(SPOTTER, runners="fasmir")
        assert list(result["outputs"]) == ["femtocrux"]
        found, report = driver.simulate(driver.generate_audio_inputs(), 0.25)
    assert (list(found["outputs"]), report) == (["femtocrux"], '{"Power (W)": 1.5e-4}')
    assert asked.given[-2][1] == 0.25
    assert "compile" not in asked.events


def test_frames_given_one_by_one_go_on_where_the_last_ended(asked: Asked) -> None:
    with Femtodriver() as driver:
        driver.compile(SPOTTER)
        inputs = driver.generate_audio_inputs(n_frames=4)
        whole, _ = driver.execute_runner("fqir", inputs)
        runner, name = driver.create_runner("femtocrux")
        runner.reset()
        rows = [runner.step({key: values[n] for key, values in inputs.items()})[0]["output.0"] for n in range(4)]
        runner.finish()
    assert name == "femtocrux"
    assert np.array_equal(np.stack(rows), whole["outputs"]["fqir"]["output.0"])


def test_older_clients_are_known_by_their_signature(old: Asked) -> None:
    model = graph()
    before = copy.deepcopy([tensor.quanta for tensor in model.inputs])
    with Femtodriver() as driver:
        driver.compile(model, "net", compiler="femtocrux")
        result = driver.compare(driver.generate_audio_inputs(n_frames=3), "femtocrux,fqir")
    assert result["pass"] is True
    assert old.events == ["start", "compile", "simulator", "simulate", "close", "removed"]
    assert old.given[2] == [0]
    assert old.given[3] == ((1, 3, 32), True, False)
    assert [tensor.quanta for tensor in model.inputs] == before
    assert Path("model_datas/net/femtocrux_report.txt").read_text() == "Power:\t1.5e-4"


def test_older_clients_have_no_profiles(old: Asked) -> None:
    with Femtodriver() as driver, pytest.raises(UsageError, match="opt_profile: must be left out with this version"):
        driver.compile(SPOTTER, compiler="femtocrux", opt_profile="fast")


def test_flags_of_the_model_options_go_to_the_vendors_compiler(asked: Asked) -> None:
    Path("options.yaml").write_text("keyword_spotter: {compiler_kwargs: {enable_virtual_cat: true}}\n")
    with Femtodriver() as driver:
        driver.compile(SPOTTER, compiler="femtocrux", model_options_file="options.yaml")
    assert asked.given[1][3] == {"enable_virtual_cat": True}


@pytest.mark.parametrize(
    "option", [{"objective": "energy"}, {"compiler_options": {"cores": 1}}, {"hw_config": "spu001"}, {"dump_ir": "d"}]
)
def test_options_of_our_own_compiler_are_refused(asked: Asked, option: Any) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(option))}: must be left out with the vendor's compiler"):
        Femtodriver().compile(SPOTTER, compiler="femtocrux", **option)
    assert asked.events == []


def test_a_hostile_file_is_refused_before_anything_unpickles_it(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("net.pt").write_bytes(SPOTTER.read_bytes())
    monkeypatch.setattr(torch, "load", lambda *given, **named: pytest.fail("unpickled"))

    def changed_meanwhile(*given: Any) -> Any:
        Path("net.pt").write_bytes(b"\x80\x04cos\nsystem\n.")
        return build_by_vendor(*given)

    monkeypatch.setattr(compiled_model, "build_by_vendor", changed_meanwhile)
    with pytest.raises(ModelError, match=r"net\.pt: "):
        Femtodriver().compile("net.pt", compiler="femtocrux")
    assert asked.events == []


def test_the_graph_of_a_file_of_python_goes_to_the_vendors_compiler(asked: Asked) -> None:
    lines = ["import torch", "def build():", "    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())"]
    Path("made.py").write_text("\n".join(lines))
    np.save("clips.npy", np.random.default_rng(0).uniform(-1, 1, (8, 4)).astype(np.float32))
    with Femtodriver() as driver:
        driver.compile("made.py:build", calibration="clips.npy", compiler="femtocrux")
        assert driver.fqir is not None
        ours = fqir_bytes(driver.fqir)
    assert fqir_bytes(adapt(asked.given[1][0].graph_proto, "made")) == ours


def test_a_network_that_is_not_fmots_is_refused(asked: Asked) -> None:
    with pytest.raises(UsageError, match="LOOPBACK: the model must be a network file"):
        Femtodriver().compile("LOOPBACK", compiler="femtocrux")
    assert asked.events == []


def test_the_vendors_program_cannot_run_on_our_simulator(asked: Asked) -> None:
    with Femtodriver() as driver, pytest.raises(ProgramError, match="not a program for the open SPU"):
        driver.run(SPOTTER, runners="fasmir", compiler="femtocrux")
    assert asked.events[-2:] == ["close", "removed"]


@pytest.mark.parametrize("stage", ["start", "compile"])
@pytest.mark.parametrize("error", [RuntimeError("it broke"), KeyboardInterrupt(), SystemExit(143)])
def test_the_container_is_gone_whatever_happens(asked: Asked, stage: str, error: BaseException) -> None:
    asked.failures[stage] = error
    wanted = BackendError if isinstance(error, Exception) else type(error)
    with pytest.raises(wanted), Femtodriver() as driver:
        driver.compile(SPOTTER, compiler="femtocrux")
    assert asked.events == ["start", *([] if stage == "start" else ["compile", "close"]), "removed"]
    assert list(Path().iterdir()) == []


def test_the_container_is_gone_when_the_driver_is_forgotten(asked: Asked) -> None:
    driver = Femtodriver()
    driver.compile(SPOTTER, compiler="femtocrux")
    del driver
    gc.collect()
    assert asked.events[-1] == "removed"


def test_the_command_line(asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(SPOTTER), "--compiler", "femtocrux", "--runners", "femtocrux,fqir", "--n-frames", "2"]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert "femtocrux = fqir, 2 frames, bit-exact" in out
    assert "Checking" not in out + err
    assert "  femtocrux_report.json\n" in out
    asked.failures["compile"] = RuntimeError("Client received error from compiler server:\nno such operator")
    assert main([str(SPOTTER), "--force-femtocrux-compile"]) == 1
    assert "the vendor's compiler must be able to compile it, but refuses: no such operator." in capsys.readouterr().err


def test_wrong_outputs_of_the_simulator_are_told(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_clients, "rows_of", lambda graph, inputs: {"other": np.zeros((2, 5), np.int16)})
    with (
        Femtodriver() as driver,
        pytest.raises(BackendError, match=r"must be 'output\.0', as in the network, not 'oth"),
    ):
        driver.run(SPOTTER, runners="femtocrux")
    monkeypatch.setattr(fake_clients, "rows_of", lambda graph, inputs: {"output.0": np.zeros((2, 4), np.int16)})
    with Femtodriver() as driver, pytest.raises(BackendError, match=r"integers of the shape \(2, 5\), not int16 of"):
        driver.run(SPOTTER, runners="femtocrux")
    monkeypatch.setattr(fake_clients, "rows_of", lambda graph, inputs: {"output.0": np.ones((2, 8), np.int16)})
    with Femtodriver() as driver:
        result = driver.run(SPOTTER, runners="femtocrux")
    assert result["outputs"]["femtocrux"]["output.0"].shape == (2, 5)  # padding is cut off


def test_the_specification_of_the_user_is_that_of_the_vendors_compiler(asked: Asked) -> None:
    with Femtodriver() as driver:
        _, _, _, own = driver.compile(SPOTTER, output_dir="own", iospec=_noted())
        *_, placed = driver.compile(SPOTTER, compiler="femtocrux", iospec=_noted())
    assert "of the user" in asked.given[1][1].serialize_to_string()
    assert placed.inputs["features"].comments == own.inputs["features"].comments == {"note": "of the user"}


def _noted() -> IOSpec:
    spec = IOSpec()
    spec.add_input("features", 32, 16, comments={"note": "of the user"})
    spec.add_output("output.0", 5, 16)
    spec.add_signature(["features"], [], ["output.0"])
    return spec


def test_settings_and_reservations_go_to_the_vendors_compiler(asked: Asked) -> None:
    Path("options.yaml").write_text("DEFAULT: {compiler_kwargs: {one: 1, two: 2}}\n")
    given: dict[str, Any] = {"user_configuration": {"two": 3}, "memory_reservations": {"core_0": 64}}
    with Femtodriver() as driver:
        driver.compile(SPOTTER, compiler="femtocrux", model_options_file="options.yaml", **given)
    assert asked.given[1][3] == {"one": 1, "two": 3}
    assert asked.given[2] == {"core_0": 64}
    for name, value in given.items():
        with pytest.raises(UsageError, match=f"{name}: must be left out with our own compiler"):
            Femtodriver().compile(SPOTTER, **{name: value})
