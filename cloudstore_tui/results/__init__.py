"""Rows fetched so far, kept on disk; the screen reads windows of them."""
