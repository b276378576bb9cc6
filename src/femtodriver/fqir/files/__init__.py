"""Reading network files without trusting them: archive, pickle, records, graphs."""
