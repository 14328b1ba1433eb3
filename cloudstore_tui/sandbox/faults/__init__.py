"""Faults as data: rules that say which requests go wrong, and how."""
