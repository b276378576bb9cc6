"""``SPURunner``: a compiled program on a board, frame by frame, with everything that the reference offers on it.

Life cycle:

1. construct from a ``CompiledData``; nothing is opened
2. ``reset()``: opens the link, resets the board, loads the program
3. ``step(inputs)`` per frame (or ``send_inputs`` and ``recv_outputs``), or ``run(inputs)`` for all of them;
   between frames, ``get_vars`` and ``set_vars`` read and set the state
4. ``finish()``: closes the link; ``reset()`` may follow

``with runner:`` ends with step 4. After a DeviceError only ``reset()`` goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from femtodriver import __version__
from femtodriver.arrays import BoolArray, Int64Array, Words
from femtodriver.device.board_settings import BoardSettings
from femtodriver.device.runner_arguments import FAKE, UnknownSettingError, settings_of_arguments
from femtodriver.device.session.board_session import RUN_RECORDING, BoardSession
from femtodriver.device.session.debug_values import DataPlace
from femtodriver.device.session.fake_inputs import fake_inputs
from femtodriver.device.session.frame_messages import Values
from femtodriver.device.session.target_addresses import Target
from femtodriver.device.transport import Transport
from femtodriver.errors import UsageError
from femtodriver.files.file_access import make_directory, write_file
from femtodriver.inputs import FrameList, check_inputs
from femtodriver.program.archive import check_name
from femtodriver.program.bus.write_recordings import write_io_records
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.femto_from_program import femto_from_compiled
from femtodriver.program.program_states import VariableLimits
from femtodriver.program.variable_access import VariableAccess

_CLOCK_MHZ = 100
Mask = dict[str, BoolArray]


def make_runner(data: CompiledData, hardware: str, **settings: Any) -> SPURunner:
    """A runner of the program on the hardware of that option ("zynq", "fakezynq", "redis", ...).

    ``settings``: the other fields of ``BoardSettings`` by name. Unlike ``SPURunner``, it records nothing unless
    ``records_dir`` is given. UsageError as of ``SPURunner``.
    """
    named = {"hardware": hardware, **settings}
    if not {"records_dir", "io_records_dir", "recording_dir"} & set(named):
        named["records_dir"] = None
    return SPURunner(data, settings=settings_of_arguments((), named, "make_runner"))


class SPURunner(VariableAccess):
    """A program on a board.

    ``settings`` says everything about the board. Without it, the fields of ``BoardSettings`` may be given by name, and
    what the reference's constructor took by name or by place; ``runner_arguments`` lists those names, and what becomes
    of each. Such a runner records into ``io_records`` unless ``records_dir`` says otherwise. ``link``: a link that is
    there already, instead of that of the board.

    UnknownSettingError (a UsageError and a TypeError) for an unknown argument; UsageError for one that cannot
    be, and (also a NotImplementedError) for an unknown platform; ProgramError for a program that is damaged.
    """

    _always: ClassVar[Mapping[str, Any]] = {}

    def __init__(
        self,
        compiled_data: CompiledData,
        *reference: Any,
        settings: BoardSettings | None = None,
        link: Transport | None = None,
        **named: Any,
    ) -> None:
        if settings is None:
            settings = settings_of_arguments(reference, named, type(self).__name__, self._always)
        elif reference or named:
            told = ", ".join(named) or "arguments by position"
            raise UnknownSettingError(f"{type(self).__name__}: {told} must not be given together with settings.")
        self._data = compiled_data
        self._records_dir = None if settings.records_dir is None else Path(settings.records_dir)
        self._write_records = settings.write_records
        self._session = BoardSession(compiled_data, settings, link)
        self._info = self._session.info
        self.compiler_kwargs: dict[str, Any] = dict(named.get("compiler_kwargs") or {})
        self.name = settings.hardware
        self.ioplug = self._session.recorder
        self.io = self._session.chip

    @property
    def debug_vars(self) -> Mapping[str, DataPlace]:
        """What ``step`` reads besides the outputs."""
        return self._session.debug_places

    @property
    def input_info(self) -> Mapping[str, Any]:
        """The input records of the metadata by name."""
        found: Mapping[str, Any] = self._data.metadata["inputs"]
        return found

    @property
    def output_info(self) -> Mapping[str, Any]:
        """The output records of the metadata by name."""
        found: Mapping[str, Any] = self._data.metadata["outputs"]
        return found

    @property
    def data_bank_sizes(self) -> Mapping[int, Mapping[int, int]]:
        """Used words of the data banks: {core: {bank: words}}."""
        return self._info.data_bank_sizes

    @property
    def table_bank_sizes(self) -> Mapping[int, Mapping[int, int]]:
        """Used words of the table banks: {core: {bank: words}}."""
        return self._info.table_bank_sizes

    @property
    def inst_counts(self) -> Mapping[int, int]:
        """Instruction words: {core: words}."""
        return self._info.inst_counts

    @property
    def used_cores(self) -> tuple[int, ...]:
        """The cores that have a program."""
        return tuple(sorted(self._info.inst_counts))

    @property
    def latency_us(self) -> int:
        """Microseconds that the board measured for the last frame; -1 when it cannot tell."""
        return self._session.frames.latency_us

    def reset(self, reset_vals: Mapping[str, npt.ArrayLike] | None = None, record: bool = True) -> None:
        """Hard reset, clocks, memories, program; the next frame is the first one.

        ``reset_vals``: states that are to have other values than the network defines; errors as of ``set_vars``.
        ``record``: keep the traffic and write ``setup*`` and ``apb_records`` if there is a folder for them.
        DeviceError when the board does not answer as it must.
        """
        values = self._settable(reset_vals or {})
        self._last = {}
        recording = record and self._records_dir is not None
        self._session.reset(recording)
        if values:
            self._session.write_states(values)
        if recording:
            if self._write_records:
                self.write_APB_files()
            self.ioplug.start_recording(RUN_RECORDING)

    def step(self, inputs: Mapping[str, npt.ArrayLike]) -> tuple[Values, Values]:
        """One frame: (outputs, values of the debug variables), int64 arrays of the logical lengths.

        UsageError before a reset, after the end or a failure; InputError, before anything is sent, for inputs that do
        not fit; DeviceError when the board does not answer. Latched inputs may be left out.
        """
        frame = self._session.send(inputs)
        outputs, internals = self._session.receive()
        self._last = {**frame, **outputs, **internals}
        return outputs, internals

    def send_inputs(self, values: Mapping[str, npt.ArrayLike]) -> None:
        """The first half of a ``step``: the board begins to work. ``recv_outputs()`` must come next.

        Errors as of ``step``.
        """
        self._last = self._session.send(values)

    def recv_outputs(self) -> Values:
        """The second half: the outputs of the frame, int64, shape (elements,). ``get_vars`` has the debug variables.

        UsageError if no inputs were sent; DeviceError when the board does not answer.
        """
        outputs, internals = self._session.receive()
        self._last = {**self._last, **outputs, **internals}
        return outputs

    def run(self, inputs: Mapping[str, npt.ArrayLike] | FrameList) -> tuple[Values, Values, Mask]:
        """Frames in a row, inputs of shape (frames, elements): outputs, debug variables, and which frame gave which.

        InputError, before the first frame is sent, for inputs that do not fit; else as ``step``.
        """
        self._session.check_ready()
        arrays = check_inputs(self._session.latched.frames(inputs), self._session.inputs)
        frames = len(next(iter(arrays.values()), ()))
        results = [self.step({name: values[at] for name, values in arrays.items()}) for at in range(frames)]
        outputs, internals = (_stacked([result[kind] for result in results]) for kind in (0, 1))
        return outputs, internals, {name: np.ones(frames, np.bool_) for name in outputs}

    def finish(self) -> None:
        """Close the link; what was recorded stays readable."""
        self._session.finish()

    def soft_reset(self) -> None:
        """Cores to their initial state; memories keep what they hold. DeviceError when the link fails."""
        self._session.soft_reset()

    def change_mem_power_state(self, state: str) -> None:
        """Switch all used memories "on" or "off", to "sleep", or "wake" them; see ``BoardSession.change_power``."""
        self._session.change_power(state)

    def hw_send(self, target: Target, vals: npt.ArrayLike, flush: bool = True, comment: str | None = None) -> None:
        """Write to a register (by name) or memory (core, name, offset); see ``Chip.send``."""
        self._session.spoil("hw_send has changed the board")
        self.io.send(target, vals, flush, comment)

    def hw_recv(self, target: Target, num_words: int = 1, comment: str | None = None) -> Words:
        """Read a register (by name) or memory (core, name, offset); see ``Chip.recv``."""
        return self.io.recv(target, num_words, comment)

    def check_version_reg(self) -> None:
        """DeviceError when the board's VERSION is not that of the part; a fake board has any version."""
        self._session.check_version()

    def integrity_check_all_memories(self, N: int = 64) -> int:  # noqa: N803
        """Patterns into the first N words of every memory bank, and back; see ``BoardSession.check_memories``."""
        return self._session.check_memories(N)

    def make_fake_inputs(self, T: int, style: str = "sawtooth") -> Values:  # noqa: N803
        """Inputs of T frames in the style "sawtooth" or "random"; int64 arrays (T, logical length)."""
        return fake_inputs(self._info.inputs, T, style)

    def get_single_output_name(self) -> str:
        """The name of the only output; UsageError when there is not exactly one."""
        names = [record.name for record in self._info.outputs]
        if len(names) != 1:
            raise UsageError(f"outputs: the program must have one, not {len(names)} ({', '.join(names)}).")
        return names[0]

    def wait(self, cycles: int, seconds: float) -> None:
        """Let the board work: seconds on boards, clock cycles on simulators."""
        self._session.link.wait(cycles, seconds)

    def export_femto_file(
        self,
        compiled_data: CompiledData | None = None,
        model_type: str = "custom",
        model_name: str = "model",
        model_version: str = "1.0.0",
        target_spu: str | None = None,
    ) -> tuple[str, int]:
        """Writes ``<records folder>/<model name>.femto``: (path, bytes). Errors as of ``femto_from_compiled``."""
        if target_spu is not None and target_spu.lower() != "spu001":
            raise UsageError(f"export_femto_file: the target must be SPU001, not {target_spu!r}.")
        data = femto_from_compiled(
            self._data if compiled_data is None else compiled_data,
            name=model_name,
            producer=f"open-fd {__version__}",
            clock_mhz=_CLOCK_MHZ,
            model_type=model_type,
            model_version=model_version,
        )
        path = self._folder() / check_name(f"{model_name}.femto", "export_femto_file")
        make_directory(path.parent)
        write_file(path, data)
        return str(path), len(data)

    def write_APB_files(self, stem: str = "setup") -> tuple[Path, ...]:  # noqa: N802
        """Writes all recordings as ``<stem>.yaml`` and its hex forms, and ``apb_records``; the paths."""
        return write_io_records(self._folder(), self.ioplug.recordings, stem)

    def __enter__(self) -> SPURunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def _no_states(self) -> str:
        return self._session.no_states

    def _no_setting(self) -> str:
        return self._session.no_setting

    def _limits(self) -> Mapping[str, VariableLimits]:
        return {name: state.limits for name, state in self._session.states.items()}

    def _has_state(self, name: str) -> bool:
        return self._session.states[name].is_whole

    def _read_states(self, names: Iterable[str]) -> Values:
        return self._session.read_states(names)

    def _write_states(self, values: Mapping[str, Int64Array]) -> None:
        self._session.write_states(values)

    def _check_between_frames(self) -> None:
        self._session.check_ready()

    def _folder(self) -> Path:
        if self._records_dir is None:
            raise UsageError("records: the runner was made without a folder for them; give it records_dir.")
        return self._records_dir


class FakeSPURunner(SPURunner):
    """An ``SPURunner`` without a board. UsageError, besides those of ``SPURunner``, for hardware that is no fake."""

    _always = FAKE

    def __init__(self, compiled_data: CompiledData, *reference: Any, **named: Any) -> None:
        super().__init__(compiled_data, *reference, **named)
        if not self._session.link.is_fake:
            raise UsageError(f"FakeSPURunner: the hardware must be a fake, not {self.name}.")


def _stacked(frames: Sequence[Values]) -> Values:
    return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]} if frames else {}
