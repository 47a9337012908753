"""Where an item of the web comes from, in numbers: 0, 1, ... are the own models, the rest here."""

REAL = -1  # of the world
FOREIGN = -3  # of other models
