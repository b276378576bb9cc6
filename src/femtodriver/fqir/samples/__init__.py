"""Random legal nodes of every operator, for property tests: one sampler per operator, one module per family."""
