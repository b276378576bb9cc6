"""FMIR to images: memory, instructions, threads, linking."""
