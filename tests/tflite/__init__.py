"""Tests of the room ``tflite``."""
