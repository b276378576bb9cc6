"""I/O specifications: which inputs and outputs a model has, in which order, and which inputs keep their value."""

from femtodriver.iospec.io_spec import IOSpec
from femtodriver.iospec.spec_records import SpecSequence, SpecVariable

__all__ = ["IOSpec", "SpecSequence", "SpecVariable"]
