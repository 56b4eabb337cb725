"""Mailboxes: the addresses at which the desk is written to, where their mail is fetched, and how answers leave."""
