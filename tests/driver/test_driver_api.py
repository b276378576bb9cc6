"""The Python interface: the README's snippet, compiling again, results, refusals."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml

from femtodriver import Femtodriver, SPURunner
from femtodriver.errors import InputError, ProgramError, UsageError
from femtodriver.model import build_model
from femtodriver.model.described_program import network_inputs
from femtodriver.model.load_model import load_source

SPOTTER = Path(__file__).resolve().parents[2] / "examples" / "keyword_spotter" / "keyword_spotter.pt"
ZOO = ("gru_kws_S_double_p0", "multi_io_double", "tdnn_kws_S_double_p0")


def as_documented(model: Any) -> tuple[str, str, int, dict[str, Any], str]:
    # fmt: off
    with Femtodriver() as fd:
        meta_dir, femtofile_path, femtofile_size = fd.compile(model, model_name="my_audio_model", output_dir="model_datas")  # noqa: E501
        input_arr = np.random.randint(-1024, 1024, size=(1000,))
        model_inputs = fd.generate_audio_inputs(input=input_arr, input_sample_indices=[0, 4])
        results, metrics = fd.simulate(model_inputs=model_inputs, input_period=0.0016)
    # fmt: on
    return meta_dir, femtofile_path, femtofile_size, results, metrics


def check_documented(model: Any, outputs: dict[str, tuple[int, int]]) -> None:
    meta_dir, femto, size, results, metrics = as_documented(model)
    assert meta_dir == "model_datas/my_audio_model/meta_from_femtodriver"
    assert Path(meta_dir, "metadata.yaml").is_file()
    assert femto == "model_datas/my_audio_model/io_records/my_audio_model.femto"
    assert Path(femto).stat().st_size == size > 0
    assert results["compare_str"] == "Single Runner"
    assert results["pass"] == "No Comparisons"
    assert {name: rows.shape for name, rows in results["outputs"]["fasmir"].items()} == outputs
    document = yaml.safe_load(metrics)
    assert document["schema"] == "femtodriver-metrics/4"
    assert document["Frames Simulated"] == 4
    assert document["Input Period (s)"] == 0.0016
    assert document["model"]["name"] == "my_audio_model"
    assert len(document["model"]["sha256"]) == 64
    assert document["layers"]
    assert sum(layer["cycles"] for layer in document["layers"]) == pytest.approx(
        sum(core["busy"] for core in document["cycles"]["per_core"]), rel=1e-6
    )


@pytest.mark.slow
@pytest.mark.usefixtures("fd")
def test_the_documented_snippet_runs_as_written() -> None:
    check_documented("LOOPBACK", {"%x.4": (4, 16)})
    check_documented(SPOTTER, {"output.0": (4, 5)})
    check_documented(str(SPOTTER), {"output.0": (4, 5)})
    check_documented(graph_proto(), {"y": (4, 8)})


@pytest.mark.usefixtures("fd")
@pytest.mark.parametrize("model", ZOO)
def test_the_documented_snippet_runs_on_the_corpus(corpus: Path, model: str) -> None:
    folder = corpus / "zoo" / model
    with np.load(folder / "outputs.npz") as archive:
        shapes = {name: (4, archive[name].shape[1]) for name in archive.files}
    check_documented(folder / "graph.pt", shapes)


def graph_proto(width: int = 8) -> Any:
    """A graph like fmot's in memory: y = relu(x)."""

    def tensor(name: str) -> Any:
        return SimpleNamespace(name=name, dtype="fqint16", shape=[width], value=None, quanta=-7, is_bool=False)

    def graph(name: str, nodes: list[Any], subgraphs: dict[str, Any]) -> Any:
        ends = {"inputs": [x], "outputs": [y], "parameters": []}
        return SimpleNamespace(name=name, nodes=nodes, subgraphs=subgraphs, unbind_dim=None, **ends)

    x, y = tensor("x"), tensor("y")
    optype = SimpleNamespace(name="relu")
    node = SimpleNamespace(name="n", optype=optype, opname="relu", inputs={"x": x}, outputs=[y], constants={})
    node.subgraphs, node.subgraph = {}, None
    return graph("MAIN", [], {"ARITH": graph("ARITH", [node], {})})


