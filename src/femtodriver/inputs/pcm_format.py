"""Formats of PCM samples, by the names that ffmpeg and sox users know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PcmFormat:
    """``block``: bytes of a sample, little-endian; ``is_float``: real numbers of full scale 1.0, not integers."""

    name: str
    block: int
    is_float: bool = False

    @property
    def bits(self) -> int:
        """Bits of a sample."""
        return 8 * self.block


_ROWS = (PcmFormat("u8", 1), PcmFormat("s16le", 2), PcmFormat("s24le", 3), PcmFormat("s32le", 4))
PCM_FORMATS: Mapping[str, PcmFormat] = {row.name: row for row in (*_ROWS, PcmFormat("f32le", 4, is_float=True))}
USUAL_FORMAT = "s16le"
USUAL_RATE_HZ = 16000.0


def format_for(bits: int) -> PcmFormat:
    """The narrowest format of integers that holds this many bits."""
    return next(row for row in _ROWS if row.bits >= min(bits, 32))
