"""The compiler as a whole: deterministic, leaves its arguments alone, dumps all stages; options only change cost."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from femtodriver.compiler import capacity_advice, compiler_options, pipeline
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.fmir.interpreter import FmirExecutor
from femtodriver.compiler.fmir.verify import InvalidFmirError
from femtodriver.compiler.passes.compiler_pass import Pass
from femtodriver.compiler.pipeline import Compilation, compile_network
from femtodriver.errors import AssemblyError, CapacityError, DefectError, ModelError, UsageError
from femtodriver.fqir.files.load_network import load_network
from femtodriver.fqir.graph import Network
from femtodriver.machine.machine import Machine
from femtodriver.part import load_part
from tests.compiler.compiler_nets import ADD, Net, dense, random_frames, recurrent

SPU = load_part()
ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "compiler.md"


def digest(compiled: Compilation) -> bytes:
    """All bytes of a program, in the order in which it has them."""
    memories = [
        (core, name, [words.tobytes() for words in groups])
        for core, images in compiled.data.mems_per_core.items()
        for name, groups in images.items()
    ]
    return pickle.dumps((memories, repr(compiled.data.metadata)))


# ---- determinism -----------------------------------------------------------------------------------------------------

OTHER_PROCESS = """
import hashlib, sys
from tests.compiler.compiler_nets import recurrent
from tests.compiler.test_pipeline import digest
from femtodriver.compiler.compiler_options import Options
from femtodriver.compiler.pipeline import compile_network
from femtodriver.part import load_part
texts = []
for cores in (1, 2):
    dump = lambda name, text: texts.append(name + text)
    program = compile_network(recurrent(), load_part(), dump, Options(cores=cores))
    print(hashlib.sha256(digest(program)).hexdigest())
print(hashlib.sha256("".join(texts).encode()).hexdigest())
"""


@pytest.mark.slow
def test_equal_bytes_in_every_process() -> None:
    """Whatever the seed of Python's hashes: no set or dictionary order may leak into a program or its text."""
    found = set()
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", OTHER_PROCESS]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1
    assert len(set(found.pop().split())) == 3, "one and two cores differ"


@pytest.mark.parametrize("name", ["loop_bandgru", "conditional_energy_gate", "lstm_vad_S_double_p0", "fft64_int16"])
def test_compiling_again_gives_the_same_bytes(corpus: Path, name: str) -> None:
    path = corpus / "zoo" / name / "graph.pt"
    first, again = (compile_network(load_network(path), SPU) for _ in range(2))
    assert digest(first) == digest(again)


def test_the_caller_keeps_what_is_his() -> None:
    network, part, options = recurrent(), load_part(), Options()
    before = pickle.dumps((network, part, options))
    first = compile_network(network, part, options=options)
    assert pickle.dumps((network, part, options)) == before
    parameters = [tensor.value for tensor in network.frame.parameters if tensor.value is not None]
    for memory in (
        words for images in first.data.mems_per_core.values() for groups in images.values() for words in groups
    ):
        assert not any(np.shares_memory(memory, values) for values in parameters)


def test_running_changes_neither_program_nor_mapped_network() -> None:
    compiled = compile_network(recurrent(), SPU)
    before, inits = digest(compiled), _inits(compiled)
    executor, machine = FmirExecutor(compiled.fmir), Machine(compiled.data, SPU)
    for frame in random_frames(recurrent()):
        executor.step(frame)
        machine.step(frame)
    assert digest(compiled) == before
    assert _inits(compiled) == inits


def _inits(compiled: Compilation) -> dict[str, list[int]]:
    return {name: b.init.tolist() for name, b in compiled.fmir.buffers.items() if b.init is not None}


# ---- stages ----------------------------------------------------------------------------------------------------------


def dumped(network: Network, **options: Any) -> dict[str, str]:
    texts: dict[str, str] = {}

    def dump(name: str, text: str) -> None:
        assert name not in texts
        texts[name] = text

    compile_network(network, SPU, dump, Options(**options))
    return texts


