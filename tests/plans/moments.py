"""The time at which the desk of these tests logs somebody in."""

from datetime import UTC, datetime, timedelta

NOW = datetime.now(UTC)
LIFETIME = timedelta(days=1)
