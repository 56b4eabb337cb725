"""Finding tickets: the query language, what its fields mean, and full text."""
