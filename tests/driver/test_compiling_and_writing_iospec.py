"""I/O specifications through ``Femtodriver`` and the command: given, used, returned, written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from femtodriver import CompiledData, FakeSPURunner, Femtodriver
from femtodriver.cli import main
from femtodriver.errors import InputError, UsageError
from femtodriver.iospec import IOSpec
from tests.driver.reference_models import WIDTH, two_ways

ONES = [1] * WIDTH


def latched_b() -> IOSpec:
    """The model of two inputs, the second of which keeps its value, with its outputs the other way round."""
    spec = IOSpec()
    for name in "ab":
        spec.add_input(name, WIDTH, 16)
    for name in ("copy", "less"):
        spec.add_output(name, WIDTH, 16)
    spec.add_signature(["a"], ["b"], ["copy", "less"])
    return spec


def test_the_specification_decides_order_and_latching(fd: Femtodriver) -> None:
    _, _, _, placed = fd.compile(two_ways(), iospec=latched_b())
    assert placed.latched_input_names() == ["b"]
    assert list(fd.generate_audio_inputs()) == ["b", "a"]
    assert IOSpec("model_datas/fqir/iospec.yaml") == placed
    steps = [{"a": ONES}, {"a": ONES, "b": [3] * WIDTH}, {"a": [5] * WIDTH}]
    outputs = fd.compare(steps, "fqir,fmir,fasmir")["outputs"]["fasmir"]
    assert list(outputs) == ["copy", "less"]
    assert outputs["copy"][:, 0].tolist() == [0, 3, 3]
    assert outputs["less"][:, 0].tolist() == [1, -2, 2]


def test_steps_and_runs_of_a_runner_keep_the_last_value(fd: Femtodriver) -> None:
    fd.compile(two_ways(), iospec=latched_b())
    for name in ("fqir", "fasmir", "fakehw"):
        runner, _ = fd.create_runner(name)
        runner.reset()
        runner.step({"a": ONES, "b": [7] * WIDTH})
        seen = runner.run([{"a": ONES}, {"a": ONES}])[0]
        after = runner.step({"a": ONES})[0]
        if name != "fakehw":
            assert seen["copy"][:, 0].tolist() == [7, 7]
            assert after["copy"][0] == 7
        runner.reset()
        first = runner.run({"a": np.ones((1, WIDTH), int)})[0]
        assert name == "fakehw" or first["copy"][0, 0] == 0
        with pytest.raises(InputError, match='must have an array for "a"'):
            runner.step({"b": ONES})
        runner.finish()


@pytest.mark.parametrize("form", ["zip", "folder", "femto"])
def test_every_form_of_the_program_remembers(fd: Femtodriver, form: str) -> None:
    meta, femto, _, _ = fd.compile(two_ways(), iospec=latched_b())
    assert fd.compiled_data is not None
    fd.compiled_data.to_zip_file("model.zip")
    fd.compile({"zip": "model.zip", "folder": meta, "femto": femto}[form], output_dir="again")
    result, _ = fd.simulate([{"a": ONES, "b": [4] * WIDTH}, {"a": ONES}], 0.016)
    assert result["outputs"]["fasmir"]["copy"][:, 0].tolist() == [4, 4]


def test_three_values_without_four_with_it(fd: Femtodriver) -> None:
    meta, femto, size = fd.compile("LOOPBACK")
    again = fd.compile("LOOPBACK", iospec="model_datas/LOOPBACK/iospec.yaml")
    assert again[:3] == (meta, femto, size)
    assert again[3] == IOSpec("model_datas/LOOPBACK/iospec.yaml")
    assert CompiledData.read_from_files(meta).iospec == again[3]
    assert fd.compile("LOOPBACK", iospec_file="model_datas/LOOPBACK/iospec.yaml") == (meta, femto, size)
    with pytest.raises(UsageError, match="iospec and iospec_file must not both be given"):
        fd.compile("LOOPBACK", iospec=again[3], iospec_file="model_datas/LOOPBACK/iospec.yaml")


def test_the_next_compilation_in_memory_forgets_it(fd: Femtodriver) -> None:
    latched_b().write_spec_to_file("io.yaml")
    fd.load_model(two_ways())
    assert fd.compile_metadata(iospec_file="io.yaml").iospec.latched_input_names() == ["b"]
    assert fd.compile_metadata().iospec.latched_input_names() == []


def test_the_command_takes_a_file(fd: Femtodriver, capsys: pytest.CaptureFixture[str]) -> None:
    fd.compile("LOOPBACK")
    file = "model_datas/LOOPBACK/iospec.yaml"
    assert main(["LOOPBACK", "--iospec-file", file, "--runners", "fqir,fasmir"]) == 0
    assert "bit-exact" in capsys.readouterr().out
    Path("wrong.yaml").write_text(Path(file).read_text().replace("length: 16", "length: 15", 1))
    assert main(["LOOPBACK", "--iospec-file", "wrong.yaml", "--output-dir", "other"]) == 2
    told = capsys.readouterr().err
    assert 'wrong.yaml: input "x": length: must be 16, as in the model, not 15.' in told
    assert not Path("other").exists()


def test_a_board_by_hand_keeps_the_last_value_too(fd: Femtodriver) -> None:
    fd.compile(two_ways(), iospec=latched_b())
    assert fd.compiled_data is not None
    with FakeSPURunner(fd.compiled_data, io_records_dir=None) as runner:
        runner.reset()
        runner.step({"a": ONES, "b": [7] * WIDTH})
        runner.run([{"a": ONES}, {"a": ONES}])
        assert runner.get_vars(["b"])["b"].tolist() == [7] * WIDTH
        runner.reset()
        runner.step({"a": ONES})
        assert runner.get_vars(["b"])["b"].tolist() == [0] * WIDTH
        with pytest.raises(InputError, match='must have an array for "a"'):
            runner.step({"b": ONES})
