"""How a source of samples is read: what its numbers mean, how it is cut into frames, what it does not say itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from femtodriver.errors import InputError, UsageError
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.real_values import Scale


@dataclass(frozen=True)
class Reading:
    """``scale``: see ``open_inputs``. ``hop``: samples from the start of a frame to the start of the next, None for the
    width of the input. ``channel``: which channel of a WAV file, from 1; None for a mono one. ``rate_hz``: samples per
    second of a source that does not state it. ``resample_hz``: the rate that samples are brought to. ``frontend``: what
    makes features of the samples, see ``micro_frontend``; None for the samples themselves.
    """

    scale: Scale = None
    hop: int | None = None
    channel: int | None = None
    rate_hz: float | None = None
    resample_hz: float | None = None
    frontend: str | None = None

    def hop_of(self, spec: InputSpec) -> int:
        """Samples from one frame of the input to the next. InputError for a hop that leaves samples out."""
        if self.hop is not None and self.hop > spec.length:
            raise InputError(
                f"hop: must be at most {spec.length}, the width of {spec.shown}, not {self.hop}; samples would be "
                "left out."
            )
        return spec.length if self.hop is None else self.hop

    def refuse_hop(self, what: str) -> None:
        """UsageError if there is a hop, which has no meaning for such a source."""
        if self.hop is not None:
            raise UsageError(f"hop: must be given for samples in one row, not for {what}. Leave it out.")

    def refuse_audio(self, where: str) -> None:
        """UsageError for options of WAV files, for what is none."""
        options = (("channel", self.channel), ("resample", self.resample_hz), ("frontend", self.frontend))
        for name, value in options:
            if value is not None:
                raise UsageError(f"{name}: must be given for a WAV file, not for {where}. Leave it out.")

    def rate_of(self, stated_hz: float, where: str) -> float | None:
        """Samples per second, of a source that states them (0: it does not). UsageError where both are, and differ."""
        if stated_hz and self.rate_hz not in (None, stated_hz):
            raise UsageError(f"input_rate: must be what {where} states, {stated_hz:g} Hz, not {self.rate_hz:g} Hz.")
        return stated_hz or self.rate_hz

    def period_of(self, specs: Sequence[InputSpec], rate_hz: float | None) -> float | None:
        """Seconds from one frame to the next, where the rate is known and there is one input."""
        return self.hop_of(specs[0]) / rate_hz if rate_hz and len(specs) == 1 else None
