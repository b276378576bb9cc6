"""Its place makes the helpers of this folder importable from the folders inside."""
