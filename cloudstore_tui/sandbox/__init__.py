"""A local server of both services, to try things and to test against. Shares no code with the providers."""

from datetime import UTC, datetime

DATA_NOW = datetime(2024, 9, 2, 9, 0, tzinfo=UTC)
"""The moment that the ages of the data count back from: the morning after the busiest day of 8x8's recordings."""
