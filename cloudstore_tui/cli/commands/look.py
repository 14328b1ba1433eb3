"""What the commands take that look at what is there."""

from functools import partial

import click

from cloudstore_tui.cli.options import (
    Command,
    Group,
    HelpOption,
    conflict_option,
    export_options,
    json_option,
    limit_option,
    query_options,
    timeout_option,
)

output_option = partial(click.option, cls=HelpOption, section="Output")


@click.command("ls", cls=Command, does="look.ls_command")
@click.argument("path", default="", metavar="[PATH]")
@click.option("-R", "recursive", is_flag=True, help="Everything below, too.")
@click.option("--all", "everything", is_flag=True, help="All objects of a region, not only the newest 100.")
@export_options
@limit_option
@timeout_option()
def ls_command() -> None:
    """List a folder, a region or the regions; without PATH the profiles.

    \b
    Examples:
      cloudstore ls                              the profiles
      cloudstore ls acme                         the top folders
      cloudstore ls acme:exports/reporting/ -R   everything below a folder
      cloudstore ls acme8:us-east/ --limit 20    the 20 newest objects of a region
    """


@click.command("find", cls=Command, does="find.find_command")
@click.argument("where", metavar="PROFILE[:REGION]")
@click.argument("words", nargs=-1)
@query_options
@output_option("--sort", default="", metavar="NAME", help="By created, name, type, size, state, duration or a tag.")
@output_option("--desc", is_flag=True, help="Largest or newest first; the default without --sort.")
@output_option("--count", is_flag=True, help="Print only how many there are.")
@export_options
@limit_option
@timeout_option()
def find_command() -> None:
    """Search the objects of a profile, in one region or in all.

    Words and options are joined by AND; `cloudstore fiql compile --help` tells the words. Times without a zone are in
    the zone of the settings.

    \b
    Examples:
      cloudstore find acme8 agent:"Khang Glynn" on:2024-09-01 "dur:>10m"
      cloudstore find acme8:us-east --fiql "agentName=='Khang Glynn'" --sort duration --desc
      cloudstore find acme8:us-east --since 2024-09-01 --until 2024-09-02 --count
      cloudstore find acme8 type:cc since:yesterday --columns created,agentName,size -o calls.csv
    """


@click.command("stat", cls=Command, does="look.stat_command")
@click.argument("path")
@json_option
@timeout_option()
def stat_command() -> None:
    """Show every field and tag of one object.

    \b
    Examples:
      cloudstore stat acme:exports/reporting/outreach/outreach-20240901.tar
      cloudstore stat acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --json
    """


@click.command("preview", cls=Command, does="preview.preview_command")
@click.argument("path")
@click.option(
    "--bytes",
    "wanted",
    type=click.IntRange(1, 4 * 1024 * 1024),
    default=64 * 1024,
    show_default=True,
    help="Read so many bytes from its beginning.",
)
@click.option("--text", "as_text", is_flag=True, help="Print only the content, without facts and notes.")
@json_option
@timeout_option()
def preview_command() -> None:
    """Show the beginning of an object: text, JSON, tables, transcripts, archive members, facts and loudness of sound.

    Only a part of the object is fetched: its beginning, and of archives and recordings a few pieces more.
    PATH may also be a file on this machine.

    \b
    Examples:
      cloudstore preview acme:exports/reporting/outreach/outreach-20240901.tar
      cloudstore preview acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --bytes 1000
      cloudstore preview ./outreach-20240901.tar
    """


@click.group("call", cls=Group)
def call_command() -> None:
    """Everything that one call left behind: recordings of both legs, transcripts, notes.

    \b
    Examples:
      cloudstore call show acme8 int-191accbcf26-vfBqxsWQQqqJqwuSN2ed4UW4E-phone-01-acmecorp01
      cloudstore call get acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --to calls/
    """


@call_command.command("show", does="call.show_command")
@click.argument("path", metavar="PATH|PROFILE[:REGION]")
@click.argument("key", metavar="[ID]", default="")
@click.option("--all-regions", is_flag=True, help="Of an object: look in all regions, not only in its own.")
@json_option
@timeout_option()
def call_show_command() -> None:
    """Show the call of an object, or that which any of its ids names, as a tree.

    \b
    Examples:
      cloudstore call show acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad
      cloudstore call show acme8 int-191accbcf26-vfBqxsWQQqqJqwuSN2ed4UW4E-phone-01-acmecorp01
    """


@call_command.command("get", does="call.get_command")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--to", "folder", default="", metavar="DIR", help="Where the folders go. [default: download_dir]")
@conflict_option()
@json_option
@timeout_option(transfers=True)
def call_get_command() -> None:
    """Download everything of the call of each object, into a folder for each call, which the settings name.

    \b
    Example:
      cloudstore call get acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --to calls/
    """


@click.command("url", cls=Command, does="look.url_command")
@click.argument("path")
@click.option("--native", is_flag=True, help="Alvaria: the link of the object store itself, not of the proxy.")
@click.option("--curl", is_flag=True, help="Print a curl command that fetches it.")
@json_option
@timeout_option()
def url_command() -> None:
    """Print a link that lets anybody who holds it fetch the object until it ends.

    \b
    Examples:
      cloudstore url acme:exports/reporting/outreach/outreach-20240901.tar
      cloudstore url acme8:us-east/58bc5748-339b-43c2-ad15-572a35dc3aad --curl
    """
