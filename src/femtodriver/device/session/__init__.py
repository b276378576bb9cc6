"""A program on a board: waking it up, loading, frames, and what else can be done with it. Links are elsewhere."""
