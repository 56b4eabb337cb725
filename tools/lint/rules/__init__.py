"""One file a rule: a docstring that tells the accident, and `check`, which yields the findings of one source."""
