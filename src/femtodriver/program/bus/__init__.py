"""What goes over a bus to a board: load sequences and recordings."""
