"""What the commands take that deal with filters and searches."""

import click

from cloudstore_tui.cli.options import Group, json_option


@click.group("search", cls=Group)
def search_command() -> None:
    """Searches with a name: `cloudstore find PROFILE @NAME`, and in the tree of the browser.

    \b
    Example:
      cloudstore search save long type:cc since:yesterday "dur:>10m"
    """


@search_command.command("save", does="find.search_save_command")
@click.argument("name")
@click.argument("words", nargs=-1, required=True)
@click.option("--for", "where", default="", metavar="PROFILE[:REGION]", help="Only for this profile, or region of it.")
@json_option
def search_save_command() -> None:
    """Save words or a filter under a name. A value written ?name is asked for each time.

    \b
    Examples:
      cloudstore search save long type:cc since:yesterday "dur:>10m"
      cloudstore search save of-queue queue:?queue since:yesterday --for acme8:us-east
      cloudstore find acme8 @of-queue queue="Level 3"
    """


@search_command.command("list", does="find.search_list_command")
@json_option
def search_list_command() -> None:
    """List the searches that were saved.

    \b
    Example:
      cloudstore search list
    """


@search_command.command("remove", does="find.search_remove_command")
@click.argument("name")
def search_remove_command() -> None:
    """Remove a saved search; the rest of the file stays as it is.

    \b
    Example:
      cloudstore search remove long
    """


@click.group("fiql", cls=Group)
def fiql_command() -> None:
    """Look at FIQL filters and phrases before they are sent.

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
      cloudstore fiql check "createdTime=ge=2024-09-01"
    """


@fiql_command.command("explain", does="find.fiql_explain_command")
@click.argument("words", nargs=-1, required=True)
@json_option
def fiql_explain_command() -> None:
    """Show what a filter or a phrase finds, in words and as a tree; nothing is sent.

    \b
    Examples:
      cloudstore fiql explain "type==summary,type==transcription;createdTime=ge=1725148800000"
      cloudstore fiql explain agent:"Khang Glynn" since:yesterday "dur:>90s"
    """


@fiql_command.command("compile", does="find.fiql_compile_command")
@click.argument("words", nargs=-1, required=True)
@json_option
def fiql_compile_command() -> None:
    """Turn words into FIQL; nothing is sent. The shell wants words with <, > or * in quotes.

    \b
    Conditions that must all hold, such as:
      type:callcenterrecording  state:archived  agent:"Khang Glynn"  queue:One,Two  direction:in
      since:yesterday  until:2024-09-30  on:2024-09  created:"last 7 days"  dur:>90s  dur:1m..5m  size:<10MB
      agent:~khang  agent:Kh*  invoice    looked for among the fetched rows
      agent:!=Khang                       all but that one; after `--` also -agent:Khang

    \b
    Example:
      cloudstore fiql compile type:callcenterrecording agent:"Khang Glynn" since:yesterday "dur:>90s"
    """
