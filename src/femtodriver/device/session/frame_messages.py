"""Input arrays -> messages, and messages -> output arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import AnyArray, BusWords, Int64Array
from femtodriver.device.transport import GOOD_OUTPUT
from femtodriver.errors import DeviceError, InputError
from femtodriver.program.metadata import InputRecord, OutputRecord
from femtodriver.program.packing import elements_per_word, join_words, pack, split_words, unpack

Values = dict[str, Int64Array]


def input_messages(inputs: Mapping[str, npt.ArrayLike], records: Sequence[InputRecord]) -> list[BusWords]:
    """One message (uint32 words) per input, in the order of ``records``.

    Arrays are 1-D, of the logical or the padded length, whole numbers within the element width. InputError, which
    names the input, for anything else.
    """
    unknown = [name for name in checked_mapping(inputs) if name not in {record.name for record in records}]
    if unknown:
        known = ", ".join(repr(record.name) for record in records)
        raise InputError(f"inputs: must be {known}, not also {unknown[0]!r:.60}.")
    return [_message(record, inputs) for record in records]


def checked_mapping(inputs: Mapping[str, npt.ArrayLike]) -> Mapping[str, npt.ArrayLike]:
    """The inputs themselves; InputError for what is no mapping."""
    if not isinstance(inputs, Mapping):
        raise InputError(f"inputs: must be a mapping from input name to array, not {type(inputs).__name__}.")
    return inputs


def plain_array(values: npt.ArrayLike, where: str) -> AnyArray:
    """The values as an array; InputError for rows of different length, and for masks, which nobody would look at."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InputError(f"{where}: must be a plain array, not a masked one.")
    try:
        return np.asarray(values)
    except (ValueError, OverflowError, TypeError) as error:
        raise InputError(f"{where}: must be an array of numbers with rows of equal length: {error}.") from None


def _message(record: InputRecord, inputs: Mapping[str, npt.ArrayLike]) -> BusWords:
    where = f"input {record.name!r}"
    if record.name not in inputs:
        raise InputError(f"{where}: must be given in every frame.")
    values = plain_array(inputs[record.name], where)
    padded = record.words * elements_per_word(record.bits)
    if values.ndim != 1 or len(values) not in (record.usable, padded):
        raise InputError(f"{where}: a frame must have shape ({record.usable},), not {values.shape}.")
    payload = np.zeros(record.words, np.uint64)
    packed = pack(_whole(values, where), record.bits, where)
    payload[: len(packed)] = packed
    return np.concatenate([np.array([record.core, record.pc_val], np.uint32), split_words(payload)])


def _whole(values: AnyArray, where: str) -> AnyArray:
    """Real numbers that are whole, as integers; others stay what they are."""
    if values.dtype.kind != "f":
        return values
    odd = np.flatnonzero(~(np.isfinite(values) & (np.abs(values) < 2.0**53) & (values == np.rint(values))))
    if len(odd):
        raise InputError(f"{where}: element {odd[0]} must be a whole number, not {values[odd[0]]}. Scale and round it.")
    return values.astype(np.int64)


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
