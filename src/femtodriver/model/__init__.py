"""From what a user names (a file, a graph, LOOPBACK) to a compiled program."""
