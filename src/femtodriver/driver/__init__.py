"""The facade that users know (``Femtodriver``), and the tree of files that it writes."""

from femtodriver.driver.facade import Femtodriver

__all__ = ["Femtodriver"]
