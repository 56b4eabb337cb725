"""Measurements of what is promised, each with its limit: `python -m bench`. Not part of the tests, as times vary."""
