"""What becomes of mail that came in: the ledger below says what came, the outbox beside it what had been sent."""
