"""The commands that restore and delete."""

import click

from cloudstore_tui.cli.options import (
    Command,
    CommandWithSubcommands,
    LocalPath,
    Number,
    OwnCommand,
    dry_run_option,
    json_option,
    timeout_option,
    yes_option,
)


@click.command("restore", cls=OwnCommand, does="restore.restore_command")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option(
    "--days",
    type=Number(1, 10),
    default=7,
    show_default=True,
    metavar="N",
    help="Keep the restored copies for this many days.",
)
@click.option("--wait", is_flag=True, help="Wait until the objects are restored, which can take 24 hours.")
@click.option("--then-get", is_flag=True, help="Wait, and download each as soon as it is restored.")
@click.option("--to", "folder", type=LocalPath(), metavar="DIR", help="Folder for --then-get. [default: download_dir]")
@dry_run_option
@json_option
@timeout_option(transfers=True)
def own_command() -> None:
    """Restore archived objects, and keep a list of the requests.

    The service restores an object within hours, for 1 to 10 days. The list is kept: `cloudstore restore --wait`, and
    the browser while it is open, continue with all of it. PATH may be -: then paths, or the lines of `find --json`,
    are read from stdin. The profile needs read_only = false, and the API key the level "edit".

    \b
    Examples:
      cloudstore restore acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38 --days 3
      cloudstore find acme8:us-east state:archived --json | cloudstore restore -
      cloudstore restore --wait --then-get --to calls/
      cloudstore restore list
    """


assert isinstance(own_command, OwnCommand)
restore_command = CommandWithSubcommands(own_command)


@restore_command.command("list", does="restore.list_command")
@json_option
def restore_list_command() -> None:
    """List the requests, and how long each copy is kept.

    \b
    Example:
      cloudstore restore list
    """


@restore_command.command("forget", does="restore.forget_command")
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@json_option
def restore_forget_command() -> None:
    """Remove requests from the list; without PATH all finished ones.

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
    help="Only objects of which this pulled folder has a good copy; without PATH all of them.",
)
@yes_option
@dry_run_option
@json_option
@timeout_option()
def rm_command() -> None:
    """Delete exactly these objects, never a folder, and verify each deletion.

    On a terminal you confirm by typing the number of objects. Every object is logged before it is deleted, with its
    size and checksum; `cloudstore deletions` shows the log. The profile needs read_only = false. PATH may be -: then
    paths, or the lines of `find --json`, are read from stdin.

    With --proved-by an object is deleted only if its copy in that folder is read back now, is what was downloaded, and
    matches the checksum that the service has now. Objects that are kept are listed, each with the reason.

    \b
    Examples:
      cloudstore rm acme:imports/outreach/nanp/number-plan.csv
      cloudstore rm acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38 --yes
      cloudstore rm - --dry-run < erase
      cloudstore rm --proved-by archive/
    """


@click.command("deletions", cls=Command, does="rm.deletions_command")
@json_option
def deletions_command() -> None:
    """Show what was deleted from this machine: when, by whom, its size and checksum, and the outcome.

    The log is in the state folder; lines are only ever added. "unknown: check" marks a deletion that was begun and
    never finished because the program was killed: check it with `cloudstore stat PATH`.

    \b
    Examples:
      cloudstore deletions
      cloudstore deletions --json
    """
