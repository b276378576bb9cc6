"""The ``.femto`` container in its two layouts."""
