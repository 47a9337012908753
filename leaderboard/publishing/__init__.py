"""Sends the Space and the results dataset to the Hub."""
