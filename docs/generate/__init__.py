"""Pages and tables of the site that are made of the code, so that they cannot differ from it."""
