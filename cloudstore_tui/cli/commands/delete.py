"""What the commands take that bring back and delete."""

import click

from cloudstore_tui.cli.options import (
    Command,
    CommandWithParts,
    LocalPath,
    OwnCommand,
    dry_run_option,
    json_option,
    timeout_option,
    yes_option,
)


@click.command("restore", cls=OwnCommand, does="restore.restore_command")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option("--days", type=click.IntRange(1, 10), default=7, show_default=True, help="How long they shall stay.")
@click.option("--wait", is_flag=True, help="Wait until they are back; it can take up to 24 hours.")
@click.option("--then-get", is_flag=True, help="Wait, and download each as soon as it is back.")
@click.option("--to", "folder", default="", metavar="DIR", help="Folder for --then-get. [default: download_dir]")
@dry_run_option
@json_option
@timeout_option(transfers=True)
def own_command() -> None:
    """Ask for archived objects back, and keep a list of what was asked for.

    The service brings an object back within hours, for 1 to 10 days. The list survives the end of the program:
    `cloudstore restore --wait`, and the browser while it is open, go on with all of it. A PATH of - reads paths, or
    what `find --json` prints, from stdin. The profile needs read_only = false, and the key the level edit.

    \b
    Examples:
      cloudstore restore acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --days 3
      cloudstore find acme8:us-east state:archived --json | cloudstore restore -
      cloudstore restore --wait --then-get --to calls/
      cloudstore restore list
    """


assert isinstance(own_command, OwnCommand)
restore_command = CommandWithParts(own_command)


@restore_command.command("list", does="restore.list_command")
@json_option
def restore_list_command() -> None:
    """Show what was asked for, and until when it is there.

    \b
    Example:
      cloudstore restore list
    """


@restore_command.command("forget", does="restore.forget_command")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@json_option
def restore_forget_command() -> None:
    """Take these off the list, or without PATH all that have ended.

    \b
    Example:
      cloudstore restore forget
    """


@click.command("rm", cls=Command, does="rm.rm_command")
@click.argument("paths", metavar="PATH...", nargs=-1)
@click.option(
    "--proved-by",
    "folder",
    type=LocalPath(),
    metavar="DIR",
    help="Only what this pulled folder holds a good copy of; without PATH, all that it holds.",
)
@yes_option
@dry_run_option
@json_option
@timeout_option()
def rm_command() -> None:
    """Delete exactly these objects, never a folder; look at each afterwards and tell what became of it.

    On a terminal the number of objects is to be typed. Every object is written down before it is deleted, with its
    size and checksum; `cloudstore deletions` shows that. The profile needs read_only = false.

    With --proved-by an object is deleted only if its copy in that folder was just read back, has the bytes that were
    fetched, and those were compared with the checksum that the service has for it now. What is kept is told, and why.

    \b
    Examples:
      cloudstore rm acme:imports/outreach/nanp/plan.csv
      cloudstore rm acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --yes
      cloudstore rm --dry-run $(cat erase)
      cloudstore rm --proved-by archive/
    """


@click.command("deletions", cls=Command, does="rm.deletions_command")
@json_option
def deletions_command() -> None:
    """Show what was deleted from this machine: when, by whom, how large, with which checksum, and what came of it.

    The log lies in the state folder and is only ever added to. "unknown: check" is said of what was begun and never
    ended, because the program was killed: look with `cloudstore stat PATH`.

    \b
    Examples:
      cloudstore deletions
      cloudstore deletions --json
    """
