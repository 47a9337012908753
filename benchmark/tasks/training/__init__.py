"""What every generator shares that trains a network."""
