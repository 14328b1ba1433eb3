"""Zip jobs: planned, packed by the service, fetched, opened and verified."""
