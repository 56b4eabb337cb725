"""The agents' workspace: the list, the ticket, the composer, views, bulk changes, reports."""
