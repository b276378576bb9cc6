"""The life of a program on a board, from the first reset to the end.

1. construct: nothing is opened
2. ``reset()``: opens the link, resets the board, loads the program, reads it back
3. ``send(inputs)`` and ``receive()`` per frame; ``read_states`` and ``write_states`` between frames
4. ``finish()``: closes the link; ``reset()`` may follow

Out of this order, a frame is a UsageError. After a DeviceError only ``reset()`` goes on: answers of a frame that failed
must not be taken for those of the next. A link that is cut in or between frames is made again, if the settings say so,
see ``resumed_frames``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import Int64Array
from femtodriver.device.board_settings import BoardSettings
from femtodriver.device.chip_versions import chip_of_environment
from femtodriver.device.link_request import LinkRequest, make_link
from femtodriver.device.session.bring_up import bring_up, check_version
from femtodriver.device.session.chip_access import ChipAccess
from femtodriver.device.session.debug_values import DataPlace, read_elements, write_elements
from femtodriver.device.session.frame_exchange import Frames
from femtodriver.device.session.frame_messages import Values
from femtodriver.device.session.memory_checks import check_memories, verify_load
from femtodriver.device.session.memory_power import next_power_state, switch_memories
from femtodriver.device.session.resumed_frames import ResumedFrames
from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.device.transport import LinkLostError, Transport
from femtodriver.errors import DeviceError, UsageError
from femtodriver.inputs import LatchedInputs, check_frame, program_specs
from femtodriver.program.bus.load_sequence import chip_init, load_sequence
from femtodriver.program.bus.transactions import Transaction
from femtodriver.program.bus.write_recordings import PROGRAM_RECORDING
from femtodriver.program.compiled_data import CompiledData
from femtodriver.program.description import read_description
from femtodriver.program.encryption.key_registers import key_registers
from femtodriver.program.memory_map import SYSTEM_REGISTERS
from femtodriver.program.program_states import LOST_STATES, read_state, write_state

RUN_RECORDING = "io_sequence"
_FRAME_FAILED = "a frame failed; reset() must come first"
_FRAME_SENT = "recv_outputs() must come first, because inputs were sent"


class BoardSession:
    """A program on a board. ``recorder``: what all traffic goes through; ``chip``: registers and memories by name;
    ``inputs``: what the program takes, as far as it says; ``states``: where its states are, if it ``knows_states``.

    ``link``: one that is there already, instead of that of the board's row. UsageError for what is not a program;
    ProgramError for a damaged one.
    """

    def __init__(self, data: CompiledData, settings: BoardSettings, link: Transport | None = None) -> None:
        if not isinstance(data, CompiledData):
            raise UsageError(
                f"program: must be a CompiledData, not {type(data).__name__}; CompiledData.read_from_files reads one."
            )
        self.info = data.info()
        told = read_description(data.metadata, "program", complete=False)
        self.inputs = program_specs(data, told, "program")[0]
        self.latched = LatchedInputs(self.inputs)
        self.knows_states = told is not None and told.states is not None
        self.states = dict(told.states or {}) if told else {}
        self._data = data
        self._settings = settings
        self._platform = settings.board.platform
        self._chip = chip_of_environment()
        self._encrypted = self._is_encrypted(settings.encrypted)
        self._key = key_registers(self.info, self._encrypted, settings.key_index, settings.salt)
        self.link = link or make_link(settings.board, self._request())
        self.recorder = Recorder(self.link)
        self.chip = ChipAccess(self.recorder)
        self.frames = Frames(self.recorder, self._platform, self.info, self._chip)
        tries = 0 if settings.board.fake else settings.reconnect
        self._resumed = ResumedFrames(self.frames, self.recorder, self, tries)
        self.debug_places = dict(settings.debug_places)
        self._power = "off"
        self._not_ready = "reset() must come first"

    def reset(self, record: bool) -> None:
        """Hard reset, clocks, memories, program; the next frame is the first one.

        ``record``: keep the traffic that loads the program. What comes later is kept only if somebody starts it.

        DeviceError when the board does not answer as it must.
        """
        self._not_ready = "the last reset() failed; reset() must succeed first"
        records = self.program()
        self.link.refresh()
        self.recorder.clear()
        if record:
            self.recorder.start_recording(PROGRAM_RECORDING)
        self._load(records)
        self._resumed.begin()
        self.latched.reset()
        self._not_ready = ""

    def _load(self, records: Sequence[Transaction]) -> None:
        bring_up(self.recorder, self._platform, self._settings.board.program_pll, self._chip)
        if self._platform.checks_version:
            self.check_version()
        for item in records:
            self.recorder.send(item)
        self.recorder.stop_recording()
        self._power = "on"
        if self._settings.verifies:
            verify_load(self.recorder, records)

    def send(self, inputs: Mapping[str, npt.ArrayLike]) -> Values:
        """Begin a frame; the checked inputs. ``receive`` must come next.

        UsageError before a reset, in a frame, after the end or a failure, and while memories sleep; InputError, before
        anything is sent, for inputs that do not fit; DeviceError when the board does not answer.
        """
        self.check_ready()
        frame = check_frame(self.latched.frame(inputs), self.inputs)
        messages = self.frames.messages(frame)
        # Also after an interrupt from the keyboard.
        self._not_ready = _FRAME_FAILED
        self._resumed.send(messages)
        self._not_ready = _FRAME_SENT
        self.latched.keep(frame)
        return frame

    def receive(self) -> tuple[Values, Values]:
        """End the frame: (outputs, values of the debug places), int64 arrays of the logical lengths.

        UsageError if none has begun; DeviceError when the board does not answer.
        """
        if self._not_ready != _FRAME_SENT:
            self.check_ready()
            raise UsageError(f"{self.link.name}: send_inputs() must come before recv_outputs().")
        self._not_ready = _FRAME_FAILED
        found = self._resumed.receive(self._debug_values)
        self._not_ready = ""
        return found

    def read_states(self, names: Iterable[str]) -> Values:
        """States between two frames, int64, shape (elements,). DeviceError when the board does not answer."""
        wanted = tuple(names)
        return self._resumed.surely(lambda: {name: read_state(self.states[name], self._peek) for name in wanted})

    def write_states(self, values: Mapping[str, Int64Array]) -> None:
        """Set states, checked values, between two frames. DeviceError when the board does not answer."""
        self._not_ready = "setting a variable failed; reset() must come first"

        def write() -> None:
            self.write_back(values)
            if not self._resumed.save():
                self.spoil("variables were set, and the state cannot be read back")

        self._resumed.surely(write)
        self._not_ready = ""

    def load_again(self) -> None:
        """For a run that goes on: open the link, reset the board, load the program."""
        try:
            self.link.refresh()
        except DeviceError as error:
            raise LinkLostError(str(error)) from None
        self._load(self.program())

    def saved_states(self) -> Values | None:
        """For a run that goes on: all states, as far as outputs depend on them; None where they cannot be set again.

        What was never compared with what was written might be wrong: without verification nothing is read.
        """
        if not self.knows_states or (self.states and (self.no_setting or not self._settings.verifies)):
            return None
        return {name: read_state(state, self._peek) for name, state in self.states.items()}

    def write_back(self, values: Mapping[str, Int64Array]) -> None:
        """For a run that goes on: set states."""
        for name, value in values.items():
            write_state(self.states[name], value, self._peek, self._poke)

    def spoil(self, why: str) -> None:
        """The board was changed by hand, so that a run cannot go on after a cut link."""
        self._resumed.spoil(why)

    @property
    def no_states(self) -> str:
        """Why states cannot be had, "" where they can."""
        if self.link.is_fake:
            return f"{self.link.name} makes up its answers and has no memory"
        return "" if self.knows_states else LOST_STATES

    @property
    def no_setting(self) -> str:
        """Why states cannot be set, "" where they can."""
        return "the program is encrypted, and plain words would destroy it; use noencrypt" if self._encrypted else ""

    def check_ready(self) -> None:
        """UsageError before a reset, in a frame, after the end or a failure, and while memories sleep."""
        if self._not_ready:
            raise UsageError(f"{self.link.name}: {self._not_ready}.")
        if self._power != "on":
            raise UsageError(f"{self.link.name}: the memories are {self._power}; wake them before a frame.")

    def finish(self) -> None:
        """Close the link; what was recorded stays readable."""
        self.link.close()
        self._not_ready = "the runner has finished; reset() starts it again"

    def soft_reset(self) -> None:
        """Cores to their initial state; memories keep what they hold. DeviceError when the link fails."""
        self.spoil("the cores were reset by hand")
        everyone = max(3, (1 << len(self.info.inst_counts)) - 1)
        for value in (everyone, 0):
            self.recorder.write("apb", SYSTEM_REGISTERS["RST"], [value], "soft reset")

    def change_power(self, change: str) -> None:
        """Switch all used memories "on" or "off", to "sleep", or "wake" them.

        Memories that were off have lost the program: ``reset`` loads it again. UsageError for a change that is not
        possible in the present state; DeviceError when the link fails.
        """
        after = next_power_state(self._power, change)
        self.spoil("memories were switched by hand")
        switch_memories(self.recorder, self.info, change)
        if after == "off":
            self._not_ready = "the memories were switched off and have lost the program; reset() must come first"
        self._power = after

    def check_version(self) -> None:
        """DeviceError when the board's VERSION is not that of the part; a fake board has any version."""
        if not self.link.is_fake:
            check_version(self.recorder, self._chip)

    def check_memories(self, words: int) -> int:
        """Patterns into the first ``words`` words of every memory bank of the used cores, and back; the words checked.

        The program is lost: ``reset`` loads it again. A fake board has no memory, so nothing is checked on it.
        UsageError for a number below 1 or sleeping memories; DeviceError for the first word that differs.
        """
        if isinstance(words, bool) or not isinstance(words, (int, np.integer)) or words < 1:
            raise UsageError(f"integrity check: the number of words must be at least 1, not {words!r:.60}.")
        if self.link.is_fake:
            return 0
        if self._power == "asleep":
            raise UsageError(f"{self.link.name}: the memories are asleep; wake them before they are checked.")
        self._not_ready = "the integrity check has overwritten the program; reset() must come first"
        self._power = "on"
        return check_memories(self.recorder, sorted(self.info.inst_counts), words)

    def program(self) -> tuple[Transaction, ...]:
        """The writes that load the program, once the board is awake."""
        key_index, salt = self._key
        records = load_sequence(self._data, key_index=key_index, salt=salt, encrypted=self._encrypted)
        loading = records[len(tuple(chip_init(program_pll=False))) :]
        return tuple(item for item in loading if item.msgtype != "apb" or self._chip.has_register(item.start_addr))

    def _is_encrypted(self, wanted: bool | None) -> bool:
        """Whether the program is. UsageError for one that the chip could not decipher."""
        if self._chip.has_keys:
            return self.info.encrypted is not False if wanted is None else wanted
        if wanted or (wanted is None and self.info.encrypted):
            raise UsageError(
                f"program: must be in plain words for the hardware {self._chip.name}, which has no registers for a "
                "key, not encrypted; use noencrypt."
            )
        return False

    def _request(self) -> LinkRequest:
        settings = self._settings
        return LinkRequest(
            hardware=settings.hardware,
            address=settings.reached_at,
            timeouts=settings.waits,
            settle_scale=settings.settle_scale,
            encrypted=self._encrypted,
            reply_values=settings.reply_words,
            outputs=tuple(sorted((record.mailbox_id, record.words) for record in self.info.outputs)),
        )

    def _peek(self, core: int, address: int, bits: int, length: int) -> Int64Array:
        return read_elements(self.chip, DataPlace(core, address, length, bits))

    def _poke(self, core: int, address: int, bits: int, values: Int64Array) -> None:
        write_elements(self.chip, DataPlace(core, address, len(values), bits), values)

    def _debug_values(self) -> Values:
        return {name: read_elements(self.chip, place) for name, place in self.debug_places.items()}
