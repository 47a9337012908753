"""Draws the board."""
