"""The words that a fake board answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from femtodriver.arrays import BusWords
from femtodriver.device.link_request import LinkRequest, Outputs
from femtodriver.device.transport import GOOD_OUTPUT
from femtodriver.errors import InputError

FILL = 0x76543210
"""What every word is without a list of values: 16-bit elements are 12816, 30292, 12816, ..."""


class MadeUpWords:
    """The answers of a fake board.

    ``values``: 32-bit words; every read gets them from their beginning, cut or filled with zeros; None: ``FILL``.
    ``outputs``: (mailbox, payload in 64-bit words) of each output. An axis read of just these outputs has a header per
    output, and the values run on from payload to payload; any other has one header, of mailbox 0.
    """

    def __init__(self, values: BusWords | None = None, outputs: Outputs = ()) -> None:
        self._values = values
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
        if length != sum(2 * (words + 1) for _, words in outputs):
            outputs = ((0, length // 2 - 1),)
        payload = self._filled(sum(2 * words for _, words in outputs))
        parts: list[BusWords] = []
        first = 0
        for mailbox, words in outputs:
            parts += [np.array([GOOD_OUTPUT, mailbox], np.uint32), payload[first : first + 2 * words]]
            first += 2 * words
        return np.concatenate(parts)

    def write(self, target: str, start: int, words: BusWords) -> None:
        """Nothing happens."""

    def new_client(self) -> None:
        """Nothing is kept from one to the next."""

    def hard_reset(self) -> None:
        """Nothing to forget."""

    def _filled(self, length: int) -> BusWords:
        if self._values is None:
            return np.full(length, FILL, np.uint32)
        found = np.zeros(length, np.uint32)
        found[: len(self._values)] = self._values[:length]
        return found


def reply_words(values: npt.ArrayLike) -> BusWords:
    """A 1-D list of whole numbers as uint32 words (negative ones as two's complement); else InputError."""
    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise InputError(f"reply values: must be a 1-D array of integers, not {found.ndim}-D of {found.dtype}.")
    if found.size and not (int(found.min()) >= -(1 << 31) and int(found.max()) < 1 << 32):
        raise InputError(f"reply values: must be words of 32 bits, not {int(found.min())} to {int(found.max())}.")
    return (found.astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)
