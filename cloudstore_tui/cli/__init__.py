"""The command line: one file per family of commands."""

from cloudstore_tui.cli.main import main

__all__ = ["main"]
