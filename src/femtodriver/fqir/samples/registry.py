"""All samplers by operator name, with how often they are drawn. Every operator that compiles has one (tests/house)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from femtodriver.fqir.samples import control, elementwise, movement, patterns, products
from femtodriver.fqir.samples.draw import Sampler

SAMPLERS: Mapping[str, tuple[Sampler, float]] = MappingProxyType(
    {**elementwise.SAMPLERS, **products.SAMPLERS, **movement.SAMPLERS, **control.SAMPLERS, **patterns.SAMPLERS}
)
