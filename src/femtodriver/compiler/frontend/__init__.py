"""FQIR to FMIR: how a graph, its loops and conditions become operations on views of buffers."""
