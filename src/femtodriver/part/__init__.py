"""Parts (chips) as data."""

from femtodriver.part.part import Part, load_part, part_names

__all__ = ["Part", "load_part", "part_names"]
