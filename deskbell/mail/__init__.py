"""Mail, both ways: the ledger that keeps every raw message, reading and filing it; the outbox, and what is sent."""
