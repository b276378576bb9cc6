"""A PyTorch module, from a file or in memory, as a network, with how it was made."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from femtodriver.arrays import AnyArray
from femtodriver.fqir.files.from_graphproto import adapt
from femtodriver.fqir.graph import Network
from femtodriver.options.conversion_requests import USUAL_PRECISION, USUAL_TIMEOUT_S, ConversionRequest
from femtodriver.program.description import ConversionOrigin
from femtodriver.pytorch.calibration import Calibration, read_calibration
from femtodriver.pytorch.conversion_process import ChildResult, convert_in_child
from femtodriver.pytorch.convert_module import SEED, Converted, check_installed, convert_module
from femtodriver.pytorch.module_inputs import as_real
from femtodriver.pytorch.module_reference import ModuleReference, Say, source_bytes

_MOST_FRAMES = 100


@dataclass(frozen=True, eq=False)
class ConvertedNetwork:
    """``where`` names the module in messages; ``origin``: how it was made, for the metadata; ``graph``: fmot's, as an
    object, or as ``torch.save`` wrote it in another process; ``sample``: real numbers by input, (frames, length), from
    the first clip of the calibration.
    """

    network: Network
    where: str
    origin: ConversionOrigin
    graph: Any
    sample: Mapping[str, AnyArray]


def convert_reference(reference: ModuleReference, name: str, request: ConversionRequest, say: Say) -> ConvertedNetwork:
    """The network of a module that a file builds, in a process of its own; ``say(text)`` is told so.

    UsageError without calibration, torch or fmot; ModelError where the user's code fails; UnsupportedError for what
    fmot does not trace; InputError for a calibration that does not fit.
    """
    digest = hashlib.sha256(source_bytes(reference.file)).hexdigest()
    check_installed()
    calibration = read_calibration(request.calibration)
    say(f"{reference.where}: runs as code, in a process of its own (a .pt file is never run)")
    precision = request.precision or USUAL_PRECISION
    timeout_s = request.conversion_timeout or USUAL_TIMEOUT_S
    made = convert_in_child(reference, name, calibration, precision, request.time_axis, timeout_s)
    for line in (*_printed(reference, made.printed), *made.lines):
        say(line)
    origin = _origin(calibration, precision, made, reference.file.name, digest, reference.name)
    sample = _sample(made.network, calibration, made.time_axis)
    return ConvertedNetwork(made.network, reference.where, origin, made.graph, sample)


def convert_live(module: Any, name: str, request: ConversionRequest, say: Say) -> ConvertedNetwork:
    """The network of a module in memory, converted in this process: its code is here already, and another process could
    not import a class that a notebook or a script has defined. The module and torch's random numbers stay as they are.

    Errors as of ``convert_reference``.
    """
    check_installed()
    calibration = read_calibration(request.calibration)
    precision = request.precision or USUAL_PRECISION
    where = type(module).__name__
    with _same_torch():
        made = convert_module(module, where, calibration, precision, request.time_axis, lambda _: None)
    for line in made.lines:
        say(line)
    network = adapt(made.graph, name)
    origin = _origin(calibration, precision, made, None, None, where)
    return ConvertedNetwork(network, where, origin, made.graph, _sample(network, calibration, made.time_axis))


@contextlib.contextmanager
def _same_torch() -> Iterator[None]:
    """Afterwards torch's random numbers, threads and gradients are as they were."""
    torch = importlib.import_module("torch")
    threads, gradients = torch.get_num_threads(), torch.is_grad_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.set_grad_enabled(gradients)


def _printed(reference: ModuleReference, lines: tuple[str, ...]) -> Iterator[str]:
    if len(lines) == 1:
        yield f"note: {reference.file.name} printed: {lines[0]}"
    elif lines:
        yield f"note: {reference.file.name} printed {len(lines):,} lines, the last: {lines[-1]}"


def _origin(
    calibration: Calibration,
    precision: str,
    made: ChildResult | Converted,
    source: str | None,
    source_sha256: str | None,
    function: str,
) -> ConversionOrigin:
    """Without folders, so that the same files give the same bytes anywhere."""
    return ConversionOrigin(
        source=source,
        source_sha256=source_sha256,
        function=function,
        calibration=Path(calibration.where).name,
        calibration_sha256=calibration.sha256,
        precision=precision,
        versions=made.versions,
        quality=made.quality,
    )


def _sample(network: Network, calibration: Calibration, time_axis: int | None) -> dict[str, AnyArray]:
    """The first clip, or the first samples, by the names that the network has for its inputs."""
    tensors, arrays = network.inputs, calibration.inputs
    given = dict(arrays) if len(tensors) > 1 else {tensors[0].name: next(iter(arrays.values()))}
    if set(given) != {
        tensor.name for tensor in tensors
    }:  # other names than those of forward: nobody knows which is which
        return {}
    found = {}
    for tensor in tensors:
        array = given[tensor.name]
        real = as_real(array[:_MOST_FRAMES] if time_axis is None else array[0])
        frames = real.T if time_axis == 2 else real
        found[tensor.name] = np.ascontiguousarray(frames.reshape(len(frames), -1))
    return found
