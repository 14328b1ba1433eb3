"""A login and a first listing with a profile that is not saved yet."""

import asyncio
from pathlib import Path

from cloudstore_tui.cli.output import Output
from cloudstore_tui.config.draft import Draft
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.provider import Check


def try_out(draft: Draft, folder: Path, output: Output) -> list[StorageError]:
    """Test a profile and tell what was found; what is wrong with it."""
    output.note("Testing …")
    # Not asyncio.run: that waits for look-ups of names that hang.
    loop = asyncio.new_event_loop()
    try:
        checks = loop.run_until_complete(draft.check(folder))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
    for check in checks:
        output.note(check_line(check))
    return [check.error for check in checks if check.error is not None]


def check_line(check: Check) -> str:
    """One check as a line; a doubt is neither well nor wrong."""
    mark = "FAIL" if check.error is not None else "ok  " if check.ok else "?   "
    return f"  {mark}  {check.title:10}  {check.text}"
