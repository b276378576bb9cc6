"""``SPURunner``: a compiled program on a board, frame by frame.

Life cycle:

1. construct from a ``CompiledData``; nothing is opened
2. ``reset()``: opens the link, resets the board, loads the program
3. ``step(inputs)`` per frame, or ``run(inputs)`` for all of them
4. ``finish()``: closes the link; ``reset()`` may follow

``with runner:`` ends with step 4. After a DeviceError only ``reset()`` goes on: answers of a frame that failed must
not be taken for those of the next.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from femtodriver import __version__
from femtodriver.arrays import BoolArray, Words
from femtodriver.device.boards import BOARDS, Board, platform_of
from femtodriver.device.encryption_registers import key_and_salt_of
from femtodriver.device.fake.fake_link import output_layout
from femtodriver.device.open_link import make_link
from femtodriver.device.session.bring_up import bring_up, check_version, next_power_state, switch_memories
from femtodriver.device.session.chip_access import Chip
from femtodriver.device.session.debug_values import DataPlace, read_elements
from femtodriver.device.session.fake_inputs import fake_inputs
from femtodriver.device.session.frame_exchange import Frames
from femtodriver.device.session.frame_messages import Values
from femtodriver.device.session.memory_checks import check_memories, verify_load
from femtodriver.device.session.target_addresses import Target
from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.device.transport import Timeouts, Transport
from femtodriver.errors import DeviceError, InputError, UsageError
from femtodriver.files.file_access import make_directory, write_file
from femtodriver.program.archive import check_name
from femtodriver.program.bus.load_sequence import chip_init, load_sequence
from femtodriver.program.bus.recording import PROGRAM_RECORDING, Transaction, write_io_records
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.femto.convert import femto_from_compiled
from femtodriver.program.memory_map import SYSTEM_REGISTERS

RUN_RECORDING = "io_sequence"
_CLOCK_MHZ = 100
Mask = dict[str, BoolArray]


class SPURunner:
    """A program on the board of a platform ("zcu104", "redis", "evk2").

    ``zynq_host`` or ``hardware_address``: where it is (``HOST[:PORT]``, or a serial number). ``encrypt`` None: what
    the metadata says. ``debug_vars``: places in data memory to read after each frame, by name. ``fake_connection``:
    no board at all; ``fake_hw_recv_vals``: the 32-bit words that it answers. ``verify``: read the program back after
    loading. ``io_records_dir`` None: nothing is recorded; ``write_records`` False: ``reset`` writes no files there, but
    ``write_APB_files`` does. ``data_dir``, ``mem_expectations``, ``insert_debug_stores`` and further arguments are
    accepted for compatibility and not looked at.

    ProgramError for a program that is damaged; UsageError (and NotImplementedError) for an unknown platform.
    """

    def __init__(
        self,
        compiled_data: CompiledData,
        data_dir: str | os.PathLike[str] | None = None,
        platform: str = "zcu104",
        debug_vars: Mapping[str, DataPlace] | Sequence[str] = (),
        mem_expectations: Mapping[str, Any] | None = None,
        fake_connection: bool = False,
        fake_hw_recv_vals: npt.ArrayLike | None = None,
        encrypt: bool | None = None,
        encryption_key_idx: int | None = None,
        salt: int | None = None,
        program_pll: bool = False,
        insert_debug_stores: bool = False,
        compiler_kwargs: Mapping[str, Any] | None = None,
        io_records_dir: str | os.PathLike[str] | None = "io_records",
        zynq_host: str | None = None,
        *,
        hardware_address: str | None = None,
        timeouts: Timeouts | None = None,
        settle_scale: float | None = None,
        verify: bool = False,
        write_records: bool = True,
        transport: Transport | None = None,
        **ignored: Any,
    ) -> None:
        self._platform = platform_of(platform)
        self._data = compiled_data
        self._info = compiled_data.info()
        self._encrypted = self._info.encrypted is not False if encrypt is None else encrypt
        self._key = key_and_salt_of(self._info, self._encrypted, encryption_key_idx, salt)
        self._program_pll = program_pll
        self._verify = verify
        self._records_dir = None if io_records_dir is None else Path(io_records_dir)
        self._write_records = write_records
        self.debug_vars = _debug_places(debug_vars)
        self.compiler_kwargs = dict(compiler_kwargs or {})
        self.name = _hardware(platform, fake_connection, program_pll).option
        self._transport = transport or make_link(
            _hardware(platform, fake_connection, program_pll),
            _one_address(zynq_host, hardware_address),
            timeouts or self._platform.timeouts,
            encrypted=self._encrypted,
            fake_values=fake_hw_recv_vals,
            layout=output_layout([(record.mailbox_id, record.words) for record in self._info.outputs]),
            settle_scale=settle_scale,
        )
        self.ioplug = Recorder(self._transport)
        self.io = Chip(self.ioplug)
        self._frames = Frames(self.ioplug, self._platform, self._info)
        self._power = "off"
        self._not_ready = "reset() must come first"

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
        return self._frames.latency_us

    def reset(self, reset_vals: None = None, record: bool = True) -> None:
        """Hard reset, clocks, memories, program; the next frame is the first one.

        ``record``: keep the traffic and write ``setup*`` and ``apb_records`` if there is a folder for them.
        UsageError for reset values, which boards do not take; DeviceError when the board does not answer as it must.
        """
        if reset_vals is not None:
            raise UsageError("reset: values to reset to are not supported; leave them out.")
        self._not_ready = "the last reset() failed; reset() must succeed first"
        records = self._program()
        self._transport.refresh()
        self.ioplug.clear()
        recording = record and self._records_dir is not None
        if recording:
            self.ioplug.start_recording(PROGRAM_RECORDING)
        bring_up(self.ioplug, self._platform, self._program_pll)
        if self._platform.checks_version:
            self.check_version_reg()
        for item in records:
            self.ioplug.send(item)
        self.ioplug.stop_recording()
        self._power, self._frames.count = "on", 0
        if self._verify and not self._transport.ready_always:
            verify_load(self.ioplug, records)
        if recording:
            if self._write_records:
                self.write_APB_files()
            self.ioplug.start_recording(RUN_RECORDING)
        self._not_ready = ""

    def step(self, inputs: Mapping[str, npt.ArrayLike]) -> tuple[Values, Values]:
        """One frame: (outputs, values of the debug variables), int64 arrays of the logical lengths.

        InputError, before anything is sent, for inputs that do not fit; DeviceError when the board does not answer.
        """
        if self._not_ready:
            raise DeviceError(f"{self._transport.name}: {self._not_ready}.")
        if self._power != "on":
            raise UsageError(f"{self._transport.name}: the memories are {self._power}; wake them before a frame.")
        messages = self._frames.messages(inputs)
        # Also after an interrupt from the keyboard.
        self._not_ready = "a frame failed; reset() must come first"
        found = self._frames.exchange(messages, self._internals)
        self._not_ready = ""
        return found

    def run(self, inputs: Mapping[str, npt.ArrayLike]) -> tuple[Values, Values, Mask]:
        """Frames in a row, inputs of shape (frames, elements): outputs, debug variables, and which frame gave which.

        InputError when the inputs have not equally many frames; else as ``step``.
        """
        arrays = {name: np.asarray(values) for name, values in inputs.items()}
        lengths = {name: len(values) if values.ndim else 0 for name, values in arrays.items()}
        if not arrays or len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise InputError(f"inputs: must have equally many frames, at least one, not {lengths}.")
        frames = next(iter(lengths.values()))
        results = [self.step({name: values[at] for name, values in arrays.items()}) for at in range(frames)]
        outputs, internals = (_stacked([result[kind] for result in results]) for kind in (0, 1))
        return outputs, internals, {name: np.ones(frames, np.bool_) for name in outputs}

    def finish(self) -> None:
        """Close the link; what was recorded stays readable."""
        self._transport.close()
        self._not_ready = "the runner has finished; reset() starts it again"

    def soft_reset(self) -> None:
        """Cores to their initial state; memories keep what they hold. DeviceError when the link fails."""
        everyone = max(3, (1 << len(self._info.inst_counts)) - 1)
        for value in (everyone, 0):
            self.ioplug.write("apb", SYSTEM_REGISTERS["RST"], [value], "soft reset")

    def change_mem_power_state(self, state: str) -> None:
        """Switch all used memories "on" or "off", to "sleep", or "wake" them.

        Memories that were off have lost the program: ``reset`` loads it again. UsageError for a change that is not
        possible in the present state; DeviceError when the link fails.
        """
        after = next_power_state(self._power, state)
        switch_memories(self.ioplug, self._info, state)
        if after == "off":
            self._not_ready = "the memories were switched off and have lost the program; reset() must come first"
        self._power = after

    def hw_send(self, target: Target, vals: npt.ArrayLike, flush: bool = True, comment: str | None = None) -> None:
        """Write to a register (by name) or memory (core, name, offset); see ``Chip.send``."""
        self.io.send(target, vals, flush, comment)

    def hw_recv(self, target: Target, num_words: int = 1, comment: str | None = None) -> Words:
        """Read a register (by name) or memory (core, name, offset); see ``Chip.recv``."""
        return self.io.recv(target, num_words, comment)

    def check_version_reg(self) -> None:
        """DeviceError when the board's VERSION is not that of the part; a fake board has any version."""
        if not self._transport.ready_always:
            check_version(self.ioplug)

    def integrity_check_all_memories(self, N: int = 64) -> int:  # noqa: N803
        """Patterns into the first N words of every memory bank of the used cores, and back; the words checked.

        The program is lost: ``reset`` loads it again. A fake board has no memory, so nothing is checked on it.
        DeviceError for the first word that differs.
        """
        if self._transport.ready_always:
            return 0
        self._not_ready = "the integrity check has overwritten the program; reset() must come first"
        self._power = "on"
        return check_memories(self.ioplug, self.used_cores, N)

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
        self._transport.wait(cycles, seconds)

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

    def _folder(self) -> Path:
        if self._records_dir is None:
            raise UsageError("records: the runner was made without a folder for them; give it io_records_dir.")
        return self._records_dir

    def _program(self) -> tuple[Transaction, ...]:
        key_index, salt = self._key
        records = load_sequence(self._data, key_index=key_index, salt=salt, encrypted=self._encrypted)
        return records[len(tuple(chip_init(program_pll=False))) :]

    def _internals(self) -> Values:
        return {name: read_elements(self.io, place) for name, place in self.debug_vars.items()}


