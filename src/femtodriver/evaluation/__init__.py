"""A model on every clip of a data set: found, run by workers, written to disk as they finish, and summed up."""
