"""What knows nothing of the benchmark: errors, files, seeds, the machine."""
