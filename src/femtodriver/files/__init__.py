"""Files on disk, and the plain documents in them: limits first, one sentence for every refusal."""
