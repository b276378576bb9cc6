"""The facade that users know: ``Femtodriver``."""

from femtodriver.driver.facade import Femtodriver

__all__ = ["Femtodriver"]
