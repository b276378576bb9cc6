"""A compiled model, the inputs of its runs, and a whole job: compile, run, measure, write."""
