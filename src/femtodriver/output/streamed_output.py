"""Where an output goes frame by frame: to a WAV file, a ``.npy``, or as raw PCM to standard output."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from femtodriver.arrays import Int64Array
from femtodriver.errors import ProgramError, UsageError
from femtodriver.files.file_access import AnyPath, reason_of, shown_path
from femtodriver.files.pipe_access import write_all_of
from femtodriver.inputs import InputSource, InputSpec, Scale
from femtodriver.inputs.pcm_format import PCM_FORMATS, format_for
from femtodriver.options.stream_requests import StreamRequest
from femtodriver.output.pcm_encoder import PcmEncoder
from femtodriver.output.sample_files import NpyWriter, WavWriter
from femtodriver.safe_text import quote
from femtodriver.stop_signals import Stop

PIPE = "-"
SUFFIXES = (".wav", ".npy")
_SIGPIPE = int(getattr(signal, "SIGPIPE", 13))


class Writer(Protocol):
    """Takes frames of one output.

    ``finish`` completes what was written, ``keep`` puts it into its place and says what it is, ``drop`` removes it.
    """

    def write(self, rows: Int64Array) -> None: ...

    def finish(self) -> None: ...

    def keep(self) -> str: ...

    def drop(self) -> None: ...


class PipeWriter:
    """Raw PCM to a pipe or a file that is open, each block of frames at once.

    A reader that goes away asks ``stop``. ProgramError for anything else that cannot be written.
    """

    def __init__(self, descriptor: int, encoder: PcmEncoder, stop: Stop) -> None:
        self._descriptor, self._encoder, self._stop = descriptor, encoder, stop
        self._bytes = 0

    def write(self, rows: Int64Array) -> None:
        """See ``Writer``."""
        content = self._encoder.encode(rows)
        try:
            write_all_of(self._descriptor, content, lambda: self._stop.asked)
        except BrokenPipeError:
            self._stop.ask("the reader of standard output has gone", _SIGPIPE)
        except OSError as error:
            raise ProgramError(f"standard output: cannot be written: {reason_of(error)}.") from None
        self._bytes += len(content)

    def finish(self) -> None:
        """See ``Writer``: there is nothing to complete."""

    def keep(self) -> str:
        """See ``Writer``."""
        return f"{self._bytes // self._encoder.form.block:,} samples, {self._encoder.form.name}"

    def drop(self) -> None:
        """See ``Writer``: what was written is gone already."""


@dataclass(frozen=True, eq=False)
class StreamedOutput:
    """The output ``spec`` and what writes it.

    ``where``: how "wrote ..." goes on. ``first_notes``: what users should know of it beforehand, one line each.
    """

    spec: InputSpec
    writer: Writer
    where: str
    encoder: PcmEncoder | None
    first_notes: tuple[str, ...] = ()

    def give(self, outputs: Mapping[str, Int64Array]) -> None:
        """Write the frames of this output; none if the runner has ended."""
        if self.spec.name in outputs:
            self.writer.write(outputs[self.spec.name])

    def finish(self) -> None:
        """Complete it under its hidden name. ProgramError where that cannot be done."""
        self.writer.finish()

    def keep(self) -> tuple[str, ...]:
        """Put it into its place, complete; gives lines that say what was written."""
        told = f"wrote {self.where}: {self.writer.keep()}"
        clipped = self.encoder.clipped if self.encoder else ()
        return (told, *(f"note: {note}" for note in clipped))

    def drop(self) -> None:
        """Remove what is unfinished."""
        self.writer.drop()


def check_output(request: StreamRequest, input_file: InputSource, runs: bool) -> None:
    """UsageError for options of streams that do not fit together: better known before a long run than after it."""
    path = request.output_file
    for name in ("output_name", "output_format"):
        if getattr(request, name) is not None and path is None:
            raise UsageError(f"{name}: must be given together with output_file. Name the file, or leave it out.")
    if request.input_format is not None and not is_pipe(input_file):
        raise UsageError("input_format: must be given for raw PCM, --input-file -, and for nothing else.")
    if path is None or is_pipe(path) or not runs:
        return
    where, suffix = shown_path(path), Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"output_file: must end in .wav or .npy, or be -, not be {where}.")
    if suffix == ".npy" and request.output_format is not None:
        raise UsageError(f"output_format: must be given for audio; {where} holds integers as they are.")


def is_pipe(name: object) -> bool:
    """Whether it is the name of standard input or output."""
    return isinstance(name, str) and name == PIPE


@contextlib.contextmanager
def standard_output(path: AnyPath | None) -> Iterator[int]:
    """Where raw PCM goes if ``path`` is "-": meanwhile everything else that is printed goes to standard error.

    UsageError where standard output is a terminal, or no file of the system.
    """
    if not is_pipe(path):
        yield -1
        return
    none = UsageError("output_file: standard output must be a pipe or a file, which it is not here.")
    if sys.__stdout__ is None:  # closed by our caller; the command has put something else in its place
        raise none
    try:
        sys.stdout.flush()
        descriptor = sys.stdout.fileno()
    except (AttributeError, io.UnsupportedOperation):
        raise none from None
    if os.isatty(descriptor):
        raise UsageError("output_file: standard output must be a pipe or a file, not a terminal: | aplay -f S16_LE")
    with contextlib.redirect_stdout(sys.stderr):
        yield descriptor


def open_output(
    request: StreamRequest,
    outputs: Sequence[InputSpec],
    scale: Scale,
    period_s: float | None,
    n_frames: int | None,
    descriptor: int,
    stop: Stop,
) -> StreamedOutput | None:
    """What writes the output that the request wants written; None for none.

    ``period_s``: seconds from one frame to the next; ``n_frames``: how many there will be at most; None: unknown.
    UsageError for an output that the model does not have, or a WAV file whose rate nobody knows.
    """
    if request.output_file is None:
        return None
    spec = _chosen(outputs, request.output_name)
    path, where = Path(request.output_file), shown_path(request.output_file)
    notes = (f"{where}: output {quote(spec.name)} of {len(outputs)}",) if len(outputs) > 1 else ()
    if path.suffix.lower() == ".npy":
        return StreamedOutput(spec, NpyWriter(path, spec.length, spec.bits), where, None, notes)
    form = PCM_FORMATS[request.output_format] if request.output_format else format_for(spec.bits)
    encoder = PcmEncoder(spec, form, scale)
    notes = (*notes, *encoder.notes)
    if is_pipe(request.output_file):
        return StreamedOutput(spec, PipeWriter(descriptor, encoder, stop), "to standard output", encoder, notes)
    if period_s is None:
        raise UsageError(
            f"{where}: the rate of a WAV file must be known, and the input does not state one; give --input-rate "
            "(for a network of one input) or --input-period."
        )
    rate_hz = spec.length / period_s
    if abs(rate_hz - round(rate_hz)) > 1e-3:
        notes = (*notes, f"{where}: the rate would be {rate_hz:.6g} Hz; a WAV file says {round(rate_hz)} Hz")
    samples = None if n_frames is None else n_frames * spec.length
    return StreamedOutput(spec, WavWriter(path, encoder, rate_hz, samples), where, encoder, notes)


def _chosen(outputs: Sequence[InputSpec], name: str | None) -> InputSpec:
    found = [spec for spec in outputs if name in (None, spec.name)] or [
        spec for spec in outputs if name in spec.other_names
    ]
    if not found:
        known = ", ".join(quote(spec.name) for spec in outputs)
        raise UsageError(f"output_name: must be an output of the model ({known}), not {quote(str(name))}.")
    return found[0]
