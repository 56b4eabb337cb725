"""Deskbell inside of other applications: one module a framework, and what they share."""
