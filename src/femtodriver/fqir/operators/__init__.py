"""The operators of a network, one class each, in files by family. ``fqir.registry`` lists them by name."""
