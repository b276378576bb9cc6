"""The facade that users know: ``Femtodriver``; and ``main`` and ``cli``, as the reference's driver module has them."""

from femtodriver.driver.facade import Femtodriver
from femtodriver.driver.reference_main import cli, main

__all__ = ["Femtodriver", "cli", "main"]
