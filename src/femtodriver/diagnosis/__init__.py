"""What this installation can do, and the next step where it cannot."""
