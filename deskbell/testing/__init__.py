"""For tests of Deskbell and of what is built on it: throw-away databases, sessions that roll back, test data."""
