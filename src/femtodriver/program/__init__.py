"""A compiled program as bytes: images, metadata, archives, containers, load sequences. It never interprets them."""
