"""Where mail comes from: servers that are asked for it (IMAP) and doors that it is delivered to.

A source writes a message down, commits, and only then tells whoever had it. No web framework, nothing that reads mail.
"""
