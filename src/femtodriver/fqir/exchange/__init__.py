"""The exchange format: networks in files that need neither pickle nor fmot (``.fqir``)."""

from femtodriver.fqir.exchange.exchange_files import fqir_bytes, load_fqir, save_fqir

__all__ = ["fqir_bytes", "load_fqir", "save_fqir"]
