"""What a method sees: items, access, the round, the class to subclass; how it is found."""
