"""Outputs of a run as the real numbers that they stand for, in a line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from femtodriver.inputs import InputSpec
from femtodriver.safe_text import plain_name


def real_outputs_text(outputs: Mapping[str, npt.ArrayLike], specs: Sequence[InputSpec]) -> Iterator[str]:
    """The range of each output (frames, elements) that is there, and where it is highest.

    An output of which nobody knows what its integers stand for is left out.
    """
    for spec in specs:
        rows = np.asarray(outputs.get(spec.name, ()))
        if spec.step is None or not rows.size:
            continue
        real = spec.real(rows.reshape(len(rows), -1).astype(np.int64))
        frame, element = np.unravel_index(int(real.argmax()), real.shape)
        where = f"frame {frame}" + (f", element {element}" if real.shape[1] > 1 else "")
        yield f"output {plain_name(spec.name, 40)}: {real.min():.6g} to {real.max():.6g}, highest in {where}"
