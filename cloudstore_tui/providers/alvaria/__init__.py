"""Alvaria Cloud Media Storage, REST v2 and v3."""
