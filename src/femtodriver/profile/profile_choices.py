"""By what a profile can be grouped and sorted. No imports: the command line reads these names at once."""

from __future__ import annotations

LAYER, OPERATOR, MODULE, CORE = GROUPINGS = ("layer", "operator", "module", "core")
ORDER, CYCLES, ENERGY, MACS, BYTES, SATURATED = SORTS = ("order", "cycles", "energy", "macs", "bytes", "saturated")