class FakeSPURunner(SPURunner):
    """An ``SPURunner`` without a board."""

    def __init__(self, compiled_data: CompiledData, *arguments: Any, **options: Any) -> None:
        super().__init__(compiled_data, *arguments, **{**options, "fake_connection": True})


def _hardware(platform: str, fake: bool, program_pll: bool) -> Board:
    """The row of the board table for what the constructor's arguments describe."""
    rows = [row for row in BOARDS.values() if row.platform == platform and row.fake == fake]
    for row in rows:
        if row.program_pll == program_pll:
            return row
    if not rows:
        raise UsageError(f"platform {platform}: has no fake board; the fakes are of zcu104 and redis.")
    return rows[0]


def _one_address(zynq_host: str | None, hardware_address: str | None) -> str | None:
    if zynq_host is not None and hardware_address is not None and zynq_host != hardware_address:
        raise UsageError("address: zynq_host and hardware_address mean the same; give one of them.")
    return hardware_address if zynq_host is None else zynq_host


def _debug_places(debug_vars: Mapping[str, DataPlace] | Sequence[str]) -> dict[str, DataPlace]:
    if isinstance(debug_vars, Mapping):
        return dict(debug_vars)
    if len(debug_vars):
        raise UsageError(
            f"debug variables: must be given with their places in data memory, not by names alone ({debug_vars[0]!r})."
        )
    return {}


def _stacked(frames: Sequence[Values]) -> Values:
    return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]}
