"""Finds the part, the number of cores and the clock at which a model takes the least power.

    python examples/sweep/cheapest.py MODEL [--input-file FILE] [--period SECONDS] [--latency SECONDS]

Every variant runs on the machine, so what is compared was counted. A variant has to finish a frame within --latency, by
default within the period.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from femtodriver.errors import FemtoError
from femtodriver.sweep import SweepRow, run_sweep

PARTS, CORES = ("spu001", "spu001x4"), (1, 2, 4)
CLOCKS_HZ = (100e3, 300e3, 1e6, 3e6, 10e6, 30e6, 100e6)
SHOWN = 5


def in_time(rows: Sequence[SweepRow], latency_s: float) -> list[SweepRow]:
    """The variants that fit the part and are quick enough, the cheapest first."""
    return sorted((row for row in rows if row.fits and worst(row) <= latency_s), key=power)


def power(row: SweepRow) -> float:
    """Watts, typical, over the whole period."""
    return float(row.figures["power"] or 0.0)


def worst(row: SweepRow) -> float:
    """Seconds that the slowest frame takes."""
    return float(row.figures["latency-max"] or 0.0)


def line(row: SweepRow) -> str:
    """A variant in one line."""
    clock = f"{(row.clock_hz or 0.0) / 1e6:g} MHz"
    took = f"{power(row) * 1e6:6.1f} uW, slowest frame {worst(row) * 1e6:6.1f} us"
    cores = row.compiler_options["cores"]
    return f"{row.part:9} {cores} {'core ' if cores == 1 else 'cores'} {clock:>8}  {took}"


def main(words: Sequence[str] | None = None) -> int:
    """Exit status: 1 if no variant is quick enough, 2 for a model or an input that cannot be used."""
    parser = argparse.ArgumentParser(description="find the cheapest part and clock for a model")
    parser.add_argument("model")
    parser.add_argument("--input-file", help="what it hears (default: random frames)")
    parser.add_argument("--period", type=float, default=0.016, help="seconds from one frame to the next")
    parser.add_argument("--latency", type=float, help="seconds in which a frame has to be done (default: the period)")
    given = parser.parse_args(words)
    latency_s = given.latency or given.period
    try:
        result = run_sweep(
            given.model,
            input_file=given.input_file,
            input_period=given.period,
            hw_config=PARTS,
            compiler_options={"cores": CORES},
            clock=CLOCKS_HZ,
        )
    except FemtoError as error:
        print(error, file=sys.stderr)
        return 2
    good = in_time(result.rows, latency_s)
    print(f"{result.model}: done within {latency_s * 1e6:g} us: {len(good)} of {len(result.rows)} variants")
    for row in good[:SHOWN]:
        print(f"  {line(row)}")
    if not good:
        return 1
    cheapest = good[0]
    same = [row for row in good if (row.part, row.compiler_options) == (cheapest.part, cheapest.compiler_options)]
    slowest = min(same, key=lambda row: row.clock_hz or 0.0)
    if slowest is not cheapest:
        print(f"the slowest clock for the first one takes {power(slowest) / power(cheapest):.1f} times its power:")
        print(f"  {line(slowest)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
