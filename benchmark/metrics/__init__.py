"""Numbers of features and texts, what each of them means, and definitions of collapse."""
