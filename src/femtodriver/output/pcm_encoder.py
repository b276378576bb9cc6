"""Integers of an output as PCM samples, by the rules by which inputs take samples (docs/audio.md)."""

from __future__ import annotations

import numpy as np

from femtodriver.arrays import AnyArray, Int64Array
from femtodriver.errors import UsageError
from femtodriver.inputs import REAL, InputSpec, Scale
from femtodriver.inputs.pcm_format import PcmFormat


class PcmEncoder:
    """Samples of an output in a format: full scale stays full scale; with the scale "real", 1.0 is full scale.

    UsageError for the scale "real" where nobody knows the quanta of the output.
    """

    def __init__(self, spec: InputSpec, form: PcmFormat, scale: Scale = None) -> None:
        self._spec, self.form = spec, form
        self._seen = self._clipped = 0
        # What an integer v of the output is worth where full scale is 1.0.
        self._unit, self._zero = 2.0 ** (1 - spec.bits), 0
        if scale == REAL:
            if spec.step is None:
                raise UsageError(
                    f"{_shown(spec)}: the program does not state the quanta of this output, so its audio can only have "
                    "the levels of its integers. Leave --scale real out."
                )
            self._unit, self._zero = spec.step, spec.zero_point or 0

    @property
    def _is_plain(self) -> bool:
        return self._unit == 2.0 ** (1 - self._spec.bits) and not self._zero

    def encode(self, rows: Int64Array) -> bytes:
        """The samples of these frames, one after the other, little-endian."""
        flat = rows.reshape(-1) - self._zero
        self._seen += flat.size
        if self.form.is_float:
            return (flat * self._unit).astype("<f4").tobytes()
        if self._is_plain:
            return self._stored(_shifted(flat, self.form.bits - self._spec.bits))
        high = 1 << (self.form.bits - 1)
        samples = np.floor(flat * (self._unit * high) + 0.5)
        self._clipped += int(np.count_nonzero((samples < -high) | (samples >= high)))
        return self._stored(np.clip(samples, -high, high - 1).astype(np.int64))

    def _stored(self, samples: AnyArray) -> bytes:
        if self.form.block == 1:
            return (samples + 128).astype(np.uint8).tobytes()
        if self.form.block == 3:
            return samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
        return samples.astype(f"<i{self.form.block}").tobytes()

    @property
    def notes(self) -> tuple[str, ...]:
        """What users should know beforehand: levels that are not those of the network, bits that are lost."""
        found = []
        spec = self._spec
        if self._is_plain and spec.step is not None and (spec.quanta != 1 - spec.bits or spec.zero_point):
            full = (-spec.limits[0] - (spec.zero_point or 0)) * spec.step
            found.append(
                f"{_shown(spec)}: {spec.limits[1]}, which stands for {full:g} ({spec.meaning}), becomes full scale "
                f"(1.0); --scale {REAL} keeps 1.0 at 1.0"
            )
        if self._is_plain and not self.form.is_float and self.form.bits < spec.bits:
            lost = spec.bits - self.form.bits
            found.append(f"{_shown(spec)}: the lowest {lost} of {spec.bits} bits are not in {self.form.name}")
        return tuple(found)

    @property
    def clipped(self) -> tuple[str, ...]:
        """How many samples were clipped so far, if any."""
        if not self._clipped:
            return ()
        return (f"{_shown(self._spec)}: {self._clipped} of {self._seen} samples clipped to full scale",)


def _shifted(samples: Int64Array, by: int) -> Int64Array:
    moved: Int64Array = samples << np.int64(by) if by >= 0 else samples >> np.int64(-by)
    return moved


def _shown(spec: InputSpec) -> str:
    return spec.shown.replace("input", "output", 1)
