"""fmot's own runtimes as peers of the simulation: its Python backend and its C++ backend, in streaming mode.

Streaming: a sequence is given to the main graph, which runs it frame by frame; a graph without states is given one
frame after the other. fmot's wheel has its C++ backend as source; it is built here at -O3, in a folder of the caller's.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from femtodriver.arrays import Int64Array

PYTHON, CPP = "python", "cpp"
MODULE = "fmot.fqir._cpp_runtime"


def find_backends(folder: Path) -> tuple[set[str], list[str]]:
    """The backends that can be used here, and a sentence for each that cannot. ``folder``: where C++ is built."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("torch")
            fmot = importlib.import_module("fmot")
    except ImportError as error:
        return set(), [f"fmot is left out: {error}; pip install '.[test]' brings torch and fmot"]
    trouble = _build_cpp(Path(str(fmot.__file__)).parent / "fqir" / "_cpp_runtime.cpp", folder)
    return ({PYTHON}, [f"fmot's C++ backend is left out: {trouble}"]) if trouble else ({PYTHON, CPP}, [])


def _build_cpp(source: Path, folder: Path) -> str:
    """Build and register the C++ backend; what stood in the way, or ""."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if not source.exists() or not compiler:
        return f"{source.name} is not in this release of fmot" if compiler else "no C++ compiler was found"
    library = folder / "_cpp_runtime.so"
    includes = [f"-I{sysconfig.get_paths()['include']}", f"-I{np.get_include()}"]
    flags = ["-std=c++17", "-O3", "-w", "-fPIC", "-shared", *includes]
    if not library.exists():
        done = subprocess.run([compiler, *flags, str(source), "-o", str(library)], capture_output=True, text=True)
        if done.returncode:
            return f"{compiler} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    spec = importlib.util.spec_from_file_location(MODULE, library)
    if spec is None or spec.loader is None:
        return f"{library} cannot be loaded"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[MODULE] = module
    registered = importlib.import_module("fmot.fqir.cpp_backend").maybe_register_cpp_backend()
    return "" if registered else "fmot did not take it"


class FmotModel:
    """A graph of the corpus in fmot. ``inputs``: the integers of our runs by name, (frames, elements)."""

    def __init__(self, path: Path, inputs: Mapping[str, Int64Array]) -> None:
        torch = importlib.import_module("torch")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.graph: Any = torch.load(path, weights_only=False)
        arith = self.graph.subgraphs.get("ARITH", self.graph)
        self.names = [tensor.name for tensor in arith.inputs]
        self.outputs = [tensor.name for tensor in arith.outputs]
        floats = self._steps_of_floats()
        self.inputs = [inputs[name] * floats.get(name, 1) for name in self.names]
        self.states = "INIT" in self.graph.subgraphs
        self.turn = self.graph.unbind_dim or 0

    def _steps_of_floats(self) -> dict[str, float]:
        """How much an integer of an input stands for, where the graph takes floats and quantizes them itself."""
        nodes = self.graph.subgraphs["QUANT"].nodes if "QUANT" in self.graph.subgraphs else []
        return {node.outputs[0].name: 2.0 ** node.constants["quanta"] for node in nodes if node.opname == "quantize"}

    def runner(self, backend: str, frames: int) -> Callable[[], Any]:
        """A function that runs so many frames. Outputs: arrays in the order of ``outputs``, or one such array."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            inputs = [np.resize(values, (frames, values.shape[1])) for values in self.inputs]
        if not self.states:
            return lambda: [
                np.stack(rows)
                for rows in zip(
                    *(_several(self.graph.run(*frame, backend=backend)) for frame in zip(*inputs, strict=True)),
                    strict=True,
                )
            ]
        turned = [np.ascontiguousarray(np.swapaxes(values, 0, self.turn)) for values in inputs]
        return lambda: _several(self.graph.run(*turned, backend=backend))

    def rows(self, made: list[Any]) -> list[Int64Array]:
        """What ``runner`` returned, with a row for each frame."""
        turn = self.turn if self.states else 0
        arrays = [np.swapaxes(np.asarray(values), 0, turn if np.ndim(values) > turn else 0) for values in made]
        return [values.reshape(len(values), -1).astype(np.int64) for values in arrays]


def _several(made: Any) -> list[Any]:
    return list(made) if isinstance(made, (list, tuple)) else [made]
