"""The room ``device``: links, sessions, the virtual board."""