def test_every_stage_is_dumped_in_order() -> None:
    texts = dumped(recurrent())
    before, after = (
        [entry.name for entry in Options().selected_passes() if entry.placed == placed] for placed in (False, True)
    )
    stages = ["fqir", "lowered", *before, "placed", *after, "program"]
    assert [name.split(".")[0] for name in texts] == [f"{k:02d}-{stage}" for k, stage in enumerate(stages)]
    assert list(texts) == sorted(texts)
    for name, text in texts.items():
        assert text.endswith("\n"), name
        assert (
            text.split("\n")[0].split()[0] == {"txt": "network", "fmir": "fmir", "fasmir": "fasmir"}[name.split(".")[1]]
        )


def test_texts_are_made_only_for_those_who_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def text(stage: object) -> str:
        made.append(stage)
        return "text\n"

    for name in ("network_text", "fmir_text", "fasmir_text"):
        monkeypatch.setattr(pipeline, name, text)
    compile_network(recurrent(), SPU)
    assert made == []
    assert len(dumped(recurrent())) == len(made) > 8


def test_every_stage_is_described() -> None:
    """docs/compiler.md has a section for each stage, and no other ones."""
    text = DOCS.read_text("utf-8")
    for name in dumped(recurrent()):
        stage = name.split(".")[0].partition("-")[2]
        assert f"`{stage}`" in text, f"docs/compiler.md does not tell of the stage {stage!r}"


def test_a_pass_that_breaks_a_network_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Pass("drop-dead", lambda fmir, part: fmir.with_ops(fmir.ops[1:]))
    monkeypatch.setattr(compiler_options, "PASSES", (broken,))
    with pytest.raises(InvalidFmirError, match="must be written"):
        compile_network(recurrent(), SPU)


# ---- mistakes of our own ---------------------------------------------------------------------------------------------

MISTAKES: tuple[Exception, ...] = (
    ValueError("7 is not in list"),
    OSError(28, "No space left on device"),
    KeyError("t7"),
    AssemblyError("vadd: length must be at most 4096."),
    DefectError("compiler defect."),
)


def failing(error: Exception) -> Callable[..., NoReturn]:
    def fail(*arguments: object, **named: object) -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: type(mistake).__name__)
@pytest.mark.parametrize("stage", ["lower_network", "verify", "placements", "allocate", "build_threads", "link"])
def test_a_mistake_of_ours_is_told_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch, stage: str, mistake: Exception
) -> None:
    """Not as a lack of room, and no second try hides it."""
    monkeypatch.setattr(pipeline, stage, failing(mistake))
    with pytest.raises(type(mistake)) as caught:
        compile_network(recurrent(), SPU)
    assert caught.value is mistake


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: type(mistake).__name__)
def test_a_mistake_while_advice_is_looked_for_is_told_too(monkeypatch: pytest.MonkeyPatch, mistake: Exception) -> None:
    monkeypatch.setattr(capacity_advice, "load_part", failing(mistake))
    with pytest.raises(type(mistake)) as caught:
        compile_network(recurrent(), replace(SPU, dm_bank_words=8))
    assert caught.value is mistake


def test_a_broken_pass_is_no_fault_of_the_network() -> None:
    assert issubclass(InvalidFmirError, DefectError)
    assert not issubclass(DefectError, (ModelError, CapacityError, UsageError))


# ---- names that were asked for ---------------------------------------------------------------------------------------


def test_inner_values_stay_readable() -> None:
    net = Net()
    x = net.input("x", 16)
    inner = net.op("vvadd", {"x": dense(net, x, 16), "y": x}, 16, **ADD)
    net.output(net.op("relu", {"x": inner}, 16))
    compiled = compile_network(net.network(), SPU, keep=[inner.name])
    executor, machine = FmirExecutor(compiled.fmir), Machine(compiled.data, SPU)
    frame = random_frames(net.network(), 1)[0]
    outputs = executor.step(frame)
    kept = executor.internals()[inner.name]
    assert (
        np.maximum(kept, 0).tolist()
        == next(iter(outputs.values())).tolist()
        == next(iter(machine.step(frame).values())).tolist()
    )
    told = compiled.data.metadata["femtodriver"]["kept"][inner.name]
    assert (told["core"], told["length"]) == (0, 16)
