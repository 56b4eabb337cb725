"""Deskbell: the helpdesk that runs on PostgreSQL alone and never forgets."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("deskbell")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
