"""`search`: searches with a name, for `find @name` and for the browser."""

from datetime import UTC, datetime

import click

from cloudstore_tui.cli.options import Group, json_option
from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import open_config
from cloudstore_tui.config.paths import config_file
from cloudstore_tui.fiql import phrase_of, understand
from cloudstore_tui.state.searches import FILE, SIGN, SavedSearch, SavedSearches, placeholders_of


@click.group("search", cls=Group)
def search_command() -> None:
    """Searches with a name: `cloudstore find PROFILE @NAME`, and in the tree of the browser.

    \b
    Example:
      cloudstore search save long type:cc since:yesterday "dur:>10m"
    """


def saved_searches() -> SavedSearches:
    """The searches in the file beside the configuration."""
    return SavedSearches(config_file().parent / FILE)


@search_command.command("save")
@click.argument("name")
@click.argument("words", nargs=-1, required=True)
@click.option("--for", "where", default="", metavar="PROFILE[:REGION]", help="Only for this profile, or region of it.")
@json_option
def save_command(name: str, words: tuple[str, ...], where: str, *, as_json: bool) -> None:
    """Save words or a filter under a name. A value written ?name is asked for each time.

    \b
    Examples:
      cloudstore search save long type:cc since:yesterday "dur:>10m"
      cloudstore search save of-queue queue:?queue since:yesterday --for acme8:us-east
      cloudstore find acme8 @of-queue queue="Level 3"
    """
    output, text = Output(as_json=as_json), phrase_of(words)
    if not placeholders_of(text):
        understand(text, open_config().settings.time_zone, datetime.now(UTC))
    profile, _, region = where.partition(":")
    searches = saved_searches()
    searches.save(name.removeprefix(SIGN), text, profile=profile, region=region)
    search = searches.named(name)
    if as_json:
        output.record(_record(search))
    else:
        output.line(f"{SIGN}{search.name}  {search.find}")


@search_command.command("list")
@json_option
def list_command(*, as_json: bool) -> None:
    """List the searches that were saved.

    \b
    Example:
      cloudstore search list
    """
    output, searches = Output(as_json=as_json), saved_searches()
    found = searches.read().values()
    for search in found:
        if as_json:
            output.record(_record(search))
        else:
            where = ":".join(part for part in (search.profile, search.region) if part)
            output.line(f"{SIGN}{search.name}  {search.find}{f'  ({where})' if where else ''}")
    if not found:
        output.note(f"No search is saved in {searches.path}.")


@search_command.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Remove a saved search; the rest of the file stays as it is.

    \b
    Example:
      cloudstore search remove long
    """
    searches = saved_searches()
    searches.remove(searches.named(name).name)


def _record(search: SavedSearch) -> dict[str, object]:
    return {
        "name": search.name,
        "find": search.find,
        "placeholders": list(search.placeholders),
        "profile": search.profile,
        "region": search.region,
    }
