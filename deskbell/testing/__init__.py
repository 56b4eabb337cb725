"""For tests of Deskbell and of what is built on it: a throw-away database, sessions that roll back, lawful test data."""
