"""Files on disk: ordinary files only, of a stated size, with one sentence for every refusal."""
