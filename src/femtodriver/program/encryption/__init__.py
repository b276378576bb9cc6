"""Encrypted programs and the keys for them."""
