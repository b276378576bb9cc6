"""Which core does what when a network is shared out over cores."""
