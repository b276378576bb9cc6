"""The machine: runs a compiled program from its images, bit for bit, and counts."""
