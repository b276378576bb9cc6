"""A run on one page: a self-contained HTML file that needs no scripts and nothing from elsewhere."""
