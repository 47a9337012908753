"""Where an item of the web comes from, in numbers: 0, 1, ... are the own models, the rest here."""

REAL = -1  # of the real pool
NEW = -2  # real, in no crawl before
FOREIGN = -3  # of other models