def test_a_graph_in_memory_is_not_changed_and_is_called_fqir(fd: Femtodriver) -> None:
    model = graph_proto()
    before = copy.deepcopy(model)
    meta_dir, _, _ = fd.compile(model)
    assert model == before
    assert meta_dir == "model_datas/fqir/meta_from_femtodriver"
    inputs = fd.generate_inputs(n_frames=3)
    given = {name: rows.copy() for name, rows in inputs.items()}
    result = fd.compare(inputs, ["fqir", "fmir", "fasmir"])
    assert result["pass"] is True
    assert np.array_equal(result["outputs"]["fasmir"]["y"], np.maximum(inputs["x"], 0))
    assert np.array_equal(inputs["x"], given["x"])


def test_the_digest_of_a_graph_follows_its_content(fd: Femtodriver) -> None:
    digests = []
    for model, name in ((graph_proto(), "a"), (graph_proto(), "b"), (graph_proto(9), "a")):
        fd.compile(model, model_name=name)
        assert fd.compiled_data is not None
        digests.append(fd.compiled_data.metadata["femtodriver"]["model"]["sha256"])
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.slow
def test_one_object_compiles_one_model_after_the_other(fd: Femtodriver) -> None:
    for model, output in (("LOOPBACK", "%x.4"), (SPOTTER, "output.0"), ("LOOPBACK", "%x.4")):
        fd.compile(model)
        inputs = fd.generate_audio_inputs(seed=3)
        results, metrics = fd.simulate(inputs, 0.016)
        assert list(results["outputs"]["fasmir"]) == [output]
        assert yaml.safe_load(metrics)["tool"]["seed"] == 3
    assert sorted(path.name for path in Path("model_datas").iterdir()) == ["LOOPBACK", "keyword_spotter"]


def test_compiling_again_gives_the_same_bytes(fd: Femtodriver) -> None:
    def written() -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in Path("model_datas").rglob("*") if path.is_file()}

    fd.compile(SPOTTER)
    first = written()
    fd.compile(SPOTTER)
    assert written() == first


def test_a_failed_compilation_changes_neither_the_object_nor_the_files(fd: Femtodriver, tmp_path: Path) -> None:
    fd.compile("LOOPBACK", model_name="model")
    data, before = fd.compiled_data, Path("model_datas/model/io_records/0PROG_A").exists()
    (tmp_path / "bad.pt").write_bytes(b"no network")
    with pytest.raises(Exception, match=r"bad\.pt"):
        fd.compile(tmp_path / "bad.pt", model_name="model")
    assert fd.compiled_data is data
    assert Path("model_datas/model/io_records/0PROG_A").exists() is before
    assert fd.generate_audio_inputs()["x"].shape == (2, 16)


def test_attributes_after_compiling(fd: Femtodriver) -> None:
    assert (fd.modelname, fd.fqir, fd.compiled_data) == (None, None, None)
    fd.compile("LOOPBACK", output_dir="out")
    assert fd.modelname == "LOOPBACK"
    assert fd.fqir is not None
    assert fd.compiled_data is not None
    assert fd.model_dir == "out/LOOPBACK"
    assert fd.meta_dir == "out/LOOPBACK/meta_from_femtodriver"
    assert fd.io_records_dir == "out/LOOPBACK/io_records"
    assert (fd.femtocrux_client, fd.compiler_kwargs) == (None, {})
    assert isinstance(fd.spu_runner, SPURunner)
    assert fd.spu_runner is fd.spu_runner
    assert list(fd.spu_runner.input_info) == ["x"]
    fd.compare(fd.generate_audio_inputs(), "fqir,fasmir")
    assert fd.compare_status == {"pass": True, "status_str": "fqir = fasmir, 2 frames, bit-exact"}


