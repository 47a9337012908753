"""Reference implementations: one file per method, each also a valid submission."""
