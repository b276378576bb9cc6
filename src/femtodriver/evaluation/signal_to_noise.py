"""How much nearer an output is to the clean signal than the input was.

Of a clean signal s, a noisy one x (the input) and what the model made of it, y (the output), sample by sample::

    SNR in  = 10 log10( sum s[n]^2 / sum (x[n] - s[n])^2 )        n = 0 ... N - d - 1
    SNR out = 10 log10( sum s[n]^2 / sum (y[n + d] - s[n])^2 )

Of frames that overlap (``--hop``), s and x are the samples that are new in each frame, its last ones. ``d`` is the
delay of the output in samples: y[n + d] belongs to s[n], so the last d samples of s and x, and the first d
of y, belong to nothing and are left out of both. y is in the units of x before, where the quanta of both are known. An
SNR is None where it is no finite number: the clean signal is silent, or the difference is nothing.

Sums are those of ``math.fsum``, which do not depend on the order or the processor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from femtodriver.arrays import Float64Array, Int64Array
from femtodriver.errors import UsageError
from femtodriver.inputs import InputSpec
from femtodriver.inputs.input_spec import listed


@dataclass(frozen=True)
class Ratios:
    """In decibels, or None."""

    snr_in_db: float | None = None
    snr_out_db: float | None = None


class SignalToNoise:
    """Takes the signals of a clip block by block. ``samples``: of the whole clip; ``factor``: from y to units of x."""

    def __init__(self, samples: int, delay: int, factor: float) -> None:
        self._counted, self._delay, self._factor = max(0, samples - delay), delay, factor
        self._clean_seen = self._output_seen = 0
        self._held: Float64Array = np.zeros(0)
        self._signal: list[float] = []
        self._noise_in: list[float] = []
        self._noise_out: list[float] = []

    def see(self, clean: Int64Array, noisy: Int64Array, output: Int64Array) -> None:
        """The next samples, equally many of each, in any shape."""
        s, x, y = (block.reshape(-1).astype(np.float64) for block in (clean, noisy, output))
        end = max(0, min(len(s), self._counted - self._clean_seen))
        self._clean_seen += len(s)
        self._signal.append(_energy(s[:end]))
        self._noise_in.append(_energy(x[:end] - s[:end]))
        late = max(0, min(len(y), self._delay - self._output_seen))
        self._output_seen += len(y)
        waiting = np.concatenate([self._held, s[:end]])
        due = y[late:] * self._factor
        count = min(len(due), len(waiting))
        self._noise_out.append(_energy(due[:count] - waiting[:count]))
        self._held = waiting[count:]

    def ratios(self) -> Ratios:
        """After the last block."""
        signal = math.fsum(self._signal)
        return Ratios(_decibels(signal, math.fsum(self._noise_in)), _decibels(signal, math.fsum(self._noise_out)))


def _energy(values: Float64Array) -> float:
    return math.fsum((values * values).tolist())


def _decibels(signal: float, noise: float) -> float | None:
    return 10 * math.log10(signal / noise) if signal and noise else None


def output_factor(inputs: tuple[InputSpec, ...], outputs: tuple[InputSpec, ...], hop: int | None) -> float:
    """What brings the output into the units of the input.

    UsageError unless there is one of each, and the output of a frame has as many samples as are new in its input: its
    width, or ``hop``.
    """
    new = hop if hop is not None else inputs[0].length if inputs else 0
    if len(inputs) != 1 or len(outputs) != 1 or outputs[0].length != new or new > inputs[0].length:
        raise UsageError(
            "references: the model must have one input and one output, and put out a sample for each new one of the "
            f"input, as one that cleans sound does, but it has {listed(inputs)} and {listed(outputs)}"
            f"{'' if hop is None else f', with the hop {hop}'}."
        )
    if inputs[0].zero_point or outputs[0].zero_point:
        raise UsageError(
            "references: signals must stand around zero in the integers of the model, not around its zero points "
            f"{inputs[0].zero_point} and {outputs[0].zero_point}."
        )
    before, after = inputs[0].step, outputs[0].step
    return 1.0 if before is None or after is None else after / before
