"""The words that a fake board answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BusWords, is_masked
from femtodriver.device.link_request import LinkRequest, Outputs
from femtodriver.device.transport import GOOD_OUTPUT
from femtodriver.errors import InputError

FILL = 0x76543210
"""What every word is without a list of values: 16-bit elements are 12816, 30292, 12816, ..."""


class MadeUpWords:
    """The answers of a fake board.

    ``values``: 32-bit words, 1-D: every read gets them from their beginning, cut or filled with zeros. 2-D (frames,
    words): the first frame's, until the outputs are read, then the next one's, and from the first again after the last
    one and after a hard reset. None: ``FILL``. ``outputs``: (mailbox, payload in 64-bit words) of each output. An axis
    read of just these outputs has a header per output, and the values run on from payload to payload; any other has
    one header, of mailbox 0.
    """

    def __init__(self, values: BusWords | None = None, outputs: Outputs = ()) -> None:
        self._rows = None if values is None else np.atleast_2d(values)
        self._frame = 0
        self._outputs = outputs

    @classmethod
    def of(cls, request: LinkRequest) -> MadeUpWords:
        """The answers that a request asks for."""
        return cls(request.reply_values, request.outputs)

    def read(self, target: str, start: int, length: int) -> BusWords:
        """Exactly ``length`` words."""
        if target != "axis":
            return self._filled(length)
        outputs = self._outputs
        whole = length == sum(2 * (words + 1) for _, words in outputs)
        if not whole:
            outputs = ((0, length // 2 - 1),)
        payload = self._filled(sum(2 * words for _, words in outputs))
        parts: list[BusWords] = []
        first = 0
        for mailbox, words in outputs:
            parts += [np.array([GOOD_OUTPUT, mailbox], np.uint32), payload[first : first + 2 * words]]
            first += 2 * words
        self._frame += whole
        return np.concatenate(parts)

    def write(self, target: str, start: int, words: BusWords) -> None:
        """Nothing happens; but a write to the host is a hard reset."""
        if target == "host":
            self._frame = 0

    def new_client(self) -> None:
        """Nothing is kept from one to the next."""

    def hard_reset(self) -> None:
        """Nothing to forget."""

    def _filled(self, length: int) -> BusWords:
        if self._rows is None:
            return np.full(length, FILL, np.uint32)
        row = self._rows[self._frame % len(self._rows)]
        found = np.zeros(length, np.uint32)
        found[: len(row)] = row[:length]
        return found


def reply_words(values: npt.ArrayLike) -> BusWords:
    """Whole numbers, 1-D or 2-D (frames, words), as uint32, negative ones as two's complement; else InputError."""
    if is_masked(values):
        raise InputError("reply values: must be a plain array, not a masked one.")
    found = np.asarray(values)
    if (
        found.ndim not in (1, 2)
        or (found.ndim == 2 and not len(found))
        or (found.size and found.dtype.kind not in "iu")
    ):
        raise InputError(
            f"reply values: must be a 1-D array of integers, or a 2-D one with a row per frame, not {found.ndim}-D of "
            f"{found.dtype}."
        )
    if found.size and not (int(found.min()) >= -(1 << 31) and int(found.max()) < 1 << 32):
        raise InputError(f"reply values: must be words of 32 bits, not {int(found.min())} to {int(found.max())}.")
    return (found.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)
