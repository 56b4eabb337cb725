"""Mail going out: the outbox, what its messages say, and handing them to a server."""
