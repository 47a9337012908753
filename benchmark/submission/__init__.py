"""Submissions: from a folder with one method to an entry whose trust is known.

A submission is a folder with `method.py`, `card.yaml` and `README.md`. Nothing here imports a
method's file into this process: what runs of it runs in the sandbox of `benchmark.runs.sandbox`.
"""
