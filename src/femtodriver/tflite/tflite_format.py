"""What a TFLite file looks like from outside: light, for those who only have to recognise one."""

TFLITE_ENDING = ".tflite"
IDENTIFIER = b"TFL3"
"""Bytes 4 to 7."""
MAX_FILE_BYTES = 32 << 20
