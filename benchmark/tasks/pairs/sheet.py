"""How a page lays out a row of pairs, in pixels; needs no torch."""

COLUMNS = 4  # pairs
ZOOM = 2  # pixels of a page for one of a picture
GAP = 6  # between pairs, and below the strip
LINE = 15  # height of a caption
SPACE = 168  # width of a pair
CELL, LINES = (4, 2), 3  # height and width of a number's cell, lines of the strip of 999 cells
STRIP = LINES * CELL[0] + GAP  # height of what lies below the captions
