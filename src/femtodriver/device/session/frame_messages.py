"""Input arrays -> messages, and messages -> output arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from femtodriver.arrays import BusWords, Int64Array
from femtodriver.device.transport import GOOD_OUTPUT
from femtodriver.errors import DeviceError
from femtodriver.program.metadata import InputRecord, OutputRecord
from femtodriver.program.packing import join_words, pack, split_words, unpack

Values = dict[str, Int64Array]


def input_messages(frame: Mapping[str, Int64Array], records: Sequence[InputRecord]) -> list[BusWords]:
    """One message (uint32 words) per input, in the order of ``records``.

    ``frame``: 1-D arrays of the logical lengths. InputError for an element that the stored width cannot hold.
    """
    return [_message(record, frame[record.name]) for record in records]


def _message(record: InputRecord, values: Int64Array) -> BusWords:
    payload = np.zeros(record.words, np.uint64)
    packed = pack(values, record.bits, f"input {record.name!r}")
    payload[: len(packed)] = packed
    return np.concatenate([np.array([record.core, record.pc_val], np.uint32), split_words(payload)])


def words_of_outputs(records: Sequence[OutputRecord]) -> int:
    """64-bit words of all outputs of a frame, one header each included."""
    return sum(record.words + 1 for record in records)


def output_arrays(words: BusWords, records: Sequence[OutputRecord], where: str) -> Values:
    """The arrays (int64, 1-D, logical length) of concatenated output messages, in the order of ``records``.

    DeviceError for a bad status, an unknown or repeated mailbox, or messages that do not fill the words exactly.
    """
    mailboxes = {record.mailbox_id: record for record in records}
    found: Values = {}
    at = 0
    while at < len(words):
        status, mailbox = (int(word) for word in words[at : at + 2])
        if status != GOOD_OUTPUT:
            raise DeviceError(f"{where}: expected status {GOOD_OUTPUT:#x} in the header of an output, got {status:#x}.")
        record = mailboxes.pop(mailbox, None)
        if record is None:
            left = ", ".join(str(number) for number in mailboxes) or "none"
            raise DeviceError(f"{where}: expected an output of mailbox {left}, got {mailbox}.")
        payload = join_words(words[at + 2 : at + 2 + 2 * record.words])
        if len(payload) != record.words:
            raise DeviceError(
                f"{where}: expected {record.words} payload words of output {record.name!r}, got {len(payload)}."
            )
        found[record.name] = unpack(payload, record.bits, record.usable)
        at += 2 + 2 * record.words
    if mailboxes:
        raise DeviceError(f"{where}: expected an output of mailbox {next(iter(mailboxes))}, and there is none.")
    return {record.name: found[record.name] for record in records}
