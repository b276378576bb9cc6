"""Runners: one contract (``runner``), many executors, found by name (``runner_table``), compared (``compare_runs``)."""
