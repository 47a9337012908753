"""The subcommands of `autophagy`, one file each. Heavy imports happen inside the functions."""
