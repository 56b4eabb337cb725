"""The live feed: what has changed, who is looking or typing, sent to the browsers of the desk as it happens."""
