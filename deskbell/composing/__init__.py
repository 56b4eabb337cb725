"""Messages while they are written and on their way: drafts, the grace to undo sending, the guard, mentions; presence."""
