"""Sending a recorded program to a board again."""

from __future__ import annotations

from collections.abc import Iterable

from femtodriver.device.boards import board_of
from femtodriver.device.chip_versions import chip_of_environment
from femtodriver.device.session.bring_up import bring_up
from femtodriver.device.session.traffic_recorder import Recorder
from femtodriver.device.transport import Transport
from femtodriver.program.bus.read_recordings import writes_only
from femtodriver.program.bus.transactions import Transaction


def replay_program(transport: Transport, records: Iterable[Transaction], hardware: str = "fpgazynq") -> int:
    """Bring the board up and send the apb writes of a recording (``0PROG_A``/``0PROG_D``, ``setup.yaml``): the words.

    The transport must be open. Resets and clocks of the recording are left out: they are those of the board that it
    was made with. DeviceError when the link fails.
    """
    recorder = Recorder(transport)
    board = board_of(hardware)
    bring_up(recorder, board.platform, board.program_pll, chip_of_environment())
    writes = [record for record in writes_only(records) if record.msgtype == "apb"]
    return recorder.replay_record(writes)
