"""Pairs at papers' scale: icons and their names."""
