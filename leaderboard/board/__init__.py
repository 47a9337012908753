"""Reads results, cards and trust into the rows of the board."""
