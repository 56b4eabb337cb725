"""Pages for people: log in, the list of tickets, one ticket. Rendered on the server; forms work without scripts."""
