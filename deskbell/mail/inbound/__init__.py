"""Mail coming in: the ledger of raw messages, where they came from, and what each of them became."""
