"""Mail coming in: the ledger that keeps every raw message, reading it, and filing it as a ticket or a comment."""
