"""The subcommands of `autophagy`, one file each, imported when it is called."""
