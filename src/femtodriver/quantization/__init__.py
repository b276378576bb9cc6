"""How well the values of a network use their types: ranges, clipped elements, noise against a float model."""
