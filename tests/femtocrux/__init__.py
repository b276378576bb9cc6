"""Tests of the room femtocrux."""
