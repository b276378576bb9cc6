"""Passes over FMIR, one file each; ``pass_order.py`` lists them in order."""
