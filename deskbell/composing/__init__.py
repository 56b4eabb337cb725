"""Messages while they are written and on their way: drafts, the grace to undo, the guard, mentions; who is there."""
