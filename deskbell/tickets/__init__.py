"""Tickets, their comments, attachments and tags: what the desk exists for."""
