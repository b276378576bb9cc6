"""FMIR, the mapped IR: its operations, their meaning, their text, and what must hold of them."""
