"""Tests of the room pytorch."""
