"""Faults as data: rules that say which requests go wrong, and how."""

# Each puts its kinds into the table of `exchange`, where `plan` finds them.
from cloudstore_tui.sandbox.faults import broken_answers, broken_transport

__all__ = ["broken_answers", "broken_transport"]
