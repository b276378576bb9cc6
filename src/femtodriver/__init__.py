"""Open toolchain for tiny sparse neural processors."""

__version__ = "0.1.0"
