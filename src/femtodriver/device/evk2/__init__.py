"""EVK2 evaluation boards over USB HID."""
