"""`deletions`: what was deleted from this machine."""

import click

from cloudstore_tui.cli.options import json_option
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.core.provider import Fate
from cloudstore_tui.deletions import FILE, UNKNOWN, Deleted, DeletionLog
from cloudstore_tui.ui import format as in_words


@click.command("deletions", short_help="Show what was deleted.")
@json_option
def deletions_command(*, as_json: bool) -> None:
    """Show what was deleted from this machine: when, by whom, how large, with which checksum, and what came of it.

    The log lies in the state folder and is only ever added to. "unknown: check" is said of what was begun and never
    ended, because the program was killed: look with `cloudstore stat PATH`.

    \b
    Examples:
      cloudstore deletions
      cloudstore deletions --json
    """
    print_deletions(as_json=as_json)


def deletion_log() -> DeletionLog:
    """The user's log."""
    return DeletionLog(state_folder() / FILE)


def print_deletions(*, as_json: bool) -> None:
    """The whole log, the oldest first."""
    output = Output(as_json=as_json, zone=open_config().settings.time_zone)
    deleted = deletion_log().read()
    for one in deleted:
        if as_json:
            output.record(one.record)
        else:
            output.line(_line(one))
    if not deleted and not as_json:
        output.note("Nothing was deleted from this machine.")


def _line(one: Deleted) -> str:
    size = one.fields.get("size")
    outcome = one.outcome if one.outcome in (UNKNOWN, *(fate.value for fate in Fate)) else "?"
    reason = f": {one.reason}" if one.reason else ""
    return (
        f"{one.text('at')[:19]}Z  {one.text('user')}  {outcome}{reason}  {one.text('path')}  {one.text('name')}  "
        f"{in_words.size(size if isinstance(size, int) else None)}  {one.text('checksum')}"
    ).rstrip()
