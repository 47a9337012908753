"""Many lineages: the grid, where it runs, and the sandbox for a stranger's method."""