def test_the_steps_of_the_reference_one_by_one(fd: Femtodriver) -> None:
    name, network, fmir, fasmir = fd.load_model(SPOTTER)
    assert (name, fmir, fasmir) == ("keyword_spotter", None, None)
    assert network is fd.fqir
    data = fd.compile_metadata(output_dir="out")
    assert data is fd.compiled_data
    assert not Path("out").exists()
    fd.generate_program_files()
    assert sorted(path.name for path in Path("out/keyword_spotter").iterdir()) == ["io_records"]
    fd.write_metadata_to_disk("out")
    assert Path("out/keyword_spotter/meta_from_femtodriver/metadata.yaml").is_file()
    runner, called = fd.create_runner("fasmir")
    assert called == runner.name == "fasmir"
    runner.reset()
    for frame in fd.generate_audio_inputs()["features"]:
        outputs, internals = runner.step({"features": frame})
        assert outputs["output.0"].shape == (5,)
        assert internals == {}
    runner.finish()
    _, metrics = fd.simulate(fd.generate_audio_inputs(), 0.016)
    path = fd.write_metrics_to_disk(metrics, "out")
    assert path == "out/keyword_spotter/metrics.yaml"
    assert yaml.safe_load(Path(path).read_text()) == yaml.safe_load(metrics)
    assert Path(path).with_name("metrics.txt").read_text().startswith("Metrics of keyword_spotter")


def test_a_name_given_to_load_model_is_for_graphs_and_files(fd: Femtodriver) -> None:
    assert fd.load_model(graph_proto())[0] == "fqir"
    assert fd.load_model(graph_proto(), "mine")[0] == "mine"
    assert fd.load_model(SPOTTER, "mine")[0] == "mine"


def test_several_inputs_and_outputs(fd: Femtodriver, corpus: Path, caplog: pytest.LogCaptureFixture) -> None:
    fd.compile(corpus / "zoo" / "multi_io_double" / "graph.pt")
    inputs = fd.generate_audio_inputs({"a": np.zeros((3, 32), int), "b": np.ones((3, 16), int)})
    results, _ = fd.simulate(inputs, 0.016)
    shapes = {name: rows.shape for name, rows in results["outputs"]["fasmir"].items()}
    assert shapes == {"output.0": (3, 10), "output.1": (3, 32), "output.2": (3, 1)}
    with caplog.at_level(logging.WARNING, logger="femtodriver"):
        dealt = fd.generate_audio_inputs(np.arange(100))
    assert "one array for 2 inputs: every frame takes 48 samples" in caplog.text
    assert dealt["a"].tolist() == [list(range(32)), list(range(48, 80))]
    assert dealt["b"].tolist() == [list(range(32, 48)), list(range(80, 96))]
    with pytest.raises(InputError, match="must have at least 48 samples"):
        fd.generate_audio_inputs(np.arange(47))


