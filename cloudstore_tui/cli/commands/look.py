"""The commands that look at what is there, and those for filters and searches."""

import click

from cloudstore_tui.cli.options import (
    Command,
    Group,
    LocalPath,
    Number,
    conflict_option,
    export_options,
    json_option,
    limit_option,
    output_option,
    query_options,
    timeout_option,
)


@click.command("ls", cls=Command, does="look.ls_command")
@click.argument("path", default="", metavar="[PATH]")
@click.option("-R", "--recursive", is_flag=True, help="Include everything below the folder.")
@click.option("--all", "everything", is_flag=True, help="Show all objects of a region, not only the newest 100.")
@export_options
@limit_option
@timeout_option()
def ls_command() -> None:
    """List a folder, a region, or the regions of a profile; without PATH the profiles.

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
@output_option(
    "--sort", default="", metavar="NAME", help="Sort by created, name, type, size, state, duration or a tag."
)
@output_option("--desc", is_flag=True, help="Largest or newest first; this is the default without --sort.")
@output_option("--count", is_flag=True, help="Print only the number of all matches.")
@export_options
@limit_option
@timeout_option()
def find_command() -> None:
    """Search the objects of a profile, in one region or in all.

    All words and options must match; `cloudstore fiql compile --help` lists the words. Times without a zone are in the
    time zone of the settings.

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
      cloudstore stat acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38 --json
    """


@click.command("preview", cls=Command, does="preview.preview_command")
@click.argument("path")
@click.option(
    "--bytes",
    "wanted",
    type=Number(1, 4 * 1024 * 1024),
    default=64 * 1024,
    show_default=True,
    metavar="N",
    help="How many bytes to read from the beginning.",
)
@click.option("--text", "as_text", is_flag=True, help="Print the content only, without facts and notes.")
@json_option
@timeout_option()
def preview_command() -> None:
    """Preview an object: text, JSON, tables, transcripts, archive members, the facts and waveform of a recording.

    Only a part of the object is read: its beginning, and a few more pieces of archives and recordings. PATH may also be
    a file on this machine.

    \b
    Examples:
      cloudstore preview acme:exports/reporting/outreach/outreach-20240901.tar
      cloudstore preview acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38 --bytes 1000
      cloudstore preview ./outreach-20240901.tar
    """


@click.group("call", cls=Group)
def call_command() -> None:
    """Everything that one call left behind: recordings of both legs, transcripts, notes.

    \b
    Examples:
      cloudstore call show acme8 int-191accbcf26-vfBqxsWQQqqJqwuSN2ed4UW4E-phone-01-acmecorp01
      cloudstore call get acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38 --to calls/
    """


@call_command.command("show", does="call.show_command")
@click.argument("path", metavar="PATH|PROFILE[:REGION]")
@click.argument("key", metavar="[ID]", default="")
@click.option("--all-regions", is_flag=True, help="For an object: search all regions, not only its own.")
@json_option
@timeout_option()
def call_show_command() -> None:
    """Show everything that belongs to a call as a tree. Name an object of the call, or its id.

    \b
    Examples:
      cloudstore call show acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38
      cloudstore call show acme8 int-191accbcf26-vfBqxsWQQqqJqwuSN2ed4UW4E-phone-01-acmecorp01
    """


@call_command.command("get", does="call.get_command")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "--to", "folder", type=LocalPath(), metavar="DIR", help="Where to make the folders. [default: download_dir]"
)
@conflict_option()
@json_option
@timeout_option(transfers=True)
def call_get_command() -> None:
    """Download everything that belongs to the calls of these objects, into a folder for each call.

    The setting call_folder names the folders. PATH may be -: then paths, or the lines of `find --json`, are read
    from stdin.

    \b
    Example:
      cloudstore call get acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38 --to calls/
    """


@click.command("url", cls=Command, does="look.url_command")
@click.argument("path")
@click.option("--native", is_flag=True, help="Alvaria only: link to the object store itself, not to the proxy.")
@click.option("--curl", is_flag=True, help="Print a curl command that downloads the object.")
@json_option
@timeout_option()
def url_command() -> None:
    """Print a signed link. Anyone who has it can download the object until it expires.

    \b
    Examples:
      cloudstore url acme:exports/reporting/outreach/outreach-20240901.tar
      cloudstore url acme8:us-east/0191acdf-3538-7e1d-9920-e80f5368aa38 --curl
    """


@click.group("search", cls=Group)
def search_command() -> None:
    """Save searches under a name, for `cloudstore find PROFILE @NAME` and the tree of the browser.

    \b
    Example:
      cloudstore search save long type:cc since:yesterday "dur:>10m"
    """


@search_command.command("save", does="find.search_save_command")
@click.argument("name")
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--for", "where", default="", metavar="PROFILE[:REGION]", help="Only for this profile, or this region of it."
)
@json_option
def search_save_command() -> None:
    """Save words or a filter under a name. A value such as ?queue is filled in each time.

    \b
    Examples:
      cloudstore search save long type:cc since:yesterday "dur:>10m"
      cloudstore search save of-queue queue:?queue since:yesterday --for acme8:us-east
      cloudstore find acme8 @of-queue queue="Level 3"
    """


@search_command.command("list", does="find.search_list_command")
@json_option
def search_list_command() -> None:
    """List the saved searches.

    \b
    Example:
      cloudstore search list
    """


@search_command.command("remove", does="find.search_remove_command")
@click.argument("name")
@json_option
def search_remove_command() -> None:
    """Remove a saved search; the rest of the file stays as it is.

    \b
    Example:
      cloudstore search remove long
    """


@click.group("fiql", cls=Group)
def fiql_command() -> None:
    """Check, explain and compile filters before they are sent.

    \b
    Example:
      cloudstore fiql explain agent:"Khang Glynn" since:yesterday
    """


@fiql_command.command("check", does="find.fiql_check_command")
@click.argument("text")
@json_option
def fiql_check_command() -> None:
    """Check a filter; nothing is sent.

    \b
    Examples:
      cloudstore fiql check "type==callcenterrecording;duration=gt=90000"
      cloudstore fiql check "createdTime=ge=2024-09-01"    refused, and corrected
    """


@fiql_command.command("explain", does="find.fiql_explain_command")
@click.argument("words", nargs=-1, required=True)
@json_option
def fiql_explain_command() -> None:
    """Explain a filter or a phrase, in words and as a tree; nothing is sent.

    \b
    Examples:
      cloudstore fiql explain "type==summary,type==transcription;createdTime=ge=1725148800000"
      cloudstore fiql explain agent:"Khang Glynn" since:yesterday "dur:>90s"
    """


@fiql_command.command("compile", does="find.fiql_compile_command")
@click.argument("words", nargs=-1, required=True)
@json_option
def fiql_compile_command() -> None:
    """Turn words into FIQL; nothing is sent. Put words with <, > or * in quotes.

    \b
    Conditions that must all hold, such as:
      type:callcenterrecording  state:archived  agent:"Khang Glynn"  queue:One,Two  direction:in
      since:yesterday  until:2024-09-30  on:2024-09  created:"last 7 days"  dur:>90s  dur:1m..5m  size:<10MB
      agent:~khang  agent:Kh*  invoice    checked in the fetched rows
      agent:!=Khang                       all but this one; after `--` also -agent:Khang

    \b
    Example:
      cloudstore fiql compile type:callcenterrecording agent:"Khang Glynn" since:yesterday "dur:>90s"
    """
