"""Passes over FMIR, one file each. ``pipeline.py`` runs them in order."""