def test_inputs_come_from_many_places(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    rows: npt.NDArray[Any] = np.arange(48, dtype=np.int16).reshape(3, 16)
    np.save("a.npy", rows)
    np.savez("a.npz", x=rows)
    for source in ("a.npy", Path("a.npz"), rows, rows.reshape(-1), {"x": rows}, rows.astype(float)):
        made = fd.generate_audio_inputs(source)
        assert made["x"].dtype == np.int64
        assert np.array_equal(made["x"], rows)
    assert np.array_equal(fd.generate_audio_inputs("a.npy", input_sample_indices=(1, 2))["x"], rows[1:2])
    assert np.array_equal(fd.generate_audio_inputs("a.npy", input_file_sample_indices=(1, 2))["x"], rows[1:2])
    assert fd.generate_audio_inputs(n_frames=5)["x"].shape == (5, 16)
    assert not np.array_equal(fd.generate_audio_inputs(seed=1)["x"], fd.generate_audio_inputs(seed=2)["x"])
    assert np.array_equal(fd.generate_audio_inputs(seed=1)["x"], fd.generate_audio_inputs(seed=1)["x"])


def test_the_seed_is_told_only_for_inputs_that_we_made(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    made = fd.generate_audio_inputs(seed=5)
    assert yaml.safe_load(fd.simulate(made, 0.016)[1])["tool"]["seed"] == 5
    assert yaml.safe_load(fd.simulate(dict(made), 0.016)[1])["tool"]["seed"] is None


def test_comparing_needs_two_runners(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    inputs = fd.generate_audio_inputs()
    wanted: tuple[str | list[str] | None, ...] = ("fqir", [], None)
    for names in wanted:
        with pytest.raises(UsageError, match="compare: runners must be at least two, not"):
            fd.compare(inputs, names)


@pytest.mark.slow
def test_a_recording_that_differs_fails_the_comparison(fd: Femtodriver, capsys: pytest.CaptureFixture[str]) -> None:
    fd.compile("LOOPBACK")
    inputs = fd.generate_audio_inputs()
    wrong = inputs["x"].copy()
    wrong[1, 3] += 1
    np.save("wrong.npy", wrong)
    result = fd.compare(inputs, "fqir,dummy", dummy_output_file="wrong.npy")
    value = inputs["x"][1, 3]
    text = f"fqir != dummy: output '%x.4', frame 1, element 3: fqir gives {value}, dummy gives {value + 1}"
    text += " (1 of 32 values differ, by at most 1)"
    assert (result["pass"], result["status_str"]) == (False, text)
    fd.print_comparison_results(result)
    assert capsys.readouterr().out == text + "\n"
    assert fd.compare(inputs, "fqir,dummy", dummy_output_file="wrong.npy", error_tolerance=1)["pass"] is True


@pytest.mark.slow
def test_debug_variables_of_the_graph(fd: Femtodriver) -> None:
    fd.compile(SPOTTER)
    inputs = fd.generate_audio_inputs()
    result, _ = fd.execute_runner("fqir", inputs, debug_vars="all")
    inside = result["internals"]["fqir"]
    assert len(inside) > 10
    Path("names.txt").write_text("\n".join(list(inside)[:2]) + "\n")
    result, _ = fd.execute_runner("fqir", inputs, debug_vars_fname="names.txt")
    assert list(result["internals"]["fqir"]) == list(inside)[:2]
    for name in ("fmir", "fasmir"):
        kept = fd.execute_runner(name, inputs, debug_vars=["all"])[0]["internals"][name]
        assert kept.keys() == inside.keys()
        for variable, values in inside.items():
            assert np.array_equal(kept[variable], values), variable
    with pytest.raises(UsageError, match=r"debug variables: gone\.txt"):
        fd.execute_runner("fqir", inputs, debug_vars_fname="gone.txt")


def test_the_whole_job_in_one_call(fd: Femtodriver) -> None:
    told: list[str] = []
    steps: list[tuple[str, int, int]] = []
    fd.say = told.append
    fd.progress = lambda *step: steps.append(step)
    result = fd.run("LOOPBACK", runners="fqir, fasmir", n_frames=3, input_period=0.01, dump_ir="ir")
    assert result["pass"] is True
    assert set(result) == {"pass", "status_str", "outputs", "internals"}
    assert steps == [*(("fqir", done, 3) for done in (1, 2, 3)), ("fasmir", 3, 3)]
    assert yaml.safe_load(Path("model_datas/LOOPBACK/metrics.yaml").read_text())["Input Period (s)"] == 0.01
    assert len(list(Path("ir").iterdir())) >= 5
    assert told[0].startswith("LOOPBACK: 1 node, 0 parameters\n  input   x ")
    assert "fits spu001:" in told[0]
    assert told[-1].startswith("wrote model_datas/LOOPBACK/\n")


def test_no_runners_means_files_only(fd: Femtodriver) -> None:
    assert fd.run("LOOPBACK") == {}
    assert not Path("model_datas/LOOPBACK/metrics.yaml").exists()
    result = fd.run("LOOPBACK", runners=["fqir"])
    assert result["pass"] == "No Comparisons"
    assert not Path("model_datas/LOOPBACK/metrics.yaml").exists()


def test_metrics_of_an_earlier_program_do_not_outlive_it(fd: Femtodriver) -> None:
    fd.run("LOOPBACK", runners="fasmir")
    assert Path("model_datas/LOOPBACK/metrics.yaml").exists()
    fd.compile("LOOPBACK")
    assert not Path("model_datas/LOOPBACK/metrics.yaml").exists()


def test_main_takes_a_parsed_command_line(fd: Femtodriver) -> None:
    arguments = SimpleNamespace(model="LOOPBACK", runners="fqir", n_frames=1, zynq_host=None, encryption_key_idx=None)
    assert list(fd.main(arguments)["outputs"]) == ["fqir"]
    arguments.runer = "fasmir"
    with pytest.raises(UsageError, match=r"main: .*not 'runer'\. Did you mean 'runner'\?"):
        fd.main(arguments)


def test_model_options(fd: Femtodriver, caplog: pytest.LogCaptureFixture) -> None:
    options = {
        "DEFAULT": {"compiler_kwargs": {"one": 1, "two": 2}},
        "LOOPBACK": {"type": "KWS", "description": "d", "compiler_kwargs": {"two": 3}},
    }
    Path("options.yaml").write_text(yaml.safe_dump(options))
    with caplog.at_level(logging.WARNING, logger="femtodriver"):
        fd.compile("LOOPBACK", model_options_file="options.yaml")
    assert fd.compiler_kwargs == {"one": 1, "two": 3}
    assert "compiler flags without a meaning for this compiler are ignored: one, two" in caplog.text
    named = Femtodriver(model_source_dir=".")
    named.compile("LOOPBACK")
    assert named.compiler_kwargs == {"one": 1, "two": 3}
    with pytest.raises(UsageError, match=r"model options: gone\.yaml: the file must exist"):
        fd.compile("LOOPBACK", model_options_file="gone.yaml")
    for text in ("- a\n", "LOOPBACK: 3\n", "DEFAULT: {compiler_kwargs: x}\n", "a: &b [*b]\n"):
        Path("odd.yaml").write_text(text)
        with pytest.raises(UsageError, match=r"odd\.yaml"):
            fd.compile("LOOPBACK", model_options_file="odd.yaml")


@pytest.mark.slow
def test_main_and_cli_of_the_reference(fd: Femtodriver, capsys: pytest.CaptureFixture[str]) -> None:
    from femtodriver import driver

    np.save("wrong.npy", np.zeros((2, 16), np.int16))
    assert driver.main(["LOOPBACK", "--runners", "fqir,fasmir", "--n_frames", "3"]) == 0
    assert "fqir = fasmir, 3 frames, bit-exact" in capsys.readouterr().out
    assert driver.main(["LOOPBACK", "--runners=fqir,dummy", "--dummy-output-file=wrong.npy"]) == 1
    with pytest.raises(UsageError, match="runner: must be one of"):
        driver.main(["LOOPBACK", "--runners", "none"])
    with pytest.raises(SystemExit):
        driver.main(["LOOPBACK", "--no-such-option"])


def test_a_comparison_with_inputs_and_period_of_its_own(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    np.save("rows.npy", np.arange(48).reshape(3, 16))
    result = fd.compare(runners_to_compare="fqir,fasmir", input_file="rows.npy", input_period=0.25)
    assert result["status_str"] == "fqir = fasmir, 3 frames, bit-exact"
    assert result["outputs"]["fqir"]["%x.4"][1, 1] == 17
    assert yaml.safe_load(Path("model_datas/LOOPBACK/metrics.yaml").read_text())["Input Period (s)"] == 0.25
    fd.compare(runners_to_compare="fqir,fasmir", input_file="rows.npy", temperature=40, battery_mwh=225)
    document = yaml.safe_load(Path("model_datas/LOOPBACK/metrics.yaml").read_text())
    assert document["hardware"]["temperature_c"] == 40
    assert document["battery"]["capacity_mwh"] == 225
    made = fd.compare(None, "fqir,fmir", n_frames=4, input_file_sample_indices=[1, 3])
    assert made["status_str"] == "fqir = fmir, 2 frames, bit-exact"
    with pytest.raises(UsageError, match="n_frames: must not be given together with model_inputs"):
        fd.compare(fd.generate_audio_inputs(), "fqir,fmir", n_frames=4)


def test_bad_inputs_are_found_before_compiling(fd: Femtodriver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_model, "compile_network", lambda *given, **named: pytest.fail("it compiled"))
    with pytest.raises(InputError, match=r"gone\.wav"):
        fd.run(SPOTTER, runners="fqir", input_file="gone.wav")
    with pytest.raises(InputError, match=r"must have the shape \(frames, 32\)"):
        fd.run(SPOTTER, runners="fqir", input_file=np.zeros((2, 3), int))


@pytest.mark.parametrize("model", ZOO)
def test_inputs_are_known_before_compiling(fd: Femtodriver, corpus: Path, model: str) -> None:
    source = load_source(corpus / "zoo" / model / "graph.pt")
    assert source.network is not None
    assert network_inputs(source.network) == build_model.build(source).inputs


def test_nothing_of_the_vendors_is_started_before_it_is_needed(fd: Femtodriver) -> None:
    assert fd.get_docker_logs() == "No logs available"
    fd.run("LOOPBACK", runners="fqir")
    assert fd.femtocrux_client is None
    fd.close()
    fd.close()


def test_simulate_takes_what_the_command_line_takes(fd: Femtodriver) -> None:
    fd.compile("LOOPBACK")
    inputs = fd.generate_audio_inputs()
    _, metrics = fd.simulate(inputs, machine="numpy", check_state=True, temperature=np.float64(30))
    document = yaml.safe_load(metrics)
    assert document["tool"]["native"] is False
    assert document["hardware"]["temperature_c"] == 30.0


@pytest.mark.parametrize("period", [0, -1.0, float("nan"), float("inf"), "0.016", True])
def test_periods_that_are_none(fd: Femtodriver, period: Any) -> None:
    fd.compile("LOOPBACK")
    with pytest.raises(UsageError, match=r"input_period: must be from 1e-09 to 1e\+09 seconds"):
        fd.simulate(fd.generate_audio_inputs(), period)


@pytest.mark.parametrize("model", [5, None, b"LOOPBACK", {}, SimpleNamespace(nodes=[]), "", "."])
def test_what_is_no_model(fd: Femtodriver, model: Any) -> None:
    with pytest.raises((UsageError, ProgramError)):
        fd.compile(model)
    assert list(Path().iterdir()) == []


def test_methods_want_a_compiled_model(fd: Femtodriver) -> None:
    calls: list[Any] = [
        fd.generate_audio_inputs,
        fd.generate_program_files,
        fd.compile_metadata,
        lambda: fd.write_metadata_to_disk("out"),
        lambda: fd.write_metrics_to_disk("schema: x", "out"),
        lambda: fd.simulate({}, 0.016),
        lambda: fd.compare({}, "fqir,fasmir"),
        lambda: fd.create_runner("fqir"),
        fd.create_SPURunner,
    ]
    for call in calls:
        with pytest.raises(UsageError, match=r"a model must be (compiled|loaded) first"):
            call()


@pytest.mark.parametrize("metrics", ["", "a: 1", "- a", "{", {"a": 1}, 5])
def test_metrics_that_are_none(fd: Femtodriver, metrics: Any) -> None:
    fd.compile("LOOPBACK")
    with pytest.raises(UsageError, match="metrics"):
        fd.write_metrics_to_disk(metrics, "out")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda fd: fd.load_model("LOOPBACK", name=3), "name: must be a text, not 3."),
        (lambda fd: fd.write_metadata_to_disk(3), "output_dir: must be a path, not 3."),
        (lambda fd: fd.write_metrics_to_disk({"schema": 1}, 3), "output_dir: must be a path, not 3."),
        (lambda fd: fd.compare({}, 5), "runners_to_compare: must be names, separated by commas or in a list, not 5."),
        (lambda fd: fd.create_SPURunner(meta_dir=3), "meta_dir: must be a path, not 3."),
        (lambda fd: fd.list_connected_devices(3), "spu: must be a text, not 3."),
    ],
)
def test_arguments_of_the_wrong_type(
    call: Callable[[Any], object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that are not options are refused in a sentence."""
    monkeypatch.chdir(tmp_path)
    with Femtodriver() as fd:
        fd.compile("LOOPBACK")
        with pytest.raises(UsageError) as told:
            call(fd)
    assert str(told.value) == message
