"""Recording what goes over a transport, and replaying it.

Life cycle: 1. construct around a transport, 2. ``start_recording(name)``, 3. transfers, 4. ``stop_recording()``,
5. ``commit_recording(file)``. Starting a name again starts its recording afresh.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BusWords
from femtodriver.device.transport import Transport
from femtodriver.errors import UsageError
from femtodriver.files.file_access import write_file
from femtodriver.program.bus.read_recordings import writes_only
from femtodriver.program.bus.transactions import Transaction, end_address
from femtodriver.program.bus.write_recordings import PROGRAM_RECORDING, recording_yaml

MOST_WORDS = 1 << 20
"""Words of all recordings but the program's; what comes later is not recorded, so that long runs stay in memory."""
MOST_TRANSACTIONS = 1 << 18
_log = logging.getLogger(__name__)


class Recorder:
    """Passes transfers on to ``transport`` and keeps them as transactions while a recording is active.

    ``truncated``: something was left out because a recording was full.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.truncated = False
        self._recordings: dict[str, list[Transaction]] = {}
        self._active: str | None = None
        self._words = 0
        self._count = 0

    @property
    def recordings(self) -> dict[str, tuple[Transaction, ...]]:
        """What was recorded: name -> transactions."""
        return {name: tuple(records) for name, records in self._recordings.items()}

    def start_recording(self, name: str) -> None:
        """Record under this name from now on; an earlier recording of that name is dropped."""
        dropped = self._recordings.pop(name, [])
        if name != PROGRAM_RECORDING:
            self._words -= sum(record.length for record in dropped)
            self._count -= len(dropped)
        self._recordings[name] = []
        self._active = name

    @property
    def position(self) -> int:
        """How many transactions the active recording has."""
        return 0 if self._active is None else len(self._recordings[self._active])

    def rewind(self, position: int) -> None:
        """Forget what the active recording has after so many transactions."""
        if self._active is None:
            return
        dropped = self._recordings[self._active][position:]
        del self._recordings[self._active][position:]
        if self._active != PROGRAM_RECORDING:
            self._words -= sum(record.length for record in dropped)
            self._count -= len(dropped)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Record nothing meanwhile."""
        active, self._active = self._active, None
        try:
            yield
        finally:
            self._active = active

    def stop_recording(self) -> None:
        """Record nothing from now on."""
        self._active = None

    def clear(self) -> None:
        """Forget all recordings."""
        self._recordings.clear()
        self._active = None
        self._words = self._count = 0
        self.truncated = False

    def commit_recording(self, file: str | Path, write_only: bool = False) -> Path:
        """Write all recordings as YAML; ``write_only``: without the reads, as a replay needs them.

        ProgramError when the file cannot be written.
        """
        path = Path(file)
        kept = {name: writes_only(records) if write_only else records for name, records in self.recordings.items()}
        write_file(path, recording_yaml(kept).encode("ascii"))
        return path

    def replay_record(self, record: str | Iterable[Transaction]) -> int:
        """Send the writes of a recording (or of the one with that name) again; the number of words sent.

        UsageError for an unknown name or for records with reads: only writes can be replayed.
        """
        records = tuple(self._named(record) if isinstance(record, str) else record)
        if any(item.direction != "w" for item in records):
            raise UsageError("replay: the recording must have writes only; commit it with write_only=True.")
        for item in records:
            self.send(item)
        return sum(item.length for item in records)

    def send(self, record: Transaction) -> None:
        """Carry out a write that is given as a transaction."""
        words = np.array(record.vals, np.uint32)
        self.transport.write(record.msgtype, record.start_addr, record.end_addr, record.length, words)
        if self._room(record.length):
            self._recordings[self._active or ""].append(record)

    def write(self, target: str, start: int, words: npt.ArrayLike, comment: str | None = None) -> None:
        """Write 32-bit words (1-D); errors as of the transport."""
        values = np.asarray(words, dtype=np.uint32)
        self.transport.write(target, start, end_address(target, start, len(values)), len(values), values)
        self._keep(target, "w", start, values, comment)

    def read(self, target: str, start: int, length: int, comment: str | None = None) -> BusWords:
        """Read so many 32-bit words (uint32, 1-D); errors as of the transport."""
        values = self.transport.read(target, start, end_address(target, start, length), length)
        self._keep(target, "r", start, values, comment)
        return values

    def _keep(self, target: str, direction: str, start: int, values: BusWords, comment: str | None) -> None:
        length = len(values)
        if self._active is None or not self._room(length):
            return
        end = end_address(target, start, length)
        record = Transaction(target, direction, comment, start, end, length, tuple(values.tolist()))
        self._recordings[self._active].append(record)

    def _room(self, length: int) -> bool:
        if self._active is None:
            return False
        if self._active == PROGRAM_RECORDING:
            return True
        if self._words + length > MOST_WORDS or self._count >= MOST_TRANSACTIONS:
            if not self.truncated:
                _log.warning("%s: the recording is full; what follows is not recorded", self.transport.name)
            self.truncated = True
            return False
        self._words += length
        self._count += 1
        return True

    def _named(self, name: str) -> tuple[Transaction, ...]:
        if name not in self._recordings:
            known = ", ".join(self._recordings) or "none"
            raise UsageError(f"replay: the recording must be one of {known}, not {name!r}.")
        return writes_only(self._recordings[name])
