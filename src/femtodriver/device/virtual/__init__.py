"""A board for users who have none: the open SPU's machine behind the protocols of real boards."""
