"""Runners: one contract (``base``), many executors, found by name (``registry``), compared (``compare``)."""

from femtodriver.runners.runner import Runner
from femtodriver.runners.runner_table import FACTORIES, Material, check_names, create

__all__ = ["FACTORIES", "Material", "Runner", "check_names", "create"]
