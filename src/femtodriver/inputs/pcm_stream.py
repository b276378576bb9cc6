"""Frames of raw PCM from a pipe, each as soon as its last sample is there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from femtodriver.arrays import Int64Array
from femtodriver.errors import InputError
from femtodriver.inputs.file_signatures import ENOUGH, kind_of_file
from femtodriver.inputs.frame_reader import cut, frames_in
from femtodriver.inputs.input_spec import InputSpec
from femtodriver.inputs.open_inputs import audio_levels
from femtodriver.inputs.pcm_format import PcmFormat
from femtodriver.inputs.reading import Reading
from femtodriver.inputs.real_values import RealValues
from femtodriver.inputs.wav_file import pcm_samples

WAV = "a WAV file"
# Bytes that are asked for at a time: room for all of them is made beforehand.
_MOST_AT_ONCE = 1 << 20


class PcmStream:
    """``read(most)`` gives the next bytes, as soon as there are any, ``most`` of them at most; b"" at the end, and None
    where nobody wants to wait for more.

    ``spec``: the only input; ``form``: the format of the samples, mono; ``how``: see ``Reading``, with a rate.
    Samples after the last whole frame are not used, which a note says.
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
        self._read, self._spec, self._form, self._where = read, spec, form, where
        self._hop = how.hop_of(spec)
        how.refuse_audio(where)
        self._convert, self._notes = audio_levels(spec, form.block, form.is_float, how.scale, where)
        self._waiting = bytearray()  # from the beginning of the next frame on
        self._frames = 0
        self._ended = False
        self.rate_hz = how.rate_hz
        self.period_s = how.period_of([spec], how.rate_hz)

    @property
    def ended(self) -> bool:
        """Whether the end of the samples has been read."""
        return self._ended

    @property
    def notes(self) -> tuple[str, ...]:
        """How samples are taken, and what was clipped or left out so far."""
        clipped = self._convert.notes if isinstance(self._convert, RealValues) else ()
        return (*self._notes, *clipped, *(self._left_over() if self._ended else ()))

    def next_frames(self, most: int) -> dict[str, Int64Array]:
        """See ``FrameSource.next_frames``: those that are there, at least one.

        InputError for a WAV file, and for fewer samples than one frame.
        """
        block, width, hop = self._form.block, self._spec.length, self._hop
        while len(self._waiting) < width * block and not self._ended:
            wanted = (width + (most - 1) * hop) * block - len(self._waiting)
            content = self._read(min(wanted, _MOST_AT_ONCE))
            if content is None:
                return {}
            self._ended = not content
            self._waiting += content
            self._check_start()
        frames = min(most, frames_in(len(self._waiting) // block, width, hop))
        if not frames:
            self._check_any()
            return {}
        samples = np.frombuffer(self._waiting[: (width + (frames - 1) * hop) * block], np.uint8)
        del self._waiting[: frames * hop * block]
        rows = cut(pcm_samples(samples, block, self._form.is_float), width, hop)
        found = {self._spec.name: self._convert(rows, self._frames)}
        self._frames += frames
        return found

    def close(self) -> None:
        """See ``FrameSource.close``: nothing was opened."""

    def _check_start(self) -> None:
        """A WAV file would be heard as noise and then as audio."""
        if not self._frames and kind_of_file(bytes(self._waiting[:ENOUGH])) == WAV:
            raise InputError(
                f"{self._where}: must be raw PCM, not a WAV file. Give the name of the file instead of -, or convert "
                "it: ffmpeg -i in.wav -f s16le -ac 1 -"
            )

    def _check_any(self) -> None:
        if not self._frames:
            samples, width = len(self._waiting) // self._form.block, self._spec.length
            raise InputError(
                f"{self._where}: must have at least {width} samples, which make one frame of {self._spec.shown}, not "
                f"{samples}."
            )

    def _left_over(self) -> tuple[str, ...]:
        used = (self._spec.length - self._hop) * self._form.block if self._frames else 0
        left = len(self._waiting) - used
        samples, odd = divmod(max(left, 0), self._form.block)
        found = []
        if samples:
            found.append(f"{self._where}: the last {samples} samples are not used; a frame takes {self._spec.length}")
        if odd:
            found.append(f"{self._where}: the last sample is cut off and not used")
        return tuple(found)
