"""The native loop: decoded programs in compiled code, equal to the NumPy machine in every number and every fault."""
