"""Features of audio that comes from a pipe, in frames, each as soon as its last sample is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from femtodriver.arrays import Float64Array, Int64Array
from femtodriver.errors import InputError
from femtodriver.inputs.frame_reader import cut, frames_in
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.micro_frontend import (
    BANDS,
    FEATURE_RATE_HZ,
    HOP,
    MICRO,
    SAMPLE_BITS,
    MicroFrontend,
    check_rate,
    check_width,
    feature_hop,
)
from femtodriver.inputs.pcm_format import PcmFormat
from femtodriver.inputs.pcm_stream import PcmStream
from femtodriver.inputs.reading import Reading
from femtodriver.inputs.real_values import REAL, real_values


class FeatureStream:
    """A ``FrameSource`` of the front end ``how.frontend``; arguments as of ``PcmStream``.

    UsageError for a rate that it does not hear, InputError for an input that its features do not fill.
    """

    n_frames = None

    def __init__(
        self,
        read: Callable[[int], bytes | None],
        spec: InputSpec,
        form: PcmFormat,
        how: Reading,
        where: str = "standard input",
    ) -> None:
        check_rate(how.rate_hz, where)
        check_width(spec)
        replace(how, frontend=None).refuse_audio(where)
        self._spec, self._where = spec, where
        self._frontend = MicroFrontend(how.frontend or MICRO)
        self._samples = PcmStream(read, InputSpec(spec.name, HOP, SAMPLE_BITS), form, Reading(), where)
        self._convert = real_values(spec, REAL if how.scale is None else how.scale)
        self._features: Float64Array = np.zeros(0)
        self._hop = feature_hop(how.hop) or spec.length
        self._frames = 0
        self.rate_hz: float | None = FEATURE_RATE_HZ
        self.period_s: float | None = self._hop / FEATURE_RATE_HZ

    @property
    def notes(self) -> tuple[str, ...]:
        """How samples are taken, and what was clipped or left out so far."""
        return (*self._samples.notes, *self._convert.notes)

    def next_frames(self, most: int) -> dict[str, Int64Array]:
        """See ``FrameSource.next_frames``: those that are there, at least one.

        InputError for a WAV file, and for audio that ends before the first frame.
        """
        width, hop = self._spec.length, self._hop
        while len(self._features) < width:
            missing = width + (most - 1) * hop - len(self._features)
            found = self._samples.next_frames(-(-missing // BANDS))
            if not found:
                self._check_any()
                return {}
            samples = found[self._spec.name].reshape(-1)
            self._features = np.concatenate([self._features, self._frontend.features(samples)])
        frames = min(most, frames_in(len(self._features), width, hop))
        rows = cut(self._features[: width + (frames - 1) * hop], width, hop)
        made = self._convert(rows, self._frames)
        self._frames += frames
        self._features = self._features[frames * hop :]
        return {self._spec.name: made}

    def close(self) -> None:
        """See ``FrameSource.close``: nothing was opened."""

    def _check_any(self) -> None:
        if not self._frames and self._samples.ended:
            raise InputError(
                f"{self._where}: must have more samples: its {len(self._features) // BANDS} groups of features do not "
                f"make one frame of {self._spec.shown}, which takes {self._spec.length // BANDS}."
            )
